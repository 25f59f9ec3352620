"""The way to the Docker engine: where it listens, whether it answers, and why not."""

import json
import os
import shutil
import socket
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NoEngineError

if TYPE_CHECKING:
    from docker import DockerClient

DEFAULT = "unix:///var/run/docker.sock"
PING_SECONDS = 1.0
INSTALL = "get it from https://docs.docker.com/engine/install, or use the runtime 'process'"
START = "start it (`sudo systemctl start docker`, or open Docker Desktop)"
PERMIT = "add yourself to its group (`sudo usermod -aG docker $USER`) and log in again"


def connect() -> "DockerClient":
    """A client of the engine that answers; raises NoEngineError, its hint says how to get one."""
    where = address()
    refuse_silent(where)
    import docker
    from docker.errors import DockerException

    try:
        return docker.DockerClient(base_url=where, version="auto", use_ssh_client=True)
    except DockerException as error:
        raise NoEngineError(
            f"the Docker engine at {where} does not answer: {error}", START
        ) from error


def available() -> bool:
    """Whether an engine answers; at most a second, and asked once per process and address."""
    return _answers(address())


def address() -> str:
    """Where it listens: DOCKER_HOST, else the CLI's context, else the first known socket."""
    return os.environ.get("DOCKER_HOST") or _context_host() or f"unix://{_first_socket()}"


def refuse_silent(where: str) -> None:
    """Raise NoEngineError when nobody listens on a local socket; the client asks remote ones."""
    if not where.startswith("unix://"):
        return
    try:
        _ping(Path(where.removeprefix("unix://")))
    except PermissionError as error:
        raise NoEngineError(f"no permission to use the Docker engine at {where}", PERMIT) from error
    except OSError as error:
        if shutil.which("docker") or shutil.which("dockerd"):
            raise NoEngineError(f"the Docker engine is not running (at {where})", START) from error
        raise NoEngineError("Docker is not installed", INSTALL) from error


@cache
def _answers(where: str) -> bool:
    try:
        refuse_silent(where)
        return where.startswith("unix://") or _remote_answers(where)
    except NoEngineError:
        return False


def _remote_answers(where: str) -> bool:
    import docker
    from docker.errors import DockerException

    try:
        client = docker.DockerClient(
            base_url=where, version="auto", timeout=int(PING_SECONDS), use_ssh_client=True
        )
    except DockerException:
        return False
    client.close()
    return True


def _ping(path: Path) -> None:
    """One request on the socket: faster than loading the SDK, and it keeps the errno."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(PING_SECONDS)
        line.connect(str(path))
        line.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        if b" 200 " not in line.recv(64):
            raise ConnectionError("the engine does not answer a ping")


def _first_socket() -> Path:
    default = Path(DEFAULT.removeprefix("unix://"))
    own = Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")) / "docker.sock"
    sockets = (default, own, Path.home() / ".docker/run/docker.sock")
    return next((path for path in sockets if path.exists()), default)


def _context_host() -> str | None:
    """The address of the context that `docker context use` chose."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    name = os.environ.get("DOCKER_CONTEXT") or _read(folder / "config.json").get("currentContext")
    if not isinstance(name, str) or name == "default":
        return None
    meta = _read(folder / "contexts/meta" / sha256(name.encode()).hexdigest() / "meta.json")
    endpoints = meta.get("Endpoints")
    host = endpoints.get("docker", {}).get("Host") if isinstance(endpoints, dict) else None
    return host if isinstance(host, str) else None


def _read(path: Path) -> dict[str, object]:
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
