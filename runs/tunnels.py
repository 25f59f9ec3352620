"""Exposed services of a machine, led to ports of this one through ssh; nothing is public."""

import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from ..configs.container import PORTS
from ..providers.base import Host, Reaches


@contextmanager
def exposed(
    host: Host, services: Sequence[str], tokens: Mapping[str, str], note: Callable[[str], None]
) -> Iterator[None]:
    """Tunnels to the services for the length of the block; `note` hears where each one is."""
    with ExitStack() as stack:
        if isinstance(host, Reaches):
            ports = {free_port(PORTS[name]): name for name in services if name in PORTS}
            if ports:
                words = host.tunnel({here: PORTS[name] for here, name in ports.items()})
                stack.enter_context(_child(words))
            for here, name in ports.items():
                note(f"{name}: {address(name, here, tokens)}")
        yield


def address(service: str, port: int, tokens: Mapping[str, str]) -> str:
    """Where a browser finds a service."""
    token = tokens.get(service, "")
    return f"http://127.0.0.1:{port}/" + (f"?token={token}" if token else "")


def free_port(wanted: int) -> int:
    """The wanted port of this machine where it is free, else any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return wanted


@contextmanager
def _child(words: Sequence[str]) -> Iterator[None]:
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        try:
            yield
        finally:
            child.terminate()
