"""Take an image to a registry, and name it by what is in it: machines elsewhere pull that."""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from ..errors import BuildError
from .engine import connect
from .login import PASSWORD, USER, Login, login

if TYPE_CHECKING:
    from docker import DockerClient

LOG_IN: Final = f"`docker login`, or set {USER} and {PASSWORD}"
HINTS: Final = {
    "denied": "`docker login` with an account that may push there",
    "unauthorized": LOG_IN,
    "authentication required": LOG_IN,
    "no basic auth": LOG_IN,
    "no such host": "check the name in image.registry",
    "connection refused": "check the name in image.registry, and that the registry runs",
    "server gave http response": "list it under insecure-registries of the engine, or give it TLS",
    "certificate": "give the engine the registry's CA in /etc/docker/certs.d",
}
"""What the engine says of a push that failed, and what to do about it."""


def push(tag: str, repository: str, progress: Callable[[str], None]) -> str:
    """Push a local image; `repository@sha256:…`, by which it can be pulled anywhere.

    Layers that are there already do not travel. Raises BuildError with the engine's words and a
    hint, NoEngineError without an engine.
    """
    from docker.errors import APIError

    short = tag.rpartition(":")[2]
    with closing(connect()) as client:
        try:
            client.images.get(tag).tag(repository, short)
            digest = _digest(_pushed(client, repository, short, login(repository)), progress)
        except APIError as error:
            raise _fault(repository, str(error.explanation or error)) from error
    return f"{repository}@{digest}"


def _pushed(
    client: "DockerClient", repository: str, tag: str, who: Login | None
) -> Iterable[dict[str, Any]]:
    auth = {"username": who.username, "password": who.password} if who else None
    lines: Iterable[dict[str, Any]] = client.api.push(
        repository, tag, stream=True, decode=True, auth_config=auth
    )
    return lines


def _digest(lines: Iterable[dict[str, Any]], progress: Callable[[str], None]) -> str:
    """What the registry calls the image; `progress` hears of each layer that travelled."""
    digest, fault = "", ""
    for line in lines:
        fault = line.get("error", fault)
        if line.get("status") == "Pushed":
            progress(f"pushed layer {line.get('id', '')}")
        digest = (line.get("aux") or {}).get("Digest", digest)
    if fault:
        raise _fault("the registry", fault)
    if not digest:
        raise BuildError("the registry took the image and did not say what it is called")
    return digest


def _fault(where: str, words: str) -> BuildError:
    hint = next((hint for word, hint in HINTS.items() if word in words.lower()), "")
    return BuildError(f"the image cannot be pushed to {where}: {words.strip()}", hint)
