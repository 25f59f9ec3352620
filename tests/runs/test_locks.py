"""A lock is held as long as its holder lives, and not a moment longer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from longshore.errors import BusyError, LedgerError
from longshore.runs import locks

HOLDER = """
import sys, time
from longshore.runs import locks
with locks.hold("run-1", "run 1"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder() -> Iterator[subprocess.Popen[bytes]]:
    """Another process that holds the lock."""
    child = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with child:
        yield child
        child.kill()


def test_a_living_process_holds_its_lock(holder: subprocess.Popen[bytes]) -> None:
    """Others see that it is held and by whom, and are told when they want it."""
    assert locks.is_held("run-1")
    assert locks.holder_pid("run-1") == holder.pid
    with (
        pytest.raises(BusyError, match=f"run 1 is busy: process {holder.pid} has held it for 0"),
        locks.hold("run-1", "run 1"),
    ):
        pass


def test_a_killed_process_holds_nothing(holder: subprocess.Popen[bytes]) -> None:
    """After kill -9 the kernel has freed the lock, and the next command has it."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert not locks.is_held("run-1")
    with locks.hold("run-1", "run 1"):
        assert locks.holder_pid("run-1") == os.getpid()


def test_a_lock_that_nobody_took_is_free() -> None:
    """Asking makes no file."""
    assert not locks.is_held("never")
    assert locks.holder_pid("never") is None


def test_a_block_that_ends_frees_its_lock() -> None:
    """Also one that ends with an error."""
    with pytest.raises(ValueError, match="inside"), locks.hold("run-1", "run 1"):
        raise ValueError("inside")
    assert not locks.is_held("run-1")


def test_a_holder_that_has_said_nothing_yet_is_named_so(tmp_path: Path) -> None:
    """Between the lock and the note of who has it, there is no name to tell."""
    with locks.hold("run-1", "run 1"):
        (tmp_path / "state" / "locks" / "run-1.lock").write_text("")
        with pytest.raises(BusyError, match="just begun"), locks.hold("run-1", "run 1"):
            pass


def test_a_state_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """One line with the path and the way out, as for the ledger."""
    (tmp_path / "state").write_text("a file in the way")
    with pytest.raises(LedgerError, match="Not a directory") as caught, locks.hold("a", "a"):
        pass
    assert "LONGSHORE_STATE" in caught.value.hint


LOOKING = """
from longshore.runs import locks
print("looking", flush=True)
while True:
    locks.is_held("run-1")
"""


def test_a_look_does_not_keep_the_holder_out() -> None:
    """Another command that lists runs has the lock for an instant: it is waited for."""
    with locks.hold("run-1", "run 1"):
        child = subprocess.Popen([sys.executable, "-c", LOOKING], stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"looking\n"
        for _ in range(200):
            with locks.hold("run-1", "run 1"):
                pass
        child.kill()
