"""A watch passes on all that the job says, and all that the user and the limits want of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest

from longshore.configs.container import EVENTS, LEASE, LOG
from longshore.errors import MachineLostError, SyncError, UnreachableError
from longshore.providers.base import Exit
from longshore.runs.endings import Ending
from longshore.runs.follow import LEASE_EVERY, Watch
from longshore.runs.live import Live
from longshore.runs.signals import Stop

from .conftest import Record

Chunk = tuple[str, bytes]
"""A file of the machine, and what the job adds to it before the next look."""


@dataclass
class Script:
    """A machine whose job adds one chunk before each look, and has ended after the last."""

    chunks: list[Chunk]
    exit: Exit | None = field(default_factory=lambda: Exit(0))
    disk_is_full: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    signals: list[str] = field(default_factory=list)
    leases: list[bytes] = field(default_factory=list)

    def poll(self) -> Exit | None:
        if self.chunks:
            name, content = self.chunks.pop(0)
            self.files[name] = self.files.get(name, b"") + content
        if self.chunks:
            return None
        if self.exit is None:
            raise MachineLostError("m-1 is gone")
        return self.exit

    def read(self, path: str, offset: int = 0) -> bytes:
        return self.files.get(path, b"")[offset:]

    def write(self, target: str, content: bytes, mode: int = 0o644) -> None:
        assert target == LEASE
        if self.disk_is_full:
            raise SyncError("lease: No space left on device")
        self.leases.append(content)

    def signal(self, name: Literal["TERM", "KILL"]) -> None:
        self.signals.append(name)

    def put(self, source: Path, target: str, exclude: Sequence[str] = ()) -> None:
        raise AssertionError("a watch sends nothing in")

    def start(self) -> None:
        raise AssertionError("a watch starts nothing")

    def get(self, source: str, target: Path) -> None:
        raise AssertionError("a watch brings nothing home")


class Ticking:
    """A clock that moves on by `step` at each look, from 1000 on."""

    def __init__(self, step: float = 1.0) -> None:
        self.now, self.step = 1000.0 - step, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


class Hasty(Stop):
    """A stop that never waits; `plan` holds the presses that come after each look."""

    def __init__(self, plan: list[int] | None = None) -> None:
        super().__init__()
        self._plan = plan or []

    def wait(self, seconds: float) -> None:
        self.presses += self._plan.pop(0) if self._plan else 0


LIVE = Live("demo-1a2b", "fake", Decimal("3.60"), began=1000.0)


def watched(
    script: Script,
    presses: list[int] | None = None,
    secrets: dict[str, str] | None = None,
    live: Live = LIVE,
    tick: float = 1.0,
) -> tuple[Record, Ending]:
    screen = Record()
    watch = Watch(script, screen, Hasty(presses), live, secrets or {}, Ticking(tick))
    return screen, watch.until_end()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_the_log_is_shown_in_whole_lines(size: int) -> None:
    """However the reads cut it, inside of letters too; the last line needs no end."""
    content = "eins\nzwölf 太大\nthe last".encode()
    chunks = [(LOG, content[at : at + size]) for at in range(0, len(content), size)]
    screen, _ = watched(Script(chunks))
    assert "\n".join(screen.logs) == "eins\nzwölf 太大\nthe last"


@pytest.mark.parametrize("size", [1, 4, 100])
def test_a_secret_that_the_reads_cut_is_hidden(size: int) -> None:
    """By its name, wherever the cut falls; in warnings and in the last word too."""
    content = b"the token is hunter2-and-more\n"
    events = (
        b'{"t":1,"kind":"warning","text":"hunter2-and-more?"}\n'
        b'{"t":2,"kind":"error","text":"bad: hunter2-and-more","hint":"","code":6}\n'
    )
    chunks = [(LOG, content[at : at + size]) for at in range(0, len(content), size)]
    script = Script([(EVENTS, events), *chunks], Exit(6))
    screen, ending = watched(script, secrets={"TOKEN": "hunter2-and-more"})
    assert screen.logs == ["the token is [TOKEN]"]
    assert screen.notes == ["[TOKEN]?"]
    assert ending.detail == "bad: [TOKEN]"


def test_the_jobs_phases_are_in_the_live_line_only() -> None:
    """The log tells them already; the run's own phases are what the screen lists."""
    script = Script([(EVENTS, b'{"t":1,"kind":"phase","phase":"load"}\n'), (LOG, b""), (LOG, b"")])
    screen, _ = watched(script)
    assert screen.phases == []
    assert screen.lives[-1].phase == "load"


