"""Answers kept for a short time, so that a plan and its dry run ask RunPod once."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from ...configs import folders
from ..atomic import write_whole

FRESH: Final = 20.0
"""Seconds for which stock and prices count as they were told."""


def cached(
    name: str, ask: Callable[[], Any], clock: Callable[[], float] = time.time
) -> tuple[Any, bool]:
    """What `ask` answers or has answered a moment ago, and whether it was kept.

    A damaged or unwritable file is passed over: it can be made again.
    """
    path = _path(name)
    kept = _kept(path, clock())
    if kept is not None:
        return kept, True
    answer = ask()
    try:
        write_whole(path, json.dumps({"at": clock(), "answer": answer}).encode())
    except OSError:
        return answer, False
    return answer, False


def _kept(path: Path, now: float) -> Any:
    try:
        found = json.loads(path.read_text())
        return found["answer"] if 0 <= now - found["at"] < FRESH else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(name: str) -> Path:
    return folders.cache() / "runpod" / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.json"
