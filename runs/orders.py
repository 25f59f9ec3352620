"""What a provider is told of a run before it makes a machine for it."""

from collections.abc import Iterable
from typing import Final

from ..configs import folders
from ..configs.spec import JobSpec
from ..providers.base import Bind, Need, Order

SPARE: Final = 30 * 60
"""Seconds past boot and job for which a machine elsewhere lives, so that all can come home."""


def order(
    spec: JobSpec,
    run: str,
    number: int,
    whose: str,
    stop_after: int,
    image: str | None,
    binds: Iterable[Bind] = (),
) -> Order:
    """The order of the run's attempt of that number; the job is over after `stop_after` seconds."""
    return Order(
        run=run,
        attempt=number,
        owner=whose,
        need=Need.of(spec),
        image=image,
        binds=tuple(binds),
        cache=folders.cache() / "job",
        seconds=spec.guards.boot_timeout + stop_after + SPARE,
        idle=spec.guards.idle,
    )
