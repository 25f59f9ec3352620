"""Tells what the worker does: as events for machines, as lines for people, and how long it took."""

import time
from collections.abc import Callable

from .events import Events, Value, render

Print = Callable[[str], None]


class Story:
    """One worker's account of itself; `seconds` holds the time spent in each phase."""

    def __init__(self, events: Events, show: Print = print) -> None:
        self._events, self._show = events, show
        self._phase, self._began = "", time.monotonic()
        self.seconds: dict[str, float] = {}

    def tell(self, kind: str, **fields: Value) -> None:
        self._events.emit(kind, **fields)
        line = render({"kind": kind, **fields})
        if line:
            self._show(line)

    def warn(self, text: str) -> None:
        self.tell("warning", text=text)

    def enter(self, phase: str) -> None:
        """Begin a phase; the time until now belongs to the one before."""
        now = time.monotonic()
        if self._phase:
            spent = self.seconds.get(self._phase, 0.0) + now - self._began
            self.seconds[self._phase] = round(spent, 3)
        self._phase, self._began = phase, now
        self.tell("phase", phase=phase)
