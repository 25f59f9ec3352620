"""The words of every command that reaches into a machine; nothing here runs one."""

import hashlib
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from . import sockets
from .address import Address
from .keys import ALIAS, Keys

Channel = Literal["talk", "files"]
"""Two connections are kept: a transfer fills its own, so that a short question never waits."""

CONNECT_SECONDS: Final = 10
PARTIAL: Final = ".longshore-partial"
"""Beside each file that was cut on its way: where the next try goes on."""

_OPTIONS: Final = {
    "BatchMode": "yes",
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    "PreferredAuthentications": "publickey",
    "StrictHostKeyChecking": "yes",
    "HostKeyAlias": ALIAS,
    "HostKeyAlgorithms": "ssh-ed25519",
    "GlobalKnownHostsFile": "/dev/null",
    "UpdateHostKeys": "no",
    "Ciphers": "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com",
    "ConnectTimeout": str(CONNECT_SECONDS),
    "ServerAliveInterval": "5",
    "ServerAliveCountMax": "3",
    "LogLevel": "ERROR",
}


@dataclass(frozen=True)
class Connection:
    """A machine's address and its keys. Neither settings nor keys of the user's own interfere."""

    address: Address
    keys: Keys

    def ssh_words(self, command: str, channel: Channel = "talk") -> list[str]:
        """One command there (text for its shell), over a connection that is shared and kept."""
        return [*self._shared(channel), "--", self.address.login, command]

    def rsync_words(self, options: Sequence[str], source: str, target: str) -> list[str]:
        """One copy. Paths there are made by `Address.remote`; their names may hold anything."""
        shell = " ".join(_for_rsync(word) for word in self._shared("files"))
        fixed = ["--protect-args", "--timeout=60", f"--partial-dir={PARTIAL}"]
        return ["rsync", "-e", shell, *fixed, *options, "--", source, target]

    def shell_words(self, words: Sequence[str] = ()) -> list[str]:
        """A shell or one command there, over a connection that ends with it."""
        command = [shlex.join(words)] if words else []
        return [*self._ssh(), "--", self.address.login, *command]

    def tunnel_words(self, ports: Mapping[int, int]) -> list[str]:
        """Ports of this machine's 127.0.0.1 led to ports of that one's, until the command ends."""
        leads = [f"127.0.0.1:{here}:127.0.0.1:{there}" for here, there in ports.items()]
        forwards = [word for lead in leads for word in ("-L", lead)]
        options = ["-N", "-o", "ExitOnForwardFailure=yes"]
        return [*self._ssh(), *options, *forwards, "--", self.address.login]

    def close_words(self, channel: Channel) -> list[str]:
        """End a shared connection at once, with all that uses it."""
        return [*self._shared(channel), "-O", "exit", "--", self.address.login]

    def control(self, channel: Channel) -> Path:
        """The socket of a shared connection."""
        facts = f"{self.keys.folder}\0{self.address.login}\0{self.address.port}\0{channel}"
        return sockets.folder() / hashlib.sha256(os.fsencode(facts)).hexdigest()[:16]

    def _shared(self, channel: Channel) -> list[str]:
        kept = {
            "ControlMaster": "auto",
            "ControlPath": _for_ssh(self.control(channel)),
            "ControlPersist": "60",
        }
        return [*self._ssh(), *_flags(kept)]

    def _ssh(self) -> list[str]:
        files = {
            "IdentityFile": _for_ssh(self.keys.identity),
            "UserKnownHostsFile": _for_ssh(self.keys.known_hosts),
        }
        port = ["-p", str(self.address.port)]
        return ["ssh", "-F", "/dev/null", *port, *_flags(_OPTIONS | files)]


def _flags(options: Mapping[str, str]) -> list[str]:
    return [word for name, value in options.items() for word in ("-o", f"{name}={value}")]


def _for_ssh(path: Path) -> str:
    """A path as ssh_config(5) reads it: in quotes, and a percent sign is no token."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'


def _for_rsync(word: str) -> str:
    """A word as rsync(1) splits its `-e`: in quotes, one within them doubled."""
    return "'" + word.replace("'", "''") + "'"
