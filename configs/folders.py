"""Where this user's files live, by the XDG base directory specification."""

import os
from pathlib import Path

from .exclude import exactly


def state() -> Path:
    """The ledger and the work folders of runs; `LONGSHORE_STATE` overrides."""
    return _folder("LONGSHORE_STATE", "XDG_STATE_HOME", ".local/state")


def cache() -> Path:
    """What can be made again: build contexts, tokenised data, price caches."""
    return _folder("LONGSHORE_CACHE", "XDG_CACHE_HOME", ".cache")


def config() -> Path:
    """The user's settings and their own environments."""
    return _folder("LONGSHORE_CONFIG", "XDG_CONFIG_HOME", ".config")


def inside(project: Path) -> list[str]:
    """Patterns (see `exclude`) of those that lie in a project: they never travel with it."""
    top = project.resolve()
    ours = (folder().resolve() for folder in (state, cache, config))
    within = (path.relative_to(top) for path in ours if top in path.parents)
    return [exactly(path) for path in within]


def _folder(own: str, xdg: str, home: str) -> Path:
    if own in os.environ:
        return Path(os.environ[own])
    return Path(os.environ.get(xdg) or Path.home() / home) / "longshore"
