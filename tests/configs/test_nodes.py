"""YAML as a tree that knows its places."""

from pathlib import Path

import pytest

from longshore.configs.nodes import Items, Table, Text, parse, read
from longshore.errors import ConfigError

QUOTES = "check the quotes, brackets, colons and indentation here and on the line before"


def test_keys_and_values_know_their_place() -> None:
    """Lines and columns count from 1, for keys, values and the items of a list."""
    tree = parse("a: 1\nb:\n  c: [x, y]\n", "job.yaml")
    inner = tree.entries["b"].node
    assert tree.entries["a"].node == Text("1", "job.yaml:1:4")
    assert (tree.entries["b"].where, inner.where) == ("job.yaml:2:1", "job.yaml:3:3")
    assert isinstance(inner, Table)
    items = (Text("x", "job.yaml:3:7"), Text("y", "job.yaml:3:10"))
    assert inner.entries["c"].node == Items(items, "job.yaml:3:6")


@pytest.mark.parametrize(
    "text", ["yes", "010", "5e-5", "1:30", "2024-01-01", "0x10", "1.10", "'~'"]
)
def test_values_stay_as_they_were_written(text: str) -> None:
    """YAML 1.1 would turn these into a truth, an octal number, a time or a date."""
    node = parse(f"a: {text}", "f").entries["a"].node
    assert node == Text(text.strip("'"), "f:1:4")


@pytest.mark.parametrize("text", ["a:", "a: ~", "a: null"])
def test_null_is_no_text(text: str) -> None:
    """A key without a value is told apart from an empty text."""
    node = parse(text, "f").entries["a"].node
    assert isinstance(node, Text)
    assert node.null


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_a_file_of_nothing_is_an_empty_table(text: str) -> None:
    """Whether that is a fault is for the reader of the file to say."""
    assert parse(text, "f").entries == {}


def test_anchors_and_merge_keys_work() -> None:
    """Own keys win over merged ones, of merged ones the earlier; each keeps its own place."""
    text = "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz:\n  <<: [*x, *y]\n  a: 3\nw: *x\n"
    tree = parse(text, "f")
    merged, alias = tree.entries["z"].node, tree.entries["w"].node
    assert isinstance(merged, Table)
    assert isinstance(alias, Table)
    given = {key: entry.node for key, entry in merged.entries.items()}
    assert given == {"a": Text("3", "f:5:6"), "b": Text("1", "f:1:17"), "c": Text("2", "f:2:17")}
    assert alias.entries["a"].node == Text("1", "f:1:11")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("a:\n\tb: 1\n", "f:2:1: a tab in the indentation", "indent with spaces"),
        ("a: 1\n  \tb: 2\n", "f:2:3: a tab in the indentation", "indent with spaces"),
        ("a: b: c\n", "f:1:5: not YAML: mapping values are not allowed in this context", QUOTES),
        ("a: @b\n", "f:1:4: not YAML: found character that cannot start any token", QUOTES),
        ("a: 'x\n", "f:2:1: not YAML: found unexpected end of stream", QUOTES),
        ("a: [1,\n", "f:2:1: not YAML: did not find expected node content", QUOTES),
        ("a: *x\n", "f:1:4: not YAML: found undefined alias", QUOTES),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document begins here", "keep one job in one file"),
        ("a: 1\nb: \x01\n", "f:2:4: a control character", "remove it"),
        ("a: &x [*x]\n", "f:1:4: an anchor that holds itself", "remove the alias inside it"),
        ("a: !job x\n", "f:1:4: unknown tag '!job'", "remove it, or quote the value"),
        ("a: 1\nb: 2\na: 3\n", "f:3:1: the key 'a' again", "it stands at f:1:1 already"),
        ("? [a]\n: 1\n", "f:1:3: a key must be a word", "a '{' or '[' may lack its quotes"),
        (
            "<<: 3\n",
            "f:1:5: '<<' takes keys with values",
            "write <<: *anchor, the anchor on keys with values",
        ),
        ("- a\n", "f:1:1: must be keys with values", "write for example name: my-job"),
        ("hello\n", "f:1:1: must be keys with values", "write for example name: my-job"),
    ],
)
def test_every_fault_of_a_text_has_its_place(text: str, message: str, hint: str) -> None:
    """What is wrong, where, and what to do about it."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "f")
    assert (str(caught.value), caught.value.hint) == (message, hint)


@pytest.mark.parametrize("text", ["a: " + "[" * 5000 + "]" * 5000, "- " * 5000])
def test_a_deep_nest_is_refused(text: str) -> None:
    """What no job holds ends in a message, not in a stack of our own."""
    with pytest.raises(ConfigError, match=r"^f: is nested too deep$"):
        parse(text, "f")


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    """A data set named by mistake is not read whole into memory."""
    path = tmp_path / "train.jsonl"
    path.write_text("{}\n" * 20_000)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value) == f"{path}: is larger than 16384 bytes"
    assert caught.value.hint == "name a job's file"


def test_many_aliases_are_read_once() -> None:
    """A file of aliases to aliases would grow to 9^9 values if each were read again."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert len(parse("\n".join(lines), "f").entries) == 10


@pytest.mark.parametrize(
    ("content", "place"),
    [(b"a: 1\nb: caf\xe9\n", "2:7"), (b"\xff\xfea\x00:\x00", "1:1"), (b"a: \xc3\xa9\xff", "1:5")],
)
def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path, content: bytes, place: str) -> None:
    """The first byte that is not UTF-8 is named by line and column."""
    path = tmp_path / "job.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read(path)
    assert str(caught.value) == f"{path}:{place}: is not UTF-8 text"
    assert caught.value.hint == "save the file as UTF-8"


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    """Some editors put one at the start of UTF-8."""
    path = tmp_path / "job.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: x\r\n")
    assert read(path, "job.yaml").entries["name"].node == Text("x", "job.yaml:1:7")


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    """Each has its own hint."""
    with pytest.raises(ConfigError) as missing:
        read(tmp_path / "job.yaml")
    with pytest.raises(ConfigError) as folder:
        read(tmp_path)
    assert str(missing.value) == f"{tmp_path / 'job.yaml'}: no such file"
    assert missing.value.hint == "`longshore init` writes one"
    assert str(folder.value) == f"{tmp_path}: is a folder, not a file"
    assert folder.value.hint == "name the file in it"


def test_a_name_too_long_for_the_system_is_a_fault_of_ours(tmp_path: Path) -> None:
    """Whatever the system says against reading a file, it is one line with the path."""
    with pytest.raises(ConfigError, match="cannot be read: File name too long"):
        read(tmp_path / ("x" * 300))


def test_a_file_is_shown_as_one_would_type_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the current folder a path is relative, elsewhere it is whole."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "job.yaml").write_text("a: 1")
    monkeypatch.chdir(tmp_path)
    assert read(Path("in/job.yaml")).where == "in/job.yaml:1:1"
    monkeypatch.chdir(tmp_path / "in")
    (tmp_path / "other.yaml").write_text("a: 1")
    assert read(tmp_path / "other.yaml").where == f"{tmp_path / 'other.yaml'}:1:1"
