"""How many requests RunPod still takes, by the headers of its answers (RunPod, REST v2, 2026-08).

`RateLimit: "minute";r=176;t=1, "hour";r=7193;t=2701`: so many left in the window, which ends in t
seconds. Numbers are per account, so nothing is assumed about them.
"""

import re
from dataclasses import dataclass
from typing import Final

FEW: Final = 5
"""Requests left in a window from which on they are spread over the rest of it."""
LONGEST_PACE: Final = 10.0
"""Seconds that one request is held back at most before RunPod itself has said no."""

_WINDOW = re.compile(r'"?\w+"?\s*;\s*r=(\d+)\s*;\s*t=(\d+)')


@dataclass(frozen=True)
class Window:
    left: int
    seconds: int


def windows(header: str) -> list[Window]:
    """What a `RateLimit` header tells; nothing of one that reads otherwise."""
    return [Window(int(left), int(seconds)) for left, seconds in _WINDOW.findall(header)]


def pace(header: str) -> float:
    """Seconds to leave before the next request, so that the limit is not run into."""
    few = [one.seconds / (one.left + 1) for one in windows(header) if one.left <= FEW]
    return min(max(few, default=0.0), LONGEST_PACE)


def refused_for(header: str, retry_after: str) -> float:
    """Seconds to wait after a 429: what it says, or the longest of the windows that are empty."""
    empty = [one.seconds for one in windows(header) if one.left == 0]
    said = float(retry_after) if re.fullmatch(r"\d{1,6}", retry_after.strip()) else 0.0
    return max(said, *empty, 1.0)
