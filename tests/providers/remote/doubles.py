"""What stands in for the world: a real sshd, who finds it, and a link that breaks."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from longshore.errors import LongshoreError
from longshore.providers.remote import Address, Connection, Keys, banner

CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey "{folder}/host"
AuthorizedKeysFile "{folder}/authorized_keys"
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
SetEnv "HOME={folder}" {environment}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """An sshd that can be stopped, and started on another port."""

    program: str
    keys: Keys
    folder: Path
    port: int = 0
    _child: "subprocess.Popen[bytes] | None" = None

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.port)

    def start(self, host_key: str = "", authorized: str = "", environment: str = "") -> None:
        """Start on a new port, with its own host key and list of keys unless told others."""
        self.port = free_port()
        self.folder.mkdir(exist_ok=True)
        self._write("host", host_key or self.keys.host_private)
        self._write("authorized_keys", (authorized or self.keys.public) + "\n")
        self._write(
            "config", CONFIG.format(port=self.port, folder=self.folder, environment=environment)
        )
        words = [self.program, "-D", "-e", "-f", str(self.folder / "config")]
        log = (self.folder / "log").open("ab")
        self._child = subprocess.Popen(words, stderr=log, stdin=subprocess.DEVNULL, process_group=0)
        log.close()
        until = time.monotonic() + 10
        while not banner(self.address, 1):
            assert time.monotonic() < until, (self.folder / "log").read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, with all its sessions, as a machine does that goes away."""
        if self._child is None:
            return
        for pid in reversed(descendants(self._child.pid)):
            kill(pid)
        self._child.wait(10)
        self._child = None

    close = stop

    def agents(self) -> list[int]:
        """The agents that run in its sessions."""
        pids = descendants(self._child.pid) if self._child else []
        return [pid for pid in pids if "exec(sys" in Path(f"/proc/{pid}/cmdline").read_text()]

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)


def descendants(pid: int) -> list[int]:
    """A process and all that it started, each after its parent."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                found += [int(word) for word in task.read_text().split()]
    return found


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, 9)


@dataclass
class Finder:
    """Says where the machine is: what is queued first, the last of it for ever."""

    connection: Connection
    queue: list[Connection | LongshoreError] = field(default_factory=list)
    calls: int = 0

    def __call__(self) -> Connection:
        self.calls += 1
        if self.queue:
            said = self.queue.pop(0)
            if isinstance(said, LongshoreError):
                raise said
            self.connection = said
        return self.connection


class Link:
    """A TCP proxy before a machine: it counts what passes, and cuts or holds it as told."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.limit: int | None = None
        """Bytes, in both directions, after which a connection is cut: the first that has them."""
        self.cuts_for_good = False
        """Every connection is cut there, not only the first."""
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.passed: list[int] = []
        """Bytes of each connection so far."""
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._run(self._accept)

    def close(self) -> None:
        """Stop listening and end all that is open."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self.limit = None
        self.cut()
        self.goes_on.set()
        for thread in self._threads:
            thread.join(5)
        for stream in (self._listener, *self._open):
            stream.close()

    def cut(self) -> None:
        """End every connection, as a network does that goes away."""
        for stream in self._open:
            with suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
                self._open += [near, far]
                self.passed.append(0)
                number = len(self.passed) - 1
                self._run(self._pass, near, far, number)
                self._run(self._pass, far, near, number)

    def _pass(self, source: socket.socket, sink: socket.socket, number: int) -> None:
        with suppress(OSError):
            while chunk := source.recv(1 << 16):
                self.goes_on.wait()
                sink.sendall(chunk)
                self.passed[number] += len(chunk)
                if self.limit is not None and self.passed[number] >= self.limit:
                    self.limit = self.limit if self.cuts_for_good else None
                    break
            for stream in (source, sink):
                stream.shutdown(socket.SHUT_RDWR)

    def _run(self, target: Callable[..., None], *words: object) -> None:
        self._threads.append(threading.Thread(target=target, args=words, daemon=True))
        self._threads[-1].start()
