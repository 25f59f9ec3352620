"""Faults to order: an answer that is wrong, late, lost, or cut in the middle."""

import re
import threading
from dataclasses import dataclass, field, replace

KINDS = ("answer", "drop", "lost", "cut", "slow")


@dataclass(frozen=True)
class Fault:
    """Befalls the next `times` requests that match.

    answer  `status` and `detail` (or `body`) instead of doing it
    drop    the connection breaks before anything was done
    lost    it is done, and the connection breaks instead of an answer
    cut     it is done, and the answer breaks off after `after` bytes of its body
    slow    it is done, `delay` seconds later (any kind can have a delay)
    """

    kind: str = "answer"
    method: str = ".*"
    path: str = ".*"
    contains: str = ""
    """Text that the body of the request has, as `podTerminate` of GraphQL."""
    times: int = 1
    skip: int = 0
    """How many matching requests pass before."""
    status: int = 500
    detail: str = "upstream error"
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Real seconds."""
    after: int = 0

    def matches(self, method: str, path: str, body: bytes) -> bool:
        return (
            re.fullmatch(self.method, method) is not None
            and re.fullmatch(self.path, path) is not None
            and self.contains.encode() in body
        )


@dataclass
class Faults:
    """Those that still wait; the oldest that matches comes first."""

    waiting: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        with self._lock:
            self.waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self.waiting.clear()

    def take(self, method: str, path: str, body: bytes) -> Fault | None:
        with self._lock:
            for place, fault in enumerate(self.waiting):
                if not fault.matches(method, path, body):
                    continue
                if fault.skip:
                    self.waiting[place] = replace(fault, skip=fault.skip - 1)
                    continue
                self._use(place, fault)
                return fault
        return None

    def _use(self, place: int, fault: Fault) -> None:
        if fault.times > 1:
            self.waiting[place] = replace(fault, times=fault.times - 1)
        else:
            del self.waiting[place]
