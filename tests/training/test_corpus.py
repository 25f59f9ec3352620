"""A data set is read whole or refused with the place of its first fault."""

from pathlib import Path

import pytest

from longshore.errors import DataError
from longshore.training import corpus


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("a.jsonl", b'{"text": "one"}\n\n{"text": "two", "x": 1}\n', ["one", "two"]),
        ("a.jsonl", b'\xef\xbb\xbf{"text": "one"}', ["one"]),
        ("a.jsonl", b'{"text": "one"}\n{"text": "  "}\n', ["one"]),
        ("a.txt", b"one\ntwo\n", ["one\n", "two\n"]),
        ("a.txt", b"one\ntwo\n\n\nthree\n", ["one\ntwo\n", "three\n"]),
        ("a.txt", "käse\r\n\r\nbrot".encode(), ["käse\r\n", "brot"]),
        ("a.jsonl", b'{"text": "' + b"x" * 100_000 + b'"}', ["x" * 100_000]),
    ],
)
def test_reads(name: str, content: bytes, texts: list[str], tmp_path: Path) -> None:
    """JSON lines by column; plain text by paragraph, or by line when it has none."""
    (tmp_path / name).write_bytes(content)
    assert corpus.records(tmp_path / name, "text") == texts


def test_reads_a_folder(tmp_path: Path) -> None:
    """All files of a folder, in the order of their names."""
    (tmp_path / "b.txt").write_text("two")
    (tmp_path / "a.jsonl").write_text('{"text": "one"}')
    (tmp_path / "c.png").write_bytes(b"\x89")
    assert corpus.records(tmp_path, "text") == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "content", "words", "hint"),
    [
        ("a.jsonl", b"", "a.jsonl is empty", ""),
        ("a.jsonl", b"\n \n", "a.jsonl is empty", ""),
        ("a.txt", b"", "a.txt is empty", ""),
        ("a.jsonl", b'{"text": "a"}\n{"txt": "b"}', "a.jsonl:2: no column 'text'", "'txt'"),
        ("a.jsonl", b'{"text": "a"}\n{"te', "a.jsonl:2: not JSON", "one JSON object a line"),
        ("a.jsonl", b'["a"]', "a.jsonl:1: not a JSON object", "text"),
        ("a.jsonl", b'{"text": 5}', "a.jsonl:1: column 'text' holds no text", "text_column"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "\xff"}', "a.jsonl:2: not UTF-8 (byte 11", "UTF-8"),
        ("a.txt", b"ok\n\nk\xe4se", "a.txt:3: not UTF-8 (byte 2", "UTF-8"),
    ],
)
def test_refuses(name: str, content: bytes, words: str, hint: str, tmp_path: Path) -> None:
    """One line with the place, and what to do about it."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        corpus.records(tmp_path / name, "text")
    assert words in str(caught.value)
    assert hint in caught.value.hint


def test_refuses_nothing(tmp_path: Path) -> None:
    """A path that is not there, or a folder without data, says so."""
    with pytest.raises(DataError, match="there is no data set"):
        corpus.records(tmp_path / "none", "text")
    with pytest.raises(DataError, match="holds no data"):
        corpus.records(tmp_path, "text")
