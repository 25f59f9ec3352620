"""`longshore offers`: the machines one could have, cheapest first, with the age of each price."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TypeVar

import click

from ..configs.gpus import parse_gpu
from ..configs.spec import Spot
from ..configs.units import parse_usd
from ..costs.estimate import within_bid
from ..costs.words import mib, money
from ..errors import ConfigError, NoOfferError, did_you_mean
from ..providers import catalog
from ..providers.base import Need, Offer
from .markets import local_offers, rented_offers
from .output import Table, show, show_json

Value = TypeVar("Value")

HEADINGS = ("WHERE", "INSTANCE", "GPU", "VRAM", "MARKET", "$/H", "SOURCE", "AGE", "NOTE")
RIGHT = frozenset({"VRAM", "$/H", "AGE"})


@click.command()
@click.option("--gpu", help='GPU and count, for example "RTX 4090" or A100-80GB:2.')
@click.option("--provider", "names", multiple=True, help="Only this one; may be given again.")
@click.option(
    "--spot",
    type=click.Choice(["never", "prefer", "only"]),
    default="prefer",
    show_default=True,
    help="Which markets to show.",
)
@click.option("--bid-price", help="At most this, in USD per GPU-hour.")
@click.option("--limit", default=20, show_default=True, help="Rows to show; 0 for all.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def offers(
    gpu: str | None,
    names: tuple[str, ...],
    spot: Spot,
    bid_price: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """The machines one could have, cheapest first; live with an account, else with their age."""
    need = Need(
        gpu=None if gpu is None else _said("--gpu", parse_gpu, gpu),
        spot=spot,
        bid=None if bid_price is None else _said("--bid-price", parse_usd, bid_price),
    )
    found = [offer for offer in _find(need, names) if within_bid(offer, need.bid)]
    if not found:
        raise NoOfferError("nothing on offer fits", "ask for another GPU, market or bid")
    shown = found[:limit] if limit else found
    _show(shown, len(found), as_json)


def _find(need: Need, names: tuple[str, ...]) -> list[Offer]:
    known = ("local", *catalog.PROVIDERS)
    for name in names:
        if name not in known:
            raise ConfigError(f"no prices of {name!r}", did_you_mean(name, known), "--provider")
    asked = names or known
    here = local_offers(need) if "local" in asked else []
    return [*here, *rented_offers(need, [name for name in asked if name != "local"])]


def _said(flag: str, parse: Callable[[str], Value], text: str) -> Value:
    """The flag's value; a fault names the flag."""
    try:
        return parse(text)
    except ConfigError as error:
        raise ConfigError(str(error), error.hint, flag) from error


def _show(found: list[Offer], total: int, as_json: bool) -> None:
    if as_json:
        show_json([asdict(offer) for offer in found])
        return
    show(Table(HEADINGS, [_row(offer) for offer in found], RIGHT))
    if len(found) < total:
        click.echo(f"{len(found)} of {total} shown; --limit 0 shows all")


def _row(offer: Offer) -> tuple[str, ...]:
    place = " ".join(part for part in (offer.provider, offer.region, offer.zone) if part)
    age = (datetime.now(UTC).date() - offer.as_of).days
    return (
        place,
        offer.instance,
        f"{offer.gpu} x{offer.gpu_count}" if offer.gpu else "-",
        mib(offer.vram_mib) if offer.gpu else "-",
        offer.market,
        money(offer.usd_per_hour),
        offer.source,
        f"{age}d",
        _remark(offer),
    )


def _remark(offer: Offer) -> str:
    stock = f"stock {offer.stock}" if offer.stock else ""
    return "; ".join(part for part in (stock, offer.note or offer.interruption_band) if part)