def test_the_lease_is_renewed() -> None:
    """At once and then every ten seconds, not at every look."""
    script = Script([(LOG, b"")] * 26)
    watched(script)
    first, second, third = (float(lease) for lease in script.leases)
    assert (second - first, third - second) == (LEASE_EVERY, LEASE_EVERY)


def test_a_full_disk_does_not_end_the_watch() -> None:
    """A lease that cannot be written is noted once; the job may get over it, and saves its work."""
    screen, ending = watched(Script([(LOG, b"x\n")] * 40, disk_is_full=True))
    assert screen.notes == ["the lease cannot be renewed: lease: No space left on device"]
    assert ending == Ending(0, "done")


@pytest.mark.parametrize(
    ("presses", "signals"),
    [([], []), ([1], ["TERM"]), ([1, 1], ["TERM", "KILL"]), ([2], ["KILL"]), ([0, 1, 0], ["TERM"])],
)
def test_presses_are_passed_on_once(presses: list[int], signals: list[str]) -> None:
    """One asks for a checkpoint, two end the job; none is sent again."""
    script = Script([(LOG, b"")] * 6)
    watched(script, presses)
    assert script.signals == signals


def test_the_budget_stops_the_job_once() -> None:
    """When it is spent the job is asked to stop, and its end says why."""
    script = Script([(LOG, b"")] * 10, Exit(75))
    live = replace(LIVE, max_cost=Decimal("0.004"))
    screen, ending = watched(script, live=live)
    assert script.signals == ["TERM"]
    assert ending == Ending(75, "budget", "$0.004 are spent")
    assert len(screen.notes) == 1


def test_a_job_that_was_done_before_its_budget_ended_it_is_done() -> None:
    """It was asked to stop, and had finished: nothing is missing."""
    live = replace(LIVE, max_cost=Decimal("0.004"))
    _, ending = watched(Script([(LOG, b"")] * 10, Exit(0)), live=live)
    assert ending == Ending(0, "done")


def test_a_machine_that_goes_away_loses_no_words() -> None:
    """What it had said is shown, the half line too, and its end is told as lost."""
    screen, ending = watched(Script([(LOG, b"one\ntw"), (LOG, b"o"), (LOG, b"!")], None))
    assert screen.logs == ["one", "two"]
    assert (ending.code, ending.reason, ending.detail) == (137, "lost", "m-1 is gone")


@pytest.mark.parametrize(
    ("exit_", "said", "ending"),
    [
        (Exit(0), b"", Ending(0, "done")),
        (Exit(75), b"", Ending(75, "preempted")),
        (Exit(137), b"", Ending(137, "killed", "it was killed from outside")),
        (Exit(3), b"", Ending(3, "failed", "exit code 3")),
        (Exit(0, True), b"", Ending(0, "done")),
        (Exit(137, True), b"", Ending(137, "oom", "the kernel ended it: out of memory")),
        (
            Exit(6),
            b'{"t":1,"kind":"error","text":"no","hint":"do"}\n'
            b'{"t":2,"kind":"end","code":6,"reason":"failed"}\n',
            Ending(6, "failed", "no", "do"),
        ),
        (Exit(75), b'{"t":2,"kind":"end","code":75,"reason":"lease"}', Ending(75, "lease")),
    ],
)
def test_the_ending_is_what_the_job_said_of_it(exit_: Exit, said: bytes, ending: Ending) -> None:
    """Its own words first, its exit code where it could not say any; a last line needs no end."""
    assert watched(Script([(EVENTS, said)], exit_))[1] == ending


@dataclass
class Silent(Script):
    """A machine that nobody can ask for the first `silent` looks."""

    silent: int = 0

    def poll(self) -> Exit | None:
        if self.silent:
            self.silent -= 1
            raise UnreachableError("the engine does not answer")
        return super().poll()


def test_a_place_that_comes_back_loses_nothing() -> None:
    """An engine that is restarted is waited for, and said once."""
    screen, ending = watched(Silent([(LOG, b"still here\n")], silent=20))
    assert ending.reason == "done"
    assert screen.logs == ["still here"]
    assert screen.notes == ["the engine does not answer; waiting for it to come back"]


@pytest.mark.parametrize(("silent", "presses"), [(1000, []), (30, [0, 1])])
def test_a_place_that_stays_silent_ends_the_watch(silent: int, presses: list[int]) -> None:
    """After a minute, or when the user will not wait: the job may live, so nothing is torn down."""
    with pytest.raises(UnreachableError):
        watched(Silent([(LOG, b"")], silent=silent), presses=presses)
