"""What ends a training from inside its container: the deadline, and a lease nobody renews."""

import time
from collections.abc import Callable
from pathlib import Path

Clock = Callable[[], float]


class Deadline:
    """Passes `seconds` after it was made."""

    def __init__(self, seconds: float, clock: Clock = time.monotonic) -> None:
        self._end = clock() + seconds
        self._clock = clock

    def passed(self) -> bool:
        return self._clock() >= self._end


class Lease:
    """Lapses when neither the lease file nor the training has moved for `seconds`.

    So a training that makes progress outlives a dead watcher, and one that hangs does not. Nothing
    is enforced until there is a lease file. Times are counted here: the machine's wall clock may
    jump.
    """

    def __init__(self, file: Path, seconds: float, clock: Clock = time.monotonic) -> None:
        self._file = file
        self._seconds = seconds
        self._clock = clock
        self._stamp = self._read()
        self._moved = clock()

    def progress(self) -> None:
        """The training has moved."""
        self._moved = self._clock()

    def lapsed(self) -> bool:
        stamp = self._read()
        if stamp != self._stamp:
            self._stamp = stamp
            self._moved = self._clock()
        return stamp is not None and self._clock() - self._moved > self._seconds

    def _read(self) -> int | None:
        try:
            return self._file.stat().st_mtime_ns
        except OSError:
            return None
