"""Exposed services are led to this machine for as long as a block lasts, and to it alone."""

import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from longshore.runs.tunnels import address, exposed, free_port

from .test_background import Heard

LISTEN = (
    "import socket,sys,time;s=socket.create_server(('127.0.0.1',int(sys.argv[1])));"
    "open(sys.argv[2],'w').close();time.sleep(600)"
)


class Led(Heard):
    """A machine whose tunnel is a listener on the first of the ports asked for."""

    def __init__(self, mark: Path) -> None:
        super().__init__()
        self.mark = mark
        self.asked: dict[int, int] = {}

    def shell(self, words: Sequence[str] = ()) -> list[str]:
        return []

    def tunnel(self, ports: Mapping[int, int]) -> list[str]:
        self.asked = dict(ports)
        return [sys.executable, "-c", LISTEN, str(next(iter(ports))), str(self.mark)]


def test_each_service_is_told_with_its_token(tmp_path: Path) -> None:
    """The user gets addresses to open; the tunnel ends with the block."""
    host, notes = Led(tmp_path / "up"), list[str]()
    with exposed(host, ("jupyter", "tensorboard", "ssh"), {"jupyter": "t0ken"}, notes.append):
        while not host.mark.exists():
            pass
        here = {there: port for port, there in host.asked.items()}
        assert notes == [
            f"jupyter: http://127.0.0.1:{here[8888]}/?token=t0ken",
            f"tensorboard: http://127.0.0.1:{here[6006]}/",
        ]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", here[8888]))


@pytest.mark.parametrize("services", [(), ("ssh",)])
def test_nothing_to_lead_starts_nothing(tmp_path: Path, services: tuple[str, ...]) -> None:
    """A shell needs no tunnel."""
    host = Led(tmp_path / "up")
    with exposed(host, services, {}, lambda _text: None):
        assert host.asked == {}


def test_a_port_that_is_taken_is_not_taken_again() -> None:
    """Another one is found; a free one is kept."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert free_port(port) != port
    assert free_port(port) == port
    assert address("tensorboard", 6006, {}) == "http://127.0.0.1:6006/"
