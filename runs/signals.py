"""Ctrl-C, counted: once asks for a clean stop, twice ends the job now.

SIGTERM and SIGHUP count as one press each: a closed terminal must not leave a machine behind.
"""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..errors import CancelledError

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop:
    """How often the user asked to stop. In a `breaking` block a press ends the block at once."""

    def __init__(self) -> None:
        self.presses = 0
        self._breaks = False

    def press(self) -> None:
        """Count one press.

        Raises:
            CancelledError: a `breaking` block is active.
        """
        self.presses += 1
        if self._breaks:
            raise CancelledError("stopped by you before the job began")

    @contextmanager
    def breaking(self) -> Iterator[None]:
        """A block without a job to save: a press, even an earlier one, ends it at once."""
        self._breaks = True
        try:
            if self.presses:
                raise CancelledError("stopped by you before the job began")
            yield
        finally:
            self._breaks = False

    @contextmanager
    def listening(self) -> Iterator["Stop"]:
        """Take the process's stop signals for the length of the block."""
        before = {number: signal.signal(number, self._on_signal) for number in STOPPING}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def wait(self, seconds: float) -> None:
        """Sleep, but not past a press."""
        seen, until = self.presses, time.monotonic() + seconds
        while self.presses == seen and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.press()
