"""What a kind of device starts with when the job does not say: batch, workers, memory."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ..errors import ConfigError, did_you_mean
from .units import parse_size


@dataclass(frozen=True)
class Profile:
    """Start values for one kind of device; `memory` is what they are made for, in bytes."""

    device: str
    batch_size: int
    workers: int
    memory: int
    most: int


@cache
def profiles() -> dict[str, Profile]:
    """The profiles of `profiles.yaml` by kind of device."""
    import yaml

    raw = yaml.safe_load((Path(__file__).parent / "profiles.yaml").read_text(encoding="utf-8"))
    return {
        device: Profile(device, **{**given, "memory": parse_size(given["memory"])})
        for device, given in raw.items()
    }


def profile(device: str, memory_bytes: int | None = None) -> Profile:
    """The profile of a device such as "cuda:1", its batch fitted to the memory really there.

    batch = the largest power of two times or parts of the start value that grows no faster than
    memory does, at least 1 and at most `most` times the start value. None: memory is not known.
    Raises ConfigError for an unknown device.
    """
    kind = device.partition(":")[0]
    if kind not in profiles():
        raise ConfigError(f"no profile for device {device!r}", did_you_mean(kind, profiles()))
    start = profiles()[kind]
    if memory_bytes is None:
        return start
    return replace(start, batch_size=_fitted(start, memory_bytes), memory=memory_bytes)


def _fitted(start: Profile, memory: int) -> int:
    batch = start.batch_size
    while batch > 1 and not _has_room(start, batch, memory):
        batch //= 2
    while batch * 2 <= start.batch_size * start.most and _has_room(start, batch * 2, memory):
        batch *= 2
    return batch


def _has_room(start: Profile, batch: int, memory: int) -> bool:
    return batch * start.memory <= start.batch_size * memory
