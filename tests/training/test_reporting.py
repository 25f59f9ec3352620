"""Events and output arrive whole, once, without secrets, and survive a full disk."""

import io
import os
from pathlib import Path

import pytest

from longshore.training.events import Event, Events, Redactor, Tail, render
from longshore.training.guards import Lease
from longshore.training.tee import Tee


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        (["hunter22"], "key=hunter22!", "key=***!"),
        (["abcd", "abcdef"], "abcdef abcd", "*** ***"),
        (["-----BEGIN\nline-one\nEND"], "x line-one y", "x *** y"),
        (["abc"], "abc is too short to hide", "abc is too short to hide"),
        ([], "plain", "plain"),
    ],
)
def test_redacts(secrets: list[str], text: str, shown: str) -> None:
    """By value, the longest first, each line of a key file by itself."""
    assert Redactor(secrets)(text) == shown


def test_tail_gives_each_event_once(tmp_path: Path) -> None:
    """What was there before is not news; half a line waits for the other half."""
    path = tmp_path / "events.jsonl"
    events = Events(path, Redactor(["secret-value"]))
    events.emit("phase", phase="old")
    tail = Tail(path)
    events.emit("warning", text="has secret-value in it")
    assert [event["text"] for event in tail.read()] == ["has *** in it"]
    with path.open("a") as file:
        file.write('{"kind": "pha')
        file.flush()
        assert list(tail.read()) == []
        file.write('se", "phase": "x"}\nno json\n[1]\n')
    assert [event["kind"] for event in tail.read()] == ["phase"]
    assert list(tail.read()) == []
    events.close()


def test_renders_for_people() -> None:
    """A step as one line; the end, which the caller shows, as none."""
    step: Event = {"kind": "step", "step": 5, "steps": 9, "loss": 1.23456, "tokens_per_s": 1234.5}
    assert render(step) == "step 5/9  loss 1.2346  1,234 tokens/s"
    assert render({"kind": "end", "code": 0}) == ""


def test_tee_passes_whole_lines(tmp_path: Path) -> None:
    """A secret that arrives in two pieces is still seen; a progress bar's lines count as lines."""
    screen = io.StringIO()
    tee = Tee(tmp_path / "log", screen, Redactor(["hunter22"]))
    tee.feed(b"one hunt")
    assert screen.getvalue() == ""
    tee.feed(b"er22 two\n50%\r")
    assert screen.getvalue() == "one *** two\n50%\r"
    tee.feed("ä".encode()[:1])
    tee.close()
    assert (tmp_path / "log").read_bytes() == screen.getvalue().encode()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_tee_survives_a_full_disk() -> None:
    """The screen still gets what the log cannot hold."""
    screen = io.StringIO()
    tee = Tee(Path("/dev/full"), screen, Redactor())
    tee.feed(b"a line\n")
    tee.close()
    assert screen.getvalue() == "a line\n"


def test_lease_counts_from_the_last_move(tmp_path: Path) -> None:
    """Either the file or the training moves it; without a file nothing lapses."""
    now = [0.0]
    file = tmp_path / "lease"
    lease = Lease(file, 10, lambda: now[0])
    now[0] = 100.0
    assert not lease.lapsed()
    file.touch()
    assert not lease.lapsed()
    now[0] = 109.0
    lease.progress()
    now[0] = 118.0
    assert not lease.lapsed()
    os.utime(file, (5, 5))
    assert not lease.lapsed()
    now[0] = 129.0
    assert lease.lapsed()
