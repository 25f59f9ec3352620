"""What RunPod sells, whoever told us: its catalog, its bids, or the bundled prices."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from ...configs.gpus import GpuKind, candidates, find, matches
from .. import catalog
from ..base import MarketKind, Need, PriceSource

Cloud = Literal["secure", "community"]
CLOUDS: Final[tuple[Cloud, ...]] = ("secure", "community")
ANYWHERE: Final = "anywhere"
NONE: Final = "none"


@dataclass(frozen=True)
class Sale:
    """One kind of GPU in one cloud; `usd` is an hour of one GPU, `most` how many one machine has.

    `stock` has a word for each data center and one for ANYWHERE; nothing where it is not known.
    """

    instance: str
    kind: GpuKind
    cloud: Cloud
    usd: Decimal
    source: PriceSource
    as_of: date
    most: int = catalog.MOST_PODS
    market: MarketKind = "on-demand"
    stock: Mapping[str, str] = field(default_factory=dict)

    def stock_in(self, region: str) -> str:
        """high, medium, low or none; empty where RunPod does not say."""
        return self.stock.get(region, NONE if self.stock else "")

    def is_asked(self, need: Need) -> bool:
        """Whether it is the GPU asked for; no GPU named means any that torch runs on."""
        if need.gpu is None:
            return catalog.runs_torch(self.kind.name)
        return matches(need.gpu.name, self.kind.name)


def clouds(need: Need) -> tuple[Cloud, ...]:
    """Where a job may run; a network volume is in the secure cloud only."""
    if need.runpod.volume:
        return ("secure",)
    return CLOUDS if need.runpod.cloud == "any" else (need.runpod.cloud,)


def min_cuda(need: Need) -> str | None:
    """The oldest CUDA that a machine's driver may have; a job on the CPU takes any."""
    return None if need.device == "cpu" else need.runpod.min_cuda


def kind_of(instance: str, name: str = "", memory: int = 0) -> GpuKind | None:
    """The one kind of `gpus.csv` an id means, else its name; None for any other, and for a slice.

    Of a GPU without facts on its speed and memory nothing could be planned. `memory` in GB, where
    it is known: makers and clouds count it differently, by no more than a tenth.
    """
    for word in (instance, name):
        found = candidates(word) if word else []
        if len(found) == 1 and _alike(memory, found[0].memory_gib):
            return found[0]
    return None


def bundled(need: Need) -> list[Sale]:
    """The bundled prices; no stock is known of them."""
    plain = replace(need, gpu=None, spot="never", cpus=None, memory=None)
    one = catalog.offers(plain, ["runpod"])
    named = [] if need.gpu is None else catalog.offers(replace(plain, gpu=need.gpu), ["runpod"])
    offers = {(offer.instance, offer.region): offer for offer in [*named, *one]}
    return [
        Sale(
            offer.instance,
            find(offer.gpu),
            "secure" if offer.region == "secure" else "community",
            offer.usd_per_hour / offer.gpu_count,
            offer.source,
            offer.as_of,
        )
        for offer in offers.values()
        if offer.gpu
    ]


def _alike(told: int, known: int) -> bool:
    return not told or abs(told - known) <= known / 10
