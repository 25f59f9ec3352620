"""What a job prints is shown in whole lines, and no secret gets through."""

import pytest

from longshore.runs.printed import LONGEST, Printed

SECRETS = {
    "TOKEN": "hunter2-hunter2",
    "SHORT": "hunter2",
    "KEY": "-----\nline one\nline two\n-----",
}
TEXT = (
    "plain\n"
    "with hunter2-hunter2 inside\n"
    "with hunter2 alone, hunter3 is none\n"
    "-----\nline one\nline two\n-----\n"
    "groß 太大 hunter2"
)
SAFE = [
    "plain",
    "with [TOKEN] inside",
    "with [SHORT] alone, hunter3 is none",
    "[KEY]",
    "groß 太大 [SHORT]",
]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13, 21, 400])
def test_the_cut_of_the_bytes_does_not_matter(size: int) -> None:
    """In the middle of a letter, of a line or of a secret: the same lines, without secrets."""
    printed, content = Printed(SECRETS), TEXT.encode()
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    shown = [printed.feed(piece) for piece in pieces] + [printed.end()]
    assert "\n".join(text for text in shown if text).split("\n") == SAFE


def test_a_line_is_shown_once_it_is_whole() -> None:
    """Half a line waits for its other half, however long that takes."""
    printed = Printed({})
    assert [printed.feed(b"one\ntw"), printed.feed(b"o"), printed.feed(b"\n")] == ["one", "", "two"]


def test_the_last_line_may_lack_its_end() -> None:
    """At the end of the job what is left is shown."""
    printed = Printed({})
    assert printed.feed(b"a traceback's last word") == ""
    assert printed.end() == "a traceback's last word"
    assert printed.end() == ""


def test_an_endless_line_is_shown_in_parts() -> None:
    """A job that never ends its line does not fill the memory, and hides its secrets still."""
    printed = Printed(SECRETS)
    shown = printed.feed(b"x" * LONGEST + b" hunter2-hun")
    assert shown == "x" * LONGEST + " "
    assert printed.feed(b"ter2\n") == "[TOKEN]"


def test_a_longer_secret_wins_over_one_that_it_contains() -> None:
    """No half of a secret stays because another one is its beginning."""
    printed = Printed({"A": "abc", "B": "abcdef"})
    assert printed.feed(b"abc") + printed.feed(b"def\n") == "[B]"


def test_an_empty_secret_hides_nothing() -> None:
    """A variable that is set to nothing has no value to hide."""
    assert Printed({"EMPTY": ""}).feed(b"text\n") == "text"


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    """Whatever a job prints, its watch goes on."""
    assert Printed({}).feed(b"a\xffb\n") == "a\ufffdb"
