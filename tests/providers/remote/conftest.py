"""A machine of the tests' own: a real sshd on 127.0.0.1 that shows the host key we made for it."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from longshore.providers.remote import Connection, Keys, RemoteHost

from ...conftest import unavailable
from .doubles import Finder, Link, Server


@pytest.fixture(scope="session")
def sshd() -> str:
    """The program; where it is missing, what to install."""
    found = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if found is None or shutil.which("rsync") is None:
        unavailable("no sshd or rsync here: apt install openssh-server rsync")
    # Debian's sshd insists on this folder, which only its service makes.
    Path("/run/sshd").mkdir(exist_ok=True)
    return str(found)


@pytest.fixture(scope="session")
def machine(sshd: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A machine that stays well, shared by the tests that do it no harm."""
    folder = tmp_path_factory.mktemp("machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LONGSHORE_STATE", str(folder))
        keys = Keys.make("longshore-calm-otter-1")
    made = Server(sshd, keys, folder / "sshd")
    made.start()
    yield Connection(made.address, keys)
    made.stop()


@pytest.fixture
def host(machine: Connection, root: Path) -> RemoteHost:
    """The way into it, with a root of the test's own."""
    return RemoteHost(Finder(machine), str(root))


@pytest.fixture
def keys() -> Keys:
    return Keys.make("longshore-quick-otter-1")


@pytest.fixture
def server(sshd: str, keys: Keys, tmp_path: Path) -> Iterator[Server]:
    """A machine of the test's own, to be stopped, moved and replaced."""
    made = Server(sshd, keys, tmp_path / "sshd")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The job's root on the machine."""
    folder = tmp_path / "machine"
    folder.mkdir()
    return folder


@pytest.fixture
def finder(server: Server, keys: Keys) -> Finder:
    return Finder(Connection(server.address, keys))


@pytest.fixture
def frail(finder: Finder, root: Path) -> Iterator[RemoteHost]:
    """The way into `server`."""
    made = RemoteHost(finder, str(root), sleep=lambda seconds: time.sleep(min(seconds, 0.1)))
    yield made
    made.close()


@pytest.fixture
def link(server: Server) -> Iterator[Link]:
    """A network before the machine, which can be cut or fall silent."""
    made = Link(server.port)
    yield made
    made.close()
