"""The ladder of builders: whatever can drive BuildKit on this machine, and its exact command.

    buildx    a docker CLI with the buildx plugin
    cli       a docker CLI before 23, which has BuildKit of its own
    engine    no such CLI: the engine's API, `POST /build?version=2`

Every docker on PATH is asked what it can do: a newer CLI without buildx may stand before an
older one that builds.
"""

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BuildError
from .engine import DEFAULT, address
from .probe import Builder, builders
from .spec import ImageSpec
from .tag import Plan, plan

if TYPE_CHECKING:
    from docker import DockerClient

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def find_builder(path: str | None = None) -> Builder:
    """The best builder among the docker CLIs on `path` (default: PATH), else the engine's API."""
    found = builders(path or os.environ.get("PATH", ""))
    for kind in ("buildx", "cli"):
        for builder in found:
            if builder.kind == kind:
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


def dry_run(spec: ImageSpec) -> str:
    """The exact command that would build the image, or the image that would be used as it is."""
    return f"docker pull {spec.existing}" if spec.existing else as_line(plan(spec), find_builder())


def as_line(plan: Plan, builder: Builder) -> str:
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
    from urllib.parse import urlencode

    host = address() if address().startswith("http") else "http://localhost"
    return f"{host}/build?{urlencode(engine_parameters(plan))}"


def _curl_host() -> list[str]:
    where = address()
    return ["--unix-socket", where.removeprefix("unix://")] if where.startswith("unix://") else []
