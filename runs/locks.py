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
from ..errors import BusyError, LedgerError

PATIENCE = 0.3
"""Seconds in which a lock is tried again: `is_held` of another command has it for an instant."""


@contextmanager
def hold(name: str, what: str) -> Iterator[None]:
    """Hold the lock `name` for the length of the block.

    Raises:
        BusyError: another process holds it; the message says who, and since when.
        LedgerError: the state folder cannot be written.
    """
    path = _path(name)
    with _opened(path) as file:
        if not _try_patiently(file):
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
    with _opened(path) as file:
        return not _try_lock(file)


def holder_pid(name: str) -> int | None:
    """The process that holds the lock, or None."""
    while is_held(name):
        if text := _path(name).read_text():
            return int(json.loads(text)["pid"])
        time.sleep(0.01)
    return None


def _path(name: str) -> Path:
    return folders.state() / "locks" / f"{name}.lock"


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path.open("a+")
    except OSError as error:
        hint = "LONGSHORE_STATE can name another folder"
        raise LedgerError(f"{path}: {error.strerror}", hint) from error


def _try_patiently(file: IO[str]) -> bool:
    until = time.monotonic() + PATIENCE
    while not (locked := _try_lock(file)) and time.monotonic() < until:
        time.sleep(0.02)
    return locked


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
