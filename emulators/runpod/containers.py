"""Pods as containers of this machine's Docker engine."""

import contextlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...images.engine import connect
from .clock import moment

if TYPE_CHECKING:
    from docker.models.containers import Container

LABEL = "longshore.emulator"
HOME_LABEL = "longshore.emulator.home"
FOLDER_LABEL = "longshore.emulator.folder"
LOCAL = "127.0.0.1"
ON_LINUX = sys.platform == "linux"
"""Elsewhere the engine lives in a machine of its own: addresses of containers lead nowhere."""


class ImageError(Exception):
    """The image cannot be had; its words are those of RunPod's system log."""


class StartError(Exception):
    """The engine cannot run what the pod asks for."""


@dataclass(frozen=True)
class Shape:
    """A container to be made."""

    name: str
    image: str
    entrypoint: list[str] | None
    command: list[str] | None
    environment: dict[str, str]
    binds: dict[str, str]
    """{folder here: folder there}"""
    labels: dict[str, str]
    ports: tuple[int, ...]


def labels(port: int, folder: Path) -> dict[str, str]:
    """Marks that tell whose container it is, even after its emulator was killed."""
    home = f"{platform.node()}/{os.getpid()}"
    return {LABEL: str(port), HOME_LABEL: home, FOLDER_LABEL: str(folder)}


class Engine:
    """The only part that talks with Docker."""

    def __init__(self) -> None:
        self._client = connect()

    def close(self) -> None:
        self._client.close()

    def gateway(self) -> str:
        """The address at which a container finds this machine."""
        if not ON_LINUX:
            return "host.docker.internal"
        config = self._client.networks.get("bridge").attrs["IPAM"]["Config"][0]
        return str(config.get("Gateway") or _first_address(config["Subnet"]))

    def sweep(self, port: int) -> int:
        """Remove what emulators at this port, or dead ones of this machine, left; count them."""
        left = [found for found in self._owned() if _orphaned(found.labels, port)]
        for container in left:
            self._remove(container)
            folder = Path(container.labels[FOLDER_LABEL])
            self.erase(folder, container.attrs["Config"]["Image"])
        return len(left)

    def pull(self, image: str, login: dict[str, str] | None) -> bool:
        """Get the image unless it is here; whether it was pulled. Raises ImageError."""
        from docker.errors import APIError, ImageNotFound

        try:
            self._client.images.get(image)
            return False
        except ImageNotFound:
            pass
        try:
            for fault in self._pull(image, login):
                raise ImageError(f"{_fault(fault)}: {fault}")
        except APIError as error:
            raise ImageError(f"{_fault(str(error.explanation))}: {error.explanation}") from error
        return True

    def _pull(self, image: str, login: dict[str, str] | None) -> Iterator[str]:
        """What goes wrong on the way: newer engines tell it only then, after their 200."""
        from docker.utils import parse_repository_tag

        repository, tag = parse_repository_tag(image)
        steps = self._client.api.pull(
            repository, tag or "latest", stream=True, decode=True, auth_config=login
        )
        for step in steps:
            if "error" in step:
                yield str(step["error"])

    def create(self, shape: Shape) -> str:
        from docker.types import LogConfig

        published = {} if ON_LINUX else {f"{port}/tcp": (LOCAL, 0) for port in shape.ports}
        container = self._client.containers.create(
            shape.image,
            shape.command,
            entrypoint=shape.entrypoint,
            name=shape.name,
            hostname=shape.name,
            environment=shape.environment,
            labels=shape.labels,
            volumes={here: {"bind": there, "mode": "rw"} for here, there in shape.binds.items()},
            ports=published,
            pids_limit=8192,
            log_config=LogConfig(type="json-file", config={"max-size": "20m"}),
        )
        return str(container.id)

    def run(self, container_id: str) -> Iterator[bytes]:
        """Start it; the iterator gives its output and ends with it. Raises StartError."""
        from docker.errors import APIError

        try:
            container = self._client.containers.get(container_id)
            before = moment(container.attrs["State"]["FinishedAt"])
            container.start()
            since = before if before > 0 else None
            return iter(container.logs(stream=True, follow=True, since=since))
        except APIError as error:
            raise StartError(str(error.explanation)) from error

    def exit_code(self, container_id: str) -> int:
        """Wait until it has ended; -1 when it was taken away."""
        from docker.errors import NotFound

        try:
            return int(self._client.containers.get(container_id).wait()["StatusCode"])
        except NotFound:
            return -1

    def stop(self, container_id: str, grace: float) -> None:
        """SIGTERM, and SIGKILL after `grace` seconds."""
        with self._gone_is_fine():
            self._client.containers.get(container_id).stop(timeout=int(grace))

    def kill(self, container_id: str) -> None:
        with self._gone_is_fine():
            self._client.containers.get(container_id).kill()

    def remove(self, container_id: str) -> None:
        with self._gone_is_fine():
            self._remove(self._client.containers.get(container_id))

    def address(self, container_id: str, port: int) -> tuple[str, int] | None:
        """Where a port of a running container can be reached from here."""
        with self._gone_is_fine():
            network = self._client.containers.get(container_id).attrs["NetworkSettings"]
            if ON_LINUX:
                return (network["IPAddress"], port) if network["IPAddress"] else None
            bound = (network["Ports"] or {}).get(f"{port}/tcp")
            return (LOCAL, int(bound[0]["HostPort"])) if bound else None
        return None

    def erase(self, folder: Path, image: str) -> None:
        """Remove a pod's folder; its files can belong to a container's root, not to us."""
        with contextlib.suppress(FileNotFoundError):
            try:
                shutil.rmtree(folder)
            except PermissionError:
                where = {str(folder.parent): {"bind": "/mnt", "mode": "rw"}}
                words = ["-rf", f"/mnt/{folder.name}"]
                self._client.containers.run(
                    image, words, entrypoint=["rm"], user="0", volumes=where, remove=True
                )

    def _owned(self) -> "list[Container]":
        return self._client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True)

    def _remove(self, container: "Container") -> None:
        with self._gone_is_fine():
            container.remove(force=True, v=True)

    @contextlib.contextmanager
    def _gone_is_fine(self) -> Iterator[None]:
        """What has gone, is going, or does not run needs no more ending."""
        from docker.errors import APIError

        try:
            yield
        except APIError as error:
            if error.status_code not in (304, 404, 409):
                raise


def _orphaned(marks: dict[str, str], port: int) -> bool:
    host, _, process = marks.get(HOME_LABEL, "").rpartition("/")
    if host != platform.node():
        return False
    return marks.get(LABEL) == str(port) or not _lives(int(process))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _fault(explanation: str) -> str:
    text = explanation.lower()
    table: dict[str, tuple[str, ...]] = {
        "IMAGE_AUTH_ERROR": ("denied", "unauthorized", "authentication required", "no basic auth"),
        "IMAGE_NOT_FOUND": ("not found", "manifest unknown", "not known", "does not exist"),
    }
    found = (name for name, words in table.items() if any(word in text for word in words))
    return next(found, "IMAGE_PULL_ERROR")


def _first_address(subnet: str) -> str:
    from ipaddress import ip_network

    network: Any = ip_network(subnet)
    return str(network[1])
