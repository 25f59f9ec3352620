"""Stop or end a run from another terminal."""

import os
import signal
import time
from contextlib import suppress

from ..errors import BusyError
from . import gc, locks
from .gc import Sweep
from .records import Run

PATIENCE = 120.0


def stop(sweep: Sweep, run: Run) -> None:
    """Stop the run with a checkpoint; its own command, if it lives, does the rest.

    Raises:
        BusyError: its command did not come to an end in two minutes.
    """
    _end(sweep, run, presses=1)


def down(sweep: Sweep, run: Run) -> None:
    """End the run's machine now; outputs that cannot be brought home are given up."""
    _end(sweep, run, presses=2)


def _end(sweep: Sweep, run: Run, presses: int) -> None:
    if locks.is_held(run.id):
        _press(run, presses)
        _await_release(run)
    for leftover in gc.find(sweep):
        if leftover.run is not None and leftover.run.id == run.id:
            gc.settle(sweep, leftover, give_up_outputs=presses > 1)


def _press(run: Run, presses: int) -> None:
    """As Ctrl-C in its terminal; a command that has ended meanwhile needs none."""
    for _ in range(presses):
        if pid := locks.holder_pid(run.id):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        time.sleep(0.5)


def _await_release(run: Run) -> None:
    until = time.monotonic() + PATIENCE
    while locks.is_held(run.id):
        if time.monotonic() > until:
            raise BusyError(f"run {run.id} has not come to its end yet", "see `longshore logs -f`")
        time.sleep(0.1)
