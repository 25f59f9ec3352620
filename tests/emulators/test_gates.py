"""Public ports: proxies that can be late, move, stall and be cut."""

import socket
import threading
from collections.abc import Iterator

import pytest

from longshore.emulators.runpod.client import Emulator
from longshore.emulators.runpod.ports import Gate

from .conftest import Api, banner, until

MEGABYTE = bytes(1 << 20)


@pytest.fixture
def echo() -> Iterator[tuple[str, int]]:
    """A server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=repeat, args=(client,), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield ("127.0.0.1", int(listener.getsockname()[1]))
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    listener.close()


def repeat(client: socket.socket) -> None:
    with client:
        try:
            while data := client.recv(1 << 16):
                client.sendall(data)
        except OSError:
            return


@pytest.fixture
def gate(echo: tuple[str, int]) -> Iterator[Gate]:
    """An open port in front of the echo."""
    found = Gate(22, lambda: echo)
    found.open()
    yield found
    found.close()


def through(gate: Gate, data: bytes) -> bytes:
    """What comes back for it."""
    with socket.create_connection(("127.0.0.1", gate.public), 5) as line:
        sender = threading.Thread(target=send, args=(line, data))
        sender.start()
        back = bytearray()
        try:
            while part := line.recv(1 << 16):
                back += part
        except OSError:
            pass
        sender.join()
        return bytes(back)


def send(line: socket.socket, data: bytes) -> None:
    try:
        line.sendall(data)
        line.shutdown(socket.SHUT_WR)
    except OSError:
        return


def test_bytes_go_through_whole(gate: Gate) -> None:
    """Both ways, with the end of each."""
    data = bytes(range(256)) * 4096
    assert through(gate, data) == data


def test_port_is_chosen_before_it_opens(echo: tuple[str, int]) -> None:
    """The container is told its number while it still refuses everybody."""
    early = Gate(22, lambda: echo)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", early.public), 5)
    early.open()
    assert through(early, b"x") == b"x"
    early.close()


@pytest.mark.parametrize("way", ["not ready", "no container", "nobody listens"])
def test_nothing_behind(way: str, echo: tuple[str, int]) -> None:
    """It connects, and hangs up without a word: TCP alone proves nothing."""
    where = {"not ready": echo, "no container": None, "nobody listens": ("127.0.0.1", 1)}[way]
    late = Gate(22, lambda: where)
    late.ready = way != "not ready"
    late.open()
    assert through(late, b"") == b""
    late.close()


def test_cut_after_some_bytes(gate: Gate) -> None:
    """A transfer breaks in its middle; the next connection is whole again."""
    gate.cut(after=300_000)
    assert len(through(gate, MEGABYTE)) < 300_000
    assert through(gate, MEGABYTE) == MEGABYTE


def test_cut_now(gate: Gate) -> None:
    """Whoever is connected is not any more."""
    with socket.create_connection(("127.0.0.1", gate.public), 5) as line:
        line.sendall(b"x")
        assert line.recv(1) == b"x"
        gate.cut()
        assert line.recv(1) == b""


def test_slow_port_takes_small_sips(gate: Gate) -> None:
    """At a rate of 2 MB/s no more than a tenth of that goes at once."""
    gate.rate = 2e6
    with socket.create_connection(("127.0.0.1", gate.public), 5) as line:
        line.sendall(bytes(500_000))
        assert len(line.recv(1 << 20)) <= 200_000


@pytest.mark.docker
def test_port_moves(runpod: Emulator, api: Api) -> None:
    """The old port is dead at once and shown for a while; then the new one is."""
    pod = api.ready()
    before = pod["ssh"]["direct"]["port"]

    runpod.move_port(pod["id"])

    assert banner(pod) == b""
    after = until(lambda: api.pod(pod["id"]), lambda pod: banner(pod))
    assert after["ssh"]["direct"]["port"] != before


@pytest.mark.docker
def test_ports_of_a_pod_can_be_cut_and_slowed(runpod: Emulator, api: Api) -> None:
    """By the name of the pod."""
    pod = api.ready()
    runpod.cut(pod["id"], after=5)
    assert banner(pod) == b"SSH-2"
    runpod.slow(pod["id"], 10)
    assert banner(pod) == b"S"
    runpod.slow(pod["id"], None)
    assert banner(pod).startswith(b"SSH-2.0")
