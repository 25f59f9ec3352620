"""What each docker CLI on PATH can do; remembered, since asking is dear for a dry run."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ..configs import folders

Rung = Literal["buildx", "cli", "engine"]
PROBE_SECONDS: Final = 10
BUILDKIT_OF_ITS_OWN: Final = range(19, 23)
PLUGIN_FOLDERS: Final = (
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
)
"""Where a docker CLI looks for plugins, after the user's own folder."""

Seen = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Builder:
    """One rung of the ladder; `docker` is the CLI's path, empty for the engine's API."""

    kind: Rung
    docker: str = ""


def builders(path: str) -> list[Builder]:
    """The docker CLIs on a PATH that can drive BuildKit.

    A CLI is asked again when it, or a buildx plugin of this machine, has changed.
    """
    memory = folders.cache() / "docker-clis.json"
    before = _load(memory)
    now = {docker: _answer(docker, before) for docker in executables(path)}
    if now.items() - before.items():
        _save(memory, before | now)
    kinds = {docker: kind for docker, (_, kind) in now.items()}
    return [
        Builder("buildx" if kind == "buildx" else "cli", docker)
        for docker, kind in kinds.items()
        if kind
    ]


def executables(path: str) -> Iterator[str]:
    """Every docker on a PATH, the same file once."""
    seen = set()
    for folder in path.split(os.pathsep):
        docker = os.path.join(folder, "docker")
        if os.access(docker, os.X_OK) and os.path.realpath(docker) not in seen:
            seen.add(os.path.realpath(docker))
            yield docker


def _answer(docker: str, before: Seen) -> tuple[str, str]:
    """The CLI's stamp, and what it can: buildx, cli, or nothing."""
    stamp = _stamp(docker)
    known = before.get(docker)
    return known if known and known[0] == stamp else (stamp, _ask(docker))


def _ask(docker: str) -> str:
    if _says(docker, "buildx", "version"):
        return "buildx"
    version = re.search(r"version (\d+)\.", _says(docker, "--version"))
    return "cli" if version and int(version.group(1)) in BUILDKIT_OF_ITS_OWN else ""


def _says(*words: str) -> str:
    """The words a program says on success, nothing when it fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=PROBE_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _stamp(docker: str) -> str:
    own = os.environ.get("DOCKER_CONFIG") or str(Path.home() / ".docker")
    plugins = (f"{folder}/docker-buildx" for folder in (f"{own}/cli-plugins", *PLUGIN_FOLDERS))
    return " ".join(_facts(path) for path in (docker, *plugins))


def _facts(path: str) -> str:
    try:
        facts = os.stat(path)
    except OSError:
        return "-"
    return f"{facts.st_ino}:{facts.st_size}:{facts.st_mtime_ns}"


def _load(memory: Path) -> Seen:
    try:
        raw = json.loads(memory.read_text())
        return {str(docker): (str(stamp), str(kind)) for docker, (stamp, kind) in raw.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _save(memory: Path, seen: Seen) -> None:
    """A memory that cannot be kept is only slower."""
    partial = memory.with_suffix(f".{os.getpid()}.new")
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(seen))
        partial.replace(memory)
    except OSError:
        return
