"""An image is named by the hash of all that goes into it: a name that exists is up to date."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path

from .. import __version__
from ..configs.folders import cache
from ..errors import BuildError
from .context import Item, items
from .spec import USER, ImageSpec

REPOSITORY = "longshore"
DIGITS = 16
SETTLED_NS = 2 * 10**9
"""A file younger than this may change again without a new time stamp, so its hash is not kept."""

Seen = dict[str, list[object]]


@dataclass(frozen=True)
class Plan:
    """One build, decided: nothing is left to look up but the builder. `digests` follow `items`."""

    spec: ImageSpec
    tag: str
    folder: Path
    arguments: tuple[tuple[str, str], ...]
    items: tuple[Item, ...]
    digests: tuple[str, ...]

    @property
    def pip_conf(self) -> Path:
        """Where the caller's own pip settings lie while a build runs."""
        return self.folder.with_suffix(".pip.conf")


def plan(spec: ImageSpec) -> Plan:
    """The build of a spec and its tag; reads only the files that changed since last time."""
    found = items(spec)
    folder = (
        cache() / "contexts" / f"{spec.name}-{sha256(str(spec.project).encode()).hexdigest()[:8]}"
    )
    digests = content_digests(found, folder.with_suffix(".hashes.json"))
    arguments = build_arguments(spec)
    tag = f"{REPOSITORY}/{spec.name}:{digest(found, digests, arguments)}"
    return Plan(spec, tag, folder, arguments, tuple(found), tuple(digests))


def build_arguments(spec: ImageSpec) -> tuple[tuple[str, str], ...]:
    """The Dockerfile's arguments that differ from its defaults."""
    asked = {
        "BASE": spec.base,
        "TORCH_INDEX": spec.torch_index,
        "LS_OFFLINE": "1" if spec.offline else None,
        "VERSION": __version__,
        "RUN_AS": None if spec.user == USER else spec.user,
    }
    return tuple((name, value) for name, value in asked.items() if value is not None)


def digest(
    found: Sequence[Item], digests: Sequence[str], arguments: tuple[tuple[str, str], ...]
) -> str:
    """The hash of a context and its arguments: places, contents, kinds; never secrets or times."""
    whole = sha256(json.dumps(arguments).encode())
    for item, content in zip(found, digests, strict=True):
        whole.update(f"\0{item.target}\0{item.kind}\0{content}".encode())
    return whole.hexdigest()[:DIGITS]


def content_digests(found: Sequence[Item], index: Path) -> list[str]:
    """The hash of each item's content; `index` remembers those of files that do not change."""
    seen = _load(index)
    now = time.time_ns()
    fresh: Seen = {}
    digests = [_digest(item, seen, fresh, now) for item in found]
    if fresh != seen:
        index.parent.mkdir(parents=True, exist_ok=True)
        partial = index.with_suffix(f".{os.getpid()}.new")
        partial.write_text(json.dumps(fresh))
        partial.replace(index)
    return digests


def _digest(item: Item, seen: Seen, fresh: Seen, now: int) -> str:
    if isinstance(item.content, bytes):
        return sha256(item.content).hexdigest()
    path = item.content
    try:
        facts = path.stat()
        stamp: list[object] = [facts.st_size, facts.st_mtime_ns, facts.st_ino]
        known = seen.get(str(path), [])
        content = str(known[3]) if known[:3] == stamp else _hash(path)
    except OSError as error:
        raise BuildError(
            f"cannot read {path}: {error.strerror}", "make it readable, or add it to sync.exclude"
        ) from error
    if now - facts.st_mtime_ns > SETTLED_NS:
        fresh[str(path)] = [*stamp, content]
    return content


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _load(index: Path) -> Seen:
    try:
        content = json.loads(index.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
