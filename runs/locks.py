"""Who watches a run: a lock the kernel frees when its holder dies, even by kill -9."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..configs import folders
from ..errors import BusyError


@contextmanager
def hold(name: str, what: str) -> Iterator[None]:
    """Hold the lock `name` for the length of the block.

    Raises:
        BusyError: another process holds it; the message says who, and since when.
    """
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a+") as file:
        if not _try_lock(file):
            raise BusyError(f"{what} is busy: {_holder(path)}", "`longshore ps` shows it")
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "since": time.time()}))
        file.flush()
        yield


def is_held(name: str) -> bool:
    """Whether a living process holds the lock."""
    path = _path(name)
    if not path.exists():
        return False
    with path.open("a+") as file:
        return not _try_lock(file)


def holder_pid(name: str) -> int | None:
    """The process that holds the lock, or None."""
    if not is_held(name):
        return None
    return int(json.loads(_path(name).read_text() or '{"pid": 0}')["pid"])


def _path(name: str) -> Path:
    return folders.state() / "locks" / f"{name}.lock"


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text())
    except ValueError:
        return "another command has just begun"
    minutes = int((time.time() - who["since"]) / 60)
    return f"process {who['pid']} has held it for {minutes} min"
