"""What a pod printed and what its host did with it; it outlives the container."""

import threading
from dataclasses import dataclass, field

from .clock import Clock, stamp

SOURCES = ("container", "system")


@dataclass(frozen=True)
class Line:
    number: int
    at: float
    source: str
    text: str

    @property
    def event_id(self) -> str:
        return f"{stamp(self.at)}/{self.number:012d}"


@dataclass
class Log:
    """Lines of both sources in the order in which they came."""

    clock: Clock
    lines: list[Line] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, source: str, text: str) -> None:
        with self.lock:
            self.lines.append(Line(len(self.lines) + 1, self.clock.now(), source, text))

    def after(self, number: int, sources: tuple[str, ...]) -> list[Line]:
        with self.lock:
            return [line for line in self.lines[number:] if line.source in sources]

    def tail(self, count: int, sources: tuple[str, ...]) -> list[Line]:
        """The last `count` lines of each source."""
        with self.lock:
            kept = [line for source in sources for line in self._last(source, count)]
        return sorted(kept, key=lambda line: line.number)

    def since(self, moment: float, sources: tuple[str, ...]) -> list[Line]:
        return [line for line in self.after(0, sources) if line.at >= moment]

    def _last(self, source: str, count: int) -> list[Line]:
        return [line for line in self.lines if line.source == source][-count:] if count else []
