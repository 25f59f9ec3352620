"""What goes on beside a run's main thread: signs of life, and copies home while the job runs."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..configs.container import LEASE
from ..errors import LongshoreError
from ..providers.base import Host

BEAT = 10.0
"""Seconds between two signs of life; a machine that hears none for `guards.idle` ends itself."""


class Repeated:
    """Something done every so many seconds in a thread of its own, until it is ended.

    A fault is kept for the main thread to tell, and tried again in the next round.
    """

    def __init__(self, work: Callable[[], object], every: float, at_once: bool = False) -> None:
        self._work = work
        self._every = every
        self._pause = 0.0 if at_once else every
        self._over = threading.Event()
        self._fault = ""
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """No further round; one that is under way is waited for."""
        self._over.set()
        self._thread.join()

    def fault(self) -> str:
        """What went wrong in the last round; empty when it went well."""
        return self._fault

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            self._pause = self._every
            try:
                self._work()
                self._fault = ""
            except (LongshoreError, OSError) as error:
                self._fault = str(error)


@contextmanager
def repeating(
    work: Callable[[], object], every: float, at_once: bool = False
) -> Iterator[Repeated]:
    """Do it every so many seconds for the length of the block, the first time at once or then."""
    repeated = Repeated(work, every, at_once)
    repeated.begin()
    try:
        yield repeated
    finally:
        repeated.end()


@contextmanager
def beating(host: Host) -> Iterator[None]:
    """Show the machine that somebody is there, while files travel and nobody else does."""

    def beat() -> None:
        host.write(LEASE, str(time.time()).encode())

    # At once: the way to the machine is opened while the first files travel.
    with repeating(beat, BEAT, at_once=True):
        yield
