"""The way into a pod: an sshd of our own settings, with keys that were known before it booted."""

import base64
import binascii
import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..configs import container
from .kept import Command

SSHD: Final = "/usr/sbin/sshd"
FOLDER: Final = Path("/run/longshore")
SEPARATION: Final = Path("/run/sshd")
"""sshd does not start without this empty folder."""
PID: Final = FOLDER / "sshd.pid"
LOG: Final = "sshd.log"


def settings(folder: Path = FOLDER) -> str:
    """The text of sshd_config: keys only, one host key, and tunnels to this machine only.

    Each copy, watcher and tunnel is a session of one shared connection, so many are let in.
    """
    lines = {
        "Port": "22",
        "HostKey": folder / "host_key",
        "PidFile": folder / PID.name,
        "AuthorizedKeysFile": ".ssh/authorized_keys",
        "PermitRootLogin": "prohibit-password",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "UsePAM": "no",
        "AllowTcpForwarding": "local",
        "AllowAgentForwarding": "no",
        "X11Forwarding": "no",
        "MaxSessions": "100",
        "MaxStartups": "100",
        "ClientAliveInterval": "30",
        "ClientAliveCountMax": "10",
        "PrintMotd": "no",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def prepare(environ: Mapping[str, str], logs: Path) -> Command:
    """Write keys and settings; the sshd that they are for.

    Raises ValueError, with the reason, where nobody could log in; OSError when the disk says no.
    """
    keys = [
        line.strip() for line in environ.get(container.PUBLIC_KEY, "").splitlines() if line.strip()
    ]
    if not keys:
        raise ValueError(f"{container.PUBLIC_KEY} holds no key")
    host_key = _host_key(environ.get(container.HOST_KEY, ""))
    if os.geteuid() != 0:
        raise ValueError("ssh needs root: run the container as root")
    if not Path(SSHD).exists():
        raise ValueError(f"there is no {SSHD}: install openssh-server")
    # The image sets HOME for jobs; sshd looks into the home of the account.
    allow(keys, Path(pwd.getpwuid(0).pw_dir))
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    SEPARATION.mkdir(mode=0o755, parents=True, exist_ok=True)
    _write_private(FOLDER / "host_key", host_key)
    _write_private(FOLDER / "sshd_config", settings().encode())
    argv = (SSHD, "-D", "-e", "-f", str(FOLDER / "sshd_config"))
    path = {"PATH": environ.get("PATH", os.defpath)}
    return Command("sshd", argv, Path("/"), logs / LOG, path)


def allow(keys: list[str], home: Path) -> None:
    """Let these keys log in, besides those that may."""
    file = home / ".ssh/authorized_keys"
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.parent.chmod(0o700)
    known = file.read_text().splitlines() if file.exists() else []
    new = [key for key in dict.fromkeys(keys) if key not in known]
    _write_private(file, "".join(f"{line}\n" for line in [*known, *new]).encode())


def running() -> bool:
    """Whether an sshd of these settings lives already, as one that `boot.sh` left to us."""
    try:
        number = int(PID.read_text())
        return Path(f"/proc/{number}/comm").read_text().strip() == "sshd"
    except (OSError, ValueError):
        return False


def _host_key(encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if b"PRIVATE KEY" not in key:
        raise ValueError(f"{container.HOST_KEY} is no key in base64")
    return key


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
