"""What goes on beside the main thread ends with its block and never raises there."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from longshore.configs.container import LEASE
from longshore.errors import SyncError
from longshore.providers.base import Exit
from longshore.runs.background import beating, repeating


class Work:
    """Something that is done `times` times before it lets the test go on."""

    def __init__(self, times: int, *faults: Exception) -> None:
        self.calls = 0
        self.times = times
        self.faults = list(faults)
        self.reached = threading.Event()

    def __call__(self) -> None:
        self.calls += 1
        if self.calls >= self.times:
            self.reached.set()
        if self.faults:
            raise self.faults.pop(0)


def test_it_is_done_again_and_again_until_the_block_ends() -> None:
    """And not once after that."""
    work = Work(3)
    with repeating(work, 0.001):
        assert work.reached.wait(10)
    calls = work.calls
    assert not threading.Event().wait(0.05)
    assert work.calls == calls


@pytest.mark.parametrize("fault", [SyncError("cut off"), OSError("cut off")])
def test_a_fault_is_told_and_tried_again(fault: Exception) -> None:
    """It is kept for whoever asks, until a round goes well."""
    work = Work(1, fault)
    with repeating(work, 0.001) as repeated:
        assert work.reached.wait(10)
        while work.calls < 3:
            pass
        assert repeated.fault() == ""
    stuck = Work(2, fault, fault, fault, fault)
    with repeating(stuck, 0.001) as repeated:
        assert stuck.reached.wait(10)
    assert repeated.fault() == "cut off"


class Heard:
    """A machine that hears signs of life and nothing else."""

    def __init__(self) -> None:
        self.beats = threading.Event()

    def write(self, target: str, content: bytes, mode: int = 0o644) -> None:
        assert (target, float(content) > 0) == (LEASE, True)
        self.beats.set()

    def put(self, source: Path, target: str, exclude: Sequence[str] = ()) -> None: ...

    def get(self, source: str, target: Path) -> None: ...

    def start(self) -> None: ...

    def poll(self) -> Exit | None: ...

    def read(self, path: str, offset: int = 0) -> bytes:
        return b""

    def signal(self, name: Literal["TERM", "KILL"]) -> None: ...


def test_a_machine_hears_at_once_that_somebody_is_there() -> None:
    """While files travel nobody else would tell it, and it would end itself."""
    host = Heard()
    with beating(host):
        assert host.beats.wait(10)
