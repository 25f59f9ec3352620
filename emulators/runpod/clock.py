"""The emulator's clock: real time plus what was skipped, so that an hour can pass at once."""

import threading
import time
from datetime import UTC, datetime

LONGEST = 3600.0
"""Seconds of one wait: threads cannot wait for ever by a number."""


class Clock:
    """Seconds since 1970; whoever waits on it wakes when time is skipped."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._moved = threading.Condition()

    def now(self) -> float:
        return time.time() + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip that many seconds."""
        with self._moved:
            self._skipped += seconds
            self._moved.notify_all()

    def ring(self) -> None:
        """Wake all who wait, so that they look whether they were called off."""
        with self._moved:
            self._moved.notify_all()

    def wait_until(self, moment: float, over: threading.Event) -> bool:
        """Whether the moment came before `over` was set (see `ring`)."""
        with self._moved:
            while not over.is_set():
                left = moment - self.now()
                if left <= 0:
                    return True
                self._moved.wait(min(left, LONGEST))
        return False


def stamp(moment: float) -> str:
    """RFC 3339 in UTC, with whole seconds, as RunPod writes it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> float:
    """The reverse of `stamp`; raises ValueError for what is no date."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
