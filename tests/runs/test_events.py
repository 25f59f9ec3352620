"""Events are read whole from bytes that were cut anywhere."""

import json

import pytest

from longshore.runs.events import EventReader, read_all

LINES = [
    {"t": 1.5, "kind": "phase", "phase": "train"},
    {"t": 2, "kind": "step", "step": 1, "loss": 2.25, "gpu_util": None},
    {"t": 3, "kind": "warning", "text": "zu groß — 太大"},
]
CONTENT = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in LINES).encode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, len(CONTENT)])
def test_the_cut_of_the_bytes_does_not_matter(size: int) -> None:
    """Chunks of any size give the same events in the same order."""
    reader = EventReader()
    pieces = [CONTENT[start : start + size] for start in range(0, len(CONTENT), size)]
    found = [event for piece in pieces for event in reader.feed(piece)]
    assert found == read_all(CONTENT)
    assert [event.kind for event in found] == ["phase", "step", "warning"]


def test_a_half_line_waits() -> None:
    """An event counts once its line is whole."""
    reader = EventReader()
    assert reader.feed(b'{"t": 1, "kind": "en') == []
    assert [event.kind for event in reader.feed(b'd"}\n')] == ["end"]


def test_a_finished_file_may_lack_its_last_newline() -> None:
    """The last line of a file that nobody writes any more is an event too."""
    assert [event.kind for event in read_all(b'{"t": 1, "kind": "end"}')] == ["end"]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"not json",
        b"[1, 2]",
        b'"text"',
        b"null",
        b'{"kind": "step"}',
        b'{"t": 1}',
        b'{"t": "soon", "kind": "step"}',
        b'{"t": null, "kind": "step"}',
        b'{"t": 1' + b"0" * 400 + b', "kind": "step"}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_a_line_that_is_no_event_is_skipped(line: bytes) -> None:
    """What a job writes between its events does not end the watch, nor hide the next event."""
    found = read_all(line + b'\n{"t": 1, "kind": "end"}\n')
    assert [event.kind for event in found] == ["end"]


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("2.5", 2.5),
        ("7", 7),
        ("null", None),
        ("true", None),
        ('"7"', None),
        ("NaN", None),
        ("Infinity", None),
        ("1" + "0" * 400, None),
    ],
)
def test_a_field_is_a_number_or_nothing(value: str, number: float | None) -> None:
    """Text, null, truth and what is not finite count as missing."""
    (event,) = read_all(f'{{"t": 1, "kind": "step", "loss": {value}}}'.encode())
    assert event.number("loss") == number


def test_a_missing_field_is_empty() -> None:
    """As text it is empty, as a number it is None."""
    (event,) = read_all(b'{"t": 1, "kind": "error", "hint": null}')
    assert (event.text("hint"), event.text("text"), event.number("code")) == ("", "", None)
