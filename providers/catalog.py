"""Offers from the bundled prices: no account and no network, each with the date of its price."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from ..configs.gpus import find, matches
from ..errors import ProviderError, did_you_mean
from .base import Need, Offer
from .price_tables import PRICES, READERS

MOST_PODS: Final = 8
"""GPUs one RunPod pod can have; the price is for one, so a pod of n costs n times as much."""

OLDEST_CAPABILITY: Final = (7, 5)
"""CUDA 13 wheels of torch start at Turing: an older GPU is offered only when it is named."""

PROVIDERS: Final = tuple(READERS)


def offers(need: Need, providers: Iterable[str], folder: Path = PRICES) -> list[Offer]:
    """What the bundled prices have for this need, cheapest first.

    No GPU named means any one GPU that torch's CUDA wheels run on. The bid is not looked at here:
    the estimate says how many offers it keeps out. Raises ProviderError for a provider without
    bundled prices, DataError for a price file that is broken.
    """
    found = [offer for name in providers for offer in _all(name, folder)]
    sized = [_sized(offer, need) for offer in found]
    return sorted((offer for offer in sized if _fits(offer, need)), key=_rank)


@cache
def _all(provider: str, folder: Path) -> tuple[Offer, ...]:
    if provider not in READERS:
        message = f"no bundled prices for {provider!r}"
        raise ProviderError(message, did_you_mean(provider, READERS))
    return tuple(READERS[provider](folder))


def _sized(offer: Offer, need: Need) -> Offer:
    """A pod with as many GPUs as asked for; an instance has the number it has."""
    count = need.gpu.count if need.gpu else 1
    if offer.provider != "runpod" or count > MOST_PODS:
        return offer
    return replace(offer, gpu_count=count, usd_per_hour=offer.usd_per_hour * count)


def _fits(offer: Offer, need: Need) -> bool:
    return (
        _is_gpu(offer, need)
        and _in_market(offer, need)
        and _enough(offer.vcpus, need.cpus)
        and _enough(offer.memory_mib, need.memory and need.memory / 2**20)
    )


def _is_gpu(offer: Offer, need: Need) -> bool:
    if need.gpu is None:
        return offer.gpu_count == 1 and runs_torch(offer.gpu)
    return _matches(need.gpu.name, offer.gpu) and offer.gpu_count >= need.gpu.count


@cache
def _matches(asked: str, offered: str | None) -> bool:
    return offered is not None and matches(asked, offered)


@cache
def runs_torch(gpu: str | None) -> bool:
    """Whether torch's CUDA wheels run on it; AMD's have no `major.minor` capability."""
    major, dot, minor = find(gpu).capability.partition(".") if gpu else ("", "", "")
    return bool(dot) and (int(major), int(minor)) >= OLDEST_CAPABILITY


def _in_market(offer: Offer, need: Need) -> bool:
    wanted = {"never": {"on-demand"}, "prefer": {"on-demand", "spot"}, "only": {"spot"}}
    return offer.market in wanted[need.spot]


def _enough(have: float | None, want: float | None) -> bool:
    return have is None or want is None or have >= want


def _rank(offer: Offer) -> tuple[object, ...]:
    return offer.usd_per_hour, offer.provider, offer.region, offer.zone, offer.instance
