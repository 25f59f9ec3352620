"""The ladder of builders: whatever can drive BuildKit on this machine, and its exact command.

    buildx    a docker CLI with the buildx plugin
    cli       a docker CLI before 23, which has BuildKit of its own
    engine    no such CLI: the engine's API, `POST /build?version=2`

Every docker on PATH is asked what it can do: a newer CLI without buildx may stand before an
older one that builds.
"""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from ..errors import BuildError
from .engine import DEFAULT, address
from .tag import Plan

if TYPE_CHECKING:
    from docker import DockerClient

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
PROBE_SECONDS = 10
BUILDKIT_OF_ITS_OWN = range(19, 23)


Rung = Literal["buildx", "cli", "engine"]


@dataclass(frozen=True)
class Builder:
    """One rung of the ladder; `docker` is the CLI's path, empty for the engine's API."""

    kind: Rung
    docker: str = ""


def find_builder(path: str | None = None) -> Builder:
    """The best builder among the docker CLIs on `path` (default: PATH), else the engine's API."""
    found = [_probe(docker) for docker in _executables(path or os.environ.get("PATH", ""))]
    for kind in ("buildx", "cli"):
        for builder in found:
            if builder and builder.kind == kind:
                return builder
    return Builder("engine")


def refuse_store(client: "DockerClient") -> None:
    """Raise BuildError where the engine's API cannot build: on the containerd image store.

    There the engine never finds the context it was sent (moby/moby#47717).
    """
    if "io.containerd.snapshotter.v1" in str(client.info().get("DriverStatus")):
        raise BuildError(
            "this Docker engine needs the buildx plugin to build images",
            "install the package docker-buildx-plugin (docker-buildx in Debian and Ubuntu)",
        )


def command(plan: Plan, builder: Builder) -> list[str]:
    """The build as an argument list. For the engine's API: the same request in curl's words."""
    if builder.kind == "engine":
        return ["curl", *_curl_host(), "--request", "POST", "--data-binary", "@-", _url(plan)]
    words = {
        "buildx": [builder.docker, "buildx", "build", "--load", "--provenance=false"],
        "cli": ["DOCKER_BUILDKIT=1", builder.docker, "build"],
    }[builder.kind]
    settings = [f"DOCKER_HOST={address()}"] if address() != DEFAULT else []
    prefix = ["env", *settings] if settings or builder.kind == "cli" else []
    return [*prefix, *words, "--progress", "plain", *_options(plan), str(plan.folder)]


def dry_run(plan: Plan, builder: Builder) -> str:
    """What a build would run, as a line for a shell."""
    line = shlex.join(command(plan, builder))
    if builder.kind != "engine":
        return line
    return f"tar --format=gnu -C {shlex.quote(str(plan.folder))} -c . | {line}"


def secret_files(plan: Plan) -> dict[str, Path]:
    """The build's secrets by id: the spec's, and the caller's pip settings where there are any."""
    own = {"pip_conf": plan.pip_conf} if plan.spec.pip_settings else {}
    return own | plan.spec.secrets.files()


def proxies() -> list[str]:
    """The names of the proxy variables that are set: known to BuildKit, part of no layer."""
    return [name for name in PROXIES if os.environ.get(name)]


def engine_parameters(plan: Plan, private: Mapping[str, str] | None = None) -> dict[str, str]:
    """The query of `POST /build`, version 2 of which is BuildKit; `private` arguments are added."""
    arguments = dict(plan.arguments) | dict(private or {})
    named = {"version": "2", "t": plan.tag, "dockerfile": "Dockerfile.api"}
    query = named | {"buildargs": json.dumps(arguments)}
    return query | ({"networkmode": "none"} if plan.spec.offline else {})


def _options(plan: Plan) -> Iterator[str]:
    yield from ("--tag", plan.tag)
    for name, value in plan.arguments:
        yield from ("--build-arg", f"{name}={value}")
    for name in proxies():
        # Without a value, so that a password in it stays off the command line.
        yield from ("--build-arg", name)
    for name, path in secret_files(plan).items():
        yield from ("--secret", f"id={name},src={path}")
    if plan.spec.offline:
        yield from ("--network", "none")


def _url(plan: Plan) -> str:
    host = address() if address().startswith("http") else "http://localhost"
    return f"{host}/build?{urlencode(engine_parameters(plan))}"


def _curl_host() -> list[str]:
    where = address()
    return ["--unix-socket", where.removeprefix("unix://")] if where.startswith("unix://") else []


def _executables(path: str) -> Iterator[str]:
    seen = set()
    for folder in path.split(os.pathsep):
        docker = os.path.join(folder, "docker")
        if os.access(docker, os.X_OK) and os.path.realpath(docker) not in seen:
            seen.add(os.path.realpath(docker))
            yield docker


@cache
def _probe(docker: str) -> Builder | None:
    if _says(docker, "buildx", "version"):
        return Builder("buildx", docker)
    version = re.search(r"version (\d+)\.", _says(docker, "--version"))
    own = version and int(version.group(1)) in BUILDKIT_OF_ITS_OWN
    return Builder("cli", docker) if own else None


def _says(*words: str) -> str:
    """The words a program says on success, nothing when it fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
