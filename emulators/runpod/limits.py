"""Requests per minute, hour and day, and the headers that tell what is left of them."""

import threading
from dataclasses import dataclass, field

WINDOWS = {"minute": 60, "hour": 3600, "day": 86400}
QUOTAS = {"minute": 6000, "hour": 200_000, "day": 2_000_000}
"""Generous, for tests ask often; RunPod's are set for each account, and told in each answer."""


@dataclass
class Limits:
    quotas: dict[str, int] = field(default_factory=lambda: dict(QUOTAS))
    _used: dict[str, tuple[int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, now: float) -> str | None:
        """Count a request; the window that has no room for it, the longest first."""
        with self._lock:
            full = [name for name in self.quotas if self._left(name, now) <= 0]
            if full:
                return max(full, key=WINDOWS.__getitem__)
            for name in self.quotas:
                number = int(now // WINDOWS[name])
                self._used[name] = (number, self._count(name, now) + 1)
            return None

    def headers(self, now: float) -> dict[str, str]:
        """As the IETF's draft has them; RunPod sends them with every authenticated answer."""
        left = [f'"{name}";r={self._left(name, now)};t={_reset(name, now)}' for name in self.quotas]
        policy = [f'"{name}";q={quota};w={WINDOWS[name]}' for name, quota in self.quotas.items()]
        return {"RateLimit": ", ".join(left), "RateLimit-Policy": ", ".join(policy)}

    def retry_after(self, window: str, now: float) -> int:
        return _reset(window, now)

    def _left(self, name: str, now: float) -> int:
        return max(0, self.quotas[name] - self._count(name, now))

    def _count(self, name: str, now: float) -> int:
        number, count = self._used.get(name, (0, 0))
        return count if number == int(now // WINDOWS[name]) else 0


def _reset(name: str, now: float) -> int:
    return max(1, int(WINDOWS[name] - now % WINDOWS[name]))
