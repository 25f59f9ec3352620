"""Whose machines these are: a mark every machine of this ledger carries.

It names the state folder, not only the user: on an engine or an account that several people or
ledgers share, garbage collection ends only what this ledger started.
"""

import getpass
import os
import secrets
import socket
from pathlib import Path

from ..configs import folders
from ..errors import LedgerError


def owner() -> str:
    """`user@host/id`; the id is made once for each state folder."""
    path = folders.state() / "owner"
    try:
        return path.read_text().strip() if path.exists() else _made(path)
    except OSError as error:
        raise LedgerError(
            f"{path}: {error.strerror}", "LONGSHORE_STATE can name another folder"
        ) from error


def _made(path: Path) -> str:
    """The link makes it whole at once: of two first commands, both read the same mark."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".owner-{secrets.token_hex(4)}")
    fresh.write_text(f"{_user()}@{socket.gethostname()}/{secrets.token_hex(4)}")
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_text()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
