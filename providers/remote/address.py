"""Where a machine's sshd listens, and whether it answers there."""

import re
import socket
import time
from dataclasses import dataclass

from ...errors import ProviderError

_HOST = re.compile(r"[A-Za-z0-9:][A-Za-z0-9.:_-]*")
_GREETING = b"SSH-"
"""How a server's first line begins (RFC 4253, section 4.2)."""


@dataclass(frozen=True)
class Address:
    """Host (a name or an IP address), TCP port, and whom to log in as.

    Raises ProviderError for what cannot be a host or a port, whoever told it.
    """

    host: str
    port: int = 22
    user: str = "root"

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host) or not 0 < self.port < 65536:
            raise ProviderError(f"{self.host!r} with port {self.port} is no address")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def login(self) -> str:
        """The words `ssh` knows it by; the port is an option of its own."""
        return f"{self.user}@{self.host}"

    def remote(self, path: str) -> str:
        """A path there, in the words of `rsync`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:{path}"


def banner(address: Address, timeout: float) -> bool:
    """Whether an ssh server greets there within so many seconds; it is told nothing."""
    until = time.monotonic() + timeout
    try:
        with socket.create_connection((address.host, address.port), timeout) as stream:
            return _greeting(stream, until) == _GREETING
    except OSError:
        return False


def _greeting(stream: socket.socket, until: float) -> bytes:
    said = b""
    while len(said) < len(_GREETING):
        stream.settimeout(max(0.001, until - time.monotonic()))
        more = stream.recv(len(_GREETING) - len(said))
        if not more:
            break
        said += more
    return said
