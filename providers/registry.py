"""Providers by name: ours and those that other packages bring, all by the same kind of entry.

A package adds one with `[project.entry-points."longshore.providers"]`, `name = "module:Class"`.
"""

from importlib import import_module
from typing import cast

from ..errors import ProviderError, did_you_mean
from .base import Provider

GROUP = "longshore.providers"
BUILT_IN = {
    "fake": "longshore.providers.fake:FakeProvider",
    "local": "longshore.providers.local:LocalProvider",
    "runpod": "longshore.providers.runpod:RunpodProvider",
}
"""What our own entry points say (a test compares): reading them would cost every command 10 ms."""


def get(name: str, **settings: object) -> Provider:
    """A provider made with its settings; raises ProviderError for a name that nobody brings."""
    return cast("Provider", _load(name)(**settings))


def names() -> list[str]:
    """Every name that `get` knows, sorted."""
    return sorted({*BUILT_IN, *_brought()})


def _load(name: str) -> type:
    value = BUILT_IN.get(name) or _brought().get(name)
    if value is None:
        raise ProviderError(f"no provider {name!r}", did_you_mean(name, names()))
    module, _, attribute = value.partition(":")
    try:
        return cast("type", getattr(import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        raise ProviderError(f"the provider {name!r} cannot be loaded: {error}") from error


def _brought() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {entry.name: entry.value for entry in entry_points(group=GROUP)}
