"""From a spec to an image on this machine's engine; nothing is built that is already there."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import BuildError
from .builder import find_builder
from .engine import connect
from .progress import Progress
from .run import run
from .spec import ImageSpec
from .stage import exclusive, stage
from .tag import plan

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.images import Image


@dataclass(frozen=True)
class Built:
    """An image that is ready; `built` is False when it was there before. Size in bytes."""

    tag: str
    image_id: str
    built: bool
    seconds: float
    size: int


def ensure(spec: ImageSpec, progress: Callable[[str], None] = lambda words: None) -> Built:
    """Have the image of a spec on the engine; `progress` hears a short line for each step.

    Raises NoEngineError without an engine, BuildError with the build's last words and a hint.
    """
    started = time.monotonic()
    client = connect()
    if spec.existing:
        return _existing(client, spec.existing, started, progress)
    decided = plan(spec)
    if image := _look(client, decided.tag):
        return _built(image, decided.tag, False, started)
    with exclusive(decided):
        written = stage(decided)
        progress(f"context: {written} of {len(decided.items)} files changed")
        run(decided, find_builder(), client, Progress(progress))
    if image := _look(client, decided.tag):
        return _built(image, decided.tag, True, started)
    raise BuildError(f"the build ended, but there is no image {decided.tag}")


def _existing(
    client: "DockerClient", name: str, started: float, progress: Callable[[str], None]
) -> Built:
    from docker.errors import APIError, ImageNotFound

    image = _look(client, name)
    if image is None:
        progress(f"pull: {name}")
        try:
            image = client.images.pull(*_repository_and_tag(name))
        except (APIError, ImageNotFound) as error:
            raise BuildError(
                f"no image {name} here, and it cannot be pulled: {error}",
                "check image.name, or leave it out to build one",
            ) from error
    return _built(image, name, False, started)


def _repository_and_tag(name: str) -> tuple[str, str | None]:
    repository, colon, tag = name.rpartition(":")
    is_tag = colon and "/" not in tag and "@" not in name
    return (repository, tag) if is_tag else (name, None if "@" in name else "latest")


def _look(client: "DockerClient", name: str) -> "Image | None":
    from docker.errors import ImageNotFound

    try:
        return client.images.get(name)
    except ImageNotFound:
        return None


def _built(image: "Image", tag: str, built: bool, started: float) -> Built:
    size = int(image.attrs["Size"])
    return Built(tag, image.id or "", built, time.monotonic() - started, size)
