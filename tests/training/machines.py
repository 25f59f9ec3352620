"""A container that is a whole machine, and the way into it that a provider takes."""

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docker.errors import APIError

from longshore.configs import container, jobfile
from longshore.configs.spec import JobSpec
from longshore.images.engine import connect
from longshore.providers.remote import Address, Connection, Keys, RemoteHost

if TYPE_CHECKING:
    from docker.models.containers import Container

NAME = "longshore-pod-test-1"
VOLUME = "/longshore-volume"


@dataclass
class Machine:
    """One container; `host` reaches into it by ssh alone."""

    box: "Container"
    keys: Keys

    @property
    def address(self) -> str:
        self.box.reload()
        return str(self.box.attrs["NetworkSettings"]["IPAddress"])

    @property
    def connection(self) -> Connection:
        return Connection(Address(self.address, 22), self.keys)

    @contextmanager
    def host(self, seconds: float = 60) -> Iterator[RemoteHost]:
        """The way in, once sshd says its banner."""
        self.until(lambda: self.banner().startswith(b"SSH-"), seconds)
        host = RemoteHost(lambda: self.connection)
        try:
            yield host
        finally:
            host.close()

    def banner(self) -> bytes:
        try:
            with socket.create_connection((self.address, 22), 2) as line:
                return line.recv(64)
        except OSError:
            return b""

    def says(self, *words: str) -> str:
        """What a command inside prints, ssh or no ssh."""
        code, output = self._run(*words)
        assert code == 0, output
        return output

    def read(self, name: str) -> str:
        """A file of the job's root, empty while it is not there."""
        code, output = self._run("cat", f"{container.ROOT}/{name}")
        return output if code == 0 else ""

    def done(self) -> dict[str, Any]:
        """How the job ended, once it has."""
        self.until(lambda: self.read(container.DONE))
        found: dict[str, Any] = json.loads(self.read(container.DONE))
        return found

    def until(self, wish: Callable[[], Any], seconds: float = 60) -> None:
        """Wait for it; what the container said is the reason when it never comes."""
        end = time.monotonic() + seconds
        while not wish():
            assert time.monotonic() < end, f"waited in vain:\n{self.box.logs(tail=40).decode()}"
            time.sleep(0.05)

    def _run(self, *words: str) -> tuple[int, str]:
        code, output = self.box.exec_run(list(words))
        assert isinstance(output, bytes)
        return code or 0, output.decode()


def send(host: RemoteHost, spec: JobSpec, files: dict[str, str]) -> None:
    """Bring a job and its code, as a run does, and give the word."""
    for name, content in files.items():
        host.write(f"{container.CODE}/{name}", content.encode())
    host.write(container.JOB, jobfile.dump(spec).encode())
    host.start()


@contextmanager
def machine(
    image: str, volume: Path, env: dict[str, str] | None = None, **options: Any
) -> Iterator[Machine]:
    """A pod of an image, with a volume of its own; it is gone at the end."""
    keys = Keys.make(NAME)
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA x y"
    marks = {
        container.POD: "1",
        container.NAME: NAME,
        container.VOLUME: VOLUME,
        container.HOST_KEY: base64.b64encode(keys.host_private.encode()).decode(),
        "PUBLIC_KEY": f"{other}\n{keys.public}\n",
    }
    client = connect()
    box = client.containers.create(
        image,
        environment=marks | (env or {}),
        volumes={str(volume): {"bind": VOLUME, "mode": "rw"}},
        labels={"longshore.test": "pod"},
        **options,
    )
    try:
        box.start()
        yield Machine(box, keys)
    finally:
        with suppress(APIError):
            # What root wrote there must not stay for a user who cannot remove it.
            box.exec_run(["sh", "-c", f"rm -rf {VOLUME}/*"])
        box.remove(force=True, v=True)
        client.close()
