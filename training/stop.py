"""How a training is asked to stop: SIGTERM or SIGINT, answered by a checkpoint and exit 75."""

import signal
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)

EXIT_OUT_OF_MEMORY: Final = 79
"""The worker's word to the supervisor: the device's memory did not hold the micro-batch."""


class Stopped(BaseException):
    """Asked to stop at a moment when there is nothing new to save.

    Not an Exception, so that no library's `except Exception` keeps the worker alive.
    """


class Stop:
    """Turns the stop signals into a flag while steps are made, into `Stopped` at other times."""

    def __init__(self) -> None:
        self.requested = False
        self._deferred = False

    def listen(self) -> None:
        """Install the handlers, and let through what came while the worker started up."""
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def __enter__(self) -> "Stop":
        """From here a request waits for the next step's end; `requested` tells of it."""
        self._deferred = True
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Raises Stopped when the request came with the last step, which is saved."""
        self._deferred = False
        if self.requested and kind is None:
            raise Stopped

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
        if not self._deferred:
            raise Stopped
