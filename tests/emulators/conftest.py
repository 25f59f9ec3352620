"""An emulator of its own for each test, and a plain HTTP client of its REST side."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx
import pytest

from longshore.emulators.runpod.client import Emulator
from longshore.emulators.runpod.timeline import Timeline

GPU = "NVIDIA GeForce RTX 4090"
IMAGE = "python:3.11-slim"
NEVER = 1e9
QUICK = Timeline(starting=0.02, running=0.1, ports=0.15, sshd=0.2, stale=0.1)
SSHD = """
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
listener = socket.create_server(("", 22))
while True:
    client, _ = listener.accept()
    client.sendall(b"SSH-2.0-emulated\\r\\n")
    client.close()
"""
"""Stands for an image with sshd."""
JSON = dict[str, Any]
Seen = TypeVar("Seen")


def python(program: str) -> list[str]:
    """A command that runs a Python program."""
    return ["python3", "-u", "-c", program]


class Api:
    """REST v2 by a client that knows nothing of the emulator."""

    def __init__(self, runpod: Emulator) -> None:
        self.http = httpx.Client(
            base_url=f"{runpod.url}/v2", headers={"Authorization": f"Bearer {runpod.key}"}
        )

    def order(self, **changes: Any) -> JSON:
        """The body of a create; a change to None leaves the field out."""
        body: JSON = {
            "name": "rule",
            "image": IMAGE,
            "gpu": {"id": GPU, "count": 1},
            "disk": 20,
            "ports": ["22/tcp"],
            "cmd": python(SSHD),
        }
        return {name: value for name, value in (body | changes).items() if value is not None}

    def ask(self, **changes: Any) -> httpx.Response:
        return self.http.post("/pods", json=self.order(**changes))

    def create(self, **changes: Any) -> JSON:
        answer = self.ask(**changes)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def pod(self, name: str) -> JSON:
        return dict(self.http.get(f"/pods/{name}").raise_for_status().json())

    def act(self, name: str, action: str) -> httpx.Response:
        return self.http.post(f"/pods/{name}/action", json={"action": action})

    def wait(self, name: str, wish: Callable[[JSON], Any], seconds: float = 20) -> JSON:
        """The pod, once it is as wished."""
        return until(lambda: self.pod(name), wish, seconds)

    def ready(self, **changes: Any) -> JSON:
        """A new pod whose ssh answers."""
        pod = self.create(**changes)
        return self.wait(pod["id"], lambda pod: banner(pod))


def until(look: Callable[[], Seen], wish: Callable[[Seen], Any], seconds: float = 20) -> Seen:
    """What `look` gives, once it is as wished; fails with the last that was seen."""
    deadline = time.monotonic() + seconds
    while not wish(seen := look()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s; last seen: {seen}")
        time.sleep(0.02)
    return seen


def banner(pod: JSON) -> bytes:
    """What the pod's ssh port says first; nothing when nobody is there."""
    direct = pod["ssh"]["direct"]
    if not direct:
        return b""
    try:
        with socket.create_connection((direct["host"], direct["port"]), 5) as line:
            return line.recv(64)
    except OSError:
        return b""


def ask(emulator: Emulator, query: str, key: str | None = None) -> httpx.Response:
    """GraphQL as nobody's SDK sends it; `key` "" sends none."""
    headers = {"Authorization": f"Bearer {emulator.key if key is None else key}"}
    return httpx.post(
        f"{emulator.url}/graphql", json={"query": query}, headers=headers if key != "" else {}
    )


def mutate(emulator: Emulator, call: str, fields: str = "{ id desiredStatus }") -> JSON:
    """What a mutation answers."""
    return dict(ask(emulator, f"mutation {{ {call} {fields} }}").json())


def fault(answer: dict[str, Any]) -> tuple[str, str | None]:
    """(message, code) of the first error."""
    error = answer["errors"][0]
    return error["message"], error.get("extensions", {}).get("code")


@pytest.fixture
def runpod(engine: None) -> Iterator[Emulator]:
    """An emulator whose pods boot as soon as Docker lets them."""
    with Emulator(timeline=QUICK) as emulator:
        yield emulator


@pytest.fixture
def paper(engine: None) -> Iterator[Emulator]:
    """An emulator whose pods stay on paper: they never leave PROVISIONING."""
    with Emulator(timeline=Timeline(NEVER, NEVER, NEVER, NEVER, 0)) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def desk(engine: None) -> Iterator[Api]:
    """One client for the tables that only look or are refused: nothing is left of them."""
    with Emulator(timeline=Timeline(NEVER, NEVER, NEVER, NEVER, 0)) as emulator:
        found = Api(emulator)
        yield found
        found.http.close()


@pytest.fixture
def api(runpod: Emulator) -> Iterator[Api]:
    found = Api(runpod)
    yield found
    found.http.close()


@pytest.fixture
def forms(paper: Emulator) -> Iterator[Api]:
    """The client of `paper`."""
    found = Api(paper)
    yield found
    found.http.close()
