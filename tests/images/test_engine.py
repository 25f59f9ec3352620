"""Where the engine is looked for, and what is said when it does not answer."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Thread

import pytest

from longshore.errors import NoEngineError
from longshore.images.engine import address, available, connect


@contextmanager
def listening(path: Path, answer: bytes) -> Iterator[None]:
    """A socket that gives every caller the same answer."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            with server.accept()[0] as line:
                line.recv(1024)
                line.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield
        thread.join()


def test_docker_host_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's word is taken as it is."""
    monkeypatch.setenv("DOCKER_HOST", "ssh://me@server")
    assert address() == "ssh://me@server"


def test_the_context_of_the_cli_comes_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `docker context use` chose holds for us too."""
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    meta = tmp_path / "contexts/meta" / sha256(b"far").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Endpoints": {"docker": {"Host": "tcp://far:2375"}}}))
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    assert address() == "tcp://far:2375"
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert address().startswith("unix://")


def test_an_engine_that_answers_a_ping_is_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request on the socket is enough to know."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/s")
    with listening(tmp_path / "s", b"HTTP/1.0 200 OK\r\n\r\nOK"):
        assert available()


def test_a_socket_without_an_engine_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something else listens there."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/s")
    with listening(tmp_path / "s", b"HTTP/1.0 500 Oh\r\n\r\n"):
        assert not available()


@pytest.mark.parametrize(
    ("installed", "message", "advice"),
    [
        (False, "Docker is not installed", "docs.docker.com"),
        (True, "the Docker engine is not running", "systemctl start docker"),
    ],
)
def test_not_installed_and_not_running_are_two_things(
    installed: bool, message: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The advice differs, so the fault is told apart."""
    if installed:
        (tmp_path / "docker").write_text("#!/bin/sh\n")
        (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing")
    with pytest.raises(NoEngineError, match=message) as caught:
        connect()
    assert advice in caught.value.hint
    assert not available()


def test_a_remote_engine_that_is_away_is_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens on the port: our error, not the library's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(NoEngineError, match="does not answer"):
            connect()
        assert not available()
