"""Where the shared connections of OpenSSH have their sockets: a short path that is ours alone."""

import os
import stat
from pathlib import Path

from ...errors import ProviderError

_LONGEST = 60
"""Bytes of a folder's name: the socket's own adds 34, and a unix socket's path ends at 104."""


def folder() -> Path:
    """The folder as a value; `prepare` makes it."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and len(os.fsencode(runtime)) <= _LONGEST - len("/longshore"):
        return Path(runtime, "longshore")
    return Path(f"/tmp/longshore-{os.getuid()}")


def prepare() -> None:
    """Make the folder; raises ProviderError where it is not ours alone."""
    at = folder()
    try:
        at.mkdir(mode=0o700, exist_ok=True)
        facts = at.lstat()
    except OSError as error:
        raise ProviderError(f"{at}: {error.strerror}", "set XDG_RUNTIME_DIR to a folder") from error
    ours = stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.getuid()
    if not ours or facts.st_mode & 0o077:
        raise ProviderError(
            f"{at} is open to others, so no connection may be kept there",
            "set XDG_RUNTIME_DIR to a folder of your own",
        )
