"""From what RunPod sells to the offers that fit a job, cheapest first, or why there are none."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from ...errors import NoCapacityError, NoOfferError, did_you_mean
from ..base import Need, Offer
from ..price_tables import USABLE_MIB
from .disks import Disks
from .sales import ANYWHERE, NONE, Sale, clouds

MARKETS: Final = {"never": {"on-demand"}, "prefer": {"on-demand", "spot"}, "only": {"spot"}}
LEVELS: Final = ("high", "medium", "low", "")
"""Stock, the fullest first; a word we do not know counts as none said."""
SHOWN: Final = 3


def fitting(sales: Iterable[Sale], need: Need, home: str = "") -> list[Offer]:
    """The offers that fit, cheapest first; `home` is the data center of the job's network volume.

    Raises:
        NoOfferError: RunPod does not sell it, with the nearest name or cloud.
        NoCapacityError: it does and has none now, with the nearest that it has.
    """
    everything = list(sales)
    asked = _asked(everything, need)
    offers = [offer for sale in asked for offer in _offers(sale, need, home)]
    there = [offer for offer in offers if offer.stock != NONE]
    if not there:
        raise _sold_out(everything, asked, need, home)
    kinds = sorted({offer.gpu for offer in there if offer.gpu})
    order = regions(need, home)
    return sorted(_noted(there, need, kinds), key=lambda offer: _rank(offer, order))


def regions(need: Need, home: str) -> tuple[str, ...]:
    """The data centers to ask, in order; raises NoOfferError where the volume is in another."""
    listed = need.runpod.data_centers
    if home and listed and home not in listed:
        raise NoOfferError(
            f"the network volume {need.runpod.volume!r} is in {home}, "
            f"which runpod.data_centers leaves out",
            f"add {home} to runpod.data_centers, or leave them out",
        )
    return (home,) if home else listed or (ANYWHERE,)


def _asked(sales: list[Sale], need: Need) -> list[Sale]:
    """The sales of this GPU, in this market and cloud, in machines with so many of them."""
    count = need.gpu.count if need.gpu else 1
    found = [sale for sale in sales if sale.is_asked(need)]
    if not found:
        names = sorted({sale.kind.name for sale in sales})
        raise NoOfferError(f"RunPod has no {need.gpu or 'GPU'}", did_you_mean(_name(need), names))
    found = [sale for sale in found if sale.market in MARKETS[need.spot]]
    if not found:
        raise NoCapacityError(
            f"RunPod accepts no bids for {_name(need)}",
            "it is withdrawing them: market.spot: prefer takes on-demand machines as well",
        )
    here = [sale for sale in found if sale.cloud in clouds(need)]
    if not here:
        message = f"RunPod has {_name(need)} only in its {found[0].cloud} cloud"
        raise NoOfferError(message, "set runpod.cloud to any, and leave runpod.volume out")
    enough = [sale for sale in here if sale.most >= count]
    if not enough:
        most = max(sale.most for sale in here)
        raise NoOfferError(f"one RunPod machine has at most {most} {_name(need)}, not {count}")
    return enough


def _offers(sale: Sale, need: Need, home: str) -> Iterator[Offer]:
    count = need.gpu.count if need.gpu else 1
    disks = Disks.of(need).usd_per_hour
    for region in regions(need, home):
        yield Offer(
            provider="runpod",
            region=region,
            instance=sale.instance,
            gpu=sale.kind.name,
            gpu_count=count,
            market=sale.market,
            usd_per_hour=sale.usd * count + disks,
            source=sale.source,
            as_of=sale.as_of,
            zone=sale.cloud,
            vram_mib=USABLE_MIB.get(sale.kind.name, sale.kind.memory_mib),
            stock=sale.stock_in(region),
            disk_usd_per_hour=disks,
        )


def _noted(offers: list[Offer], need: Need, kinds: list[str]) -> Iterator[Offer]:
    """A name that means several GPUs is said aloud with each of them."""
    several = need.gpu is not None and len(kinds) > 1
    note = f"{_name(need)!r} names {', '.join(kinds)}: all are tried by price" if several else ""
    return (replace(offer, note=note) for offer in offers)


def _rank(offer: Offer, order: tuple[str, ...]) -> tuple[Decimal, int, int, str, str]:
    level = LEVELS.index(offer.stock if offer.stock in LEVELS else "")
    return offer.usd_per_hour, order.index(offer.region), level, offer.instance, offer.zone


def _sold_out(sales: list[Sale], asked: list[Sale], need: Need, home: str) -> NoCapacityError:
    where = ", ".join(regions(need, home))
    place = "anywhere" if where == ANYWHERE else f"in {where}"
    near = [*_elsewhere(asked), *_others(sales, asked)][:SHOWN]
    hint = f"there is {'; '.join(near)}" if near else "wait for one with --wait 1h"
    return NoCapacityError(f"RunPod has no {need.gpu or 'GPU'} free {place}", hint)


def _elsewhere(asked: list[Sale]) -> list[str]:
    """The same GPU in other data centers."""
    found = [
        (sale.usd, sale, region, word)
        for sale in asked
        for region, word in sale.stock.items()
        if word != NONE and region != ANYWHERE
    ]
    found.sort(key=lambda row: (row[0], row[2]))
    return [_shown(sale, word, region) for _, sale, region, word in found]


def _others(sales: list[Sale], asked: list[Sale]) -> list[str]:
    """Other GPUs with at least as much memory that are there, the nearest in price first."""
    least = min(sale.kind.memory_gib for sale in asked)
    found = [
        sale
        for sale in sales
        if sale not in asked
        and sale.kind.memory_gib >= least
        and sale.market == "on-demand"
        and sale.stock_in(ANYWHERE) not in (NONE, "")
    ]
    price = min(sale.usd for sale in asked)
    found.sort(key=lambda sale: abs(sale.usd - price))
    return [_shown(sale, sale.stock_in(ANYWHERE), sale.cloud) for sale in found]


def _shown(sale: Sale, stock: str, where: str) -> str:
    return f"{sale.kind.name} in {where} at {sale.usd} USD a GPU-hour (stock {stock})"


def _name(need: Need) -> str:
    return need.gpu.name if need.gpu else "any GPU"
