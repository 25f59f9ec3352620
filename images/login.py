"""How to log in to an image registry: the user's own docker login, or two variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

USER: Final = "LONGSHORE_REGISTRY_USER"
PASSWORD: Final = "LONGSHORE_REGISTRY_PASSWORD"


@dataclass(frozen=True)
class Login:
    """A user of a registry; the password is in no text that this value makes."""

    registry: str
    username: str
    password: str = field(repr=False)


def login(reference: str, environ: Mapping[str, str] = os.environ) -> Login | None:
    """The login for the registry of an image, or None where nobody has one.

    The variables win; else docker's own configuration is asked, credential helpers included.
    """
    registry = registry_of(reference)
    if environ.get(USER) and environ.get(PASSWORD):
        return Login(registry, environ[USER], environ[PASSWORD])
    return _of_docker(registry)


def registry_of(reference: str) -> str:
    """The registry's host of an image's name, as docker understands names."""
    from docker.auth import resolve_repository_name

    host, _ = resolve_repository_name(reference.partition("@")[0])
    return str(host)


def _of_docker(registry: str) -> Login | None:
    from docker.auth import load_config
    from docker.errors import DockerException

    try:
        found = load_config().resolve_authconfig(registry)
    except DockerException:
        return None
    user, password = (found or {}).get("Username"), (found or {}).get("Password")
    user, password = (
        user or (found or {}).get("username"),
        password or (found or {}).get("password"),
    )
    return Login(registry, user, password) if user and password else None
