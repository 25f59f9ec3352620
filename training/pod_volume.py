"""What a pod keeps on the volume that outlives its container: links from the job's root."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ..configs import container

OWN: Final = (container.OUTPUTS, container.CHECKPOINTS, container.CONTROL)
"""Each pod has its own of these: a network volume may serve several. The cache is for all."""


def places(root: Path, environ: Mapping[str, str]) -> dict[Path, Path]:
    """{folder of the root: folder on the volume}, nothing without a volume."""
    if not environ.get(container.VOLUME):
        return {}
    volume = Path(environ[container.VOLUME])
    own = volume / (environ.get(container.NAME) or "pod")
    return {
        **{root / name: own / name for name in OWN},
        root / container.CACHE: volume / container.CACHE,
    }


def make_folders(root: Path, environ: Mapping[str, str]) -> list[str]:
    """Have every folder a job needs, on the volume where there is one; what went wrong.

    A folder that already holds something stays where it is.
    """
    return [*_links(places(root, environ)), *_folders(root)]


def _links(wanted: Mapping[Path, Path]) -> Iterator[str]:
    for here, there in wanted.items():
        try:
            there.mkdir(parents=True, exist_ok=True)
            _link(here, there)
        except OSError as error:
            yield f"warning: {here} is not on the volume, a stop loses it: {error.strerror}"


def _link(here: Path, there: Path) -> None:
    if here.is_symlink():
        here.unlink()
    elif here.is_dir():
        here.rmdir()
    here.parent.mkdir(parents=True, exist_ok=True)
    os.symlink(there, here)


def _folders(root: Path) -> Iterator[str]:
    for name in (*OWN, container.CACHE, container.CODE, container.DATA):
        try:
            (root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            yield f"warning: cannot make {root / name}: {error.strerror}"
