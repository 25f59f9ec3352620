"""Where this user's files live, by the XDG base directory specification."""

import os
from pathlib import Path


def state() -> Path:
    """The ledger and the work folders of runs; `LONGSHORE_STATE` overrides."""
    return _folder("LONGSHORE_STATE", "XDG_STATE_HOME", ".local/state")


def cache() -> Path:
    """What can be made again: build contexts, tokenised data, price caches."""
    return _folder("LONGSHORE_CACHE", "XDG_CACHE_HOME", ".cache")


def config() -> Path:
    """The user's settings and their own environments."""
    return _folder("LONGSHORE_CONFIG", "XDG_CONFIG_HOME", ".config")


def _folder(own: str, xdg: str, home: str) -> Path:
    if own in os.environ:
        return Path(os.environ[own])
    return Path(os.environ.get(xdg) or Path.home() / home) / "longshore"
