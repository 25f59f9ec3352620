"""What a job would take and cost on each offer, before anything is rented."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from ..configs.spec import JobSpec
from ..providers.base import Offer
from . import history as records
from .history import Perf
from .memory import fits, have_mib, need_mib
from .money import Cost, for_band
from .size import JobSize, size, unknown
from .time import Band, Forecast, forecast

OLD_DAYS: Final = 30
OLD_SLACK: Final = 0.10
"""A bundled price older than `OLD_DAYS` widens the cost band by this share."""


@dataclass(frozen=True)
class Row:
    """One offer and what the job would do on it; `kind`: it and the dearer ones of its kind."""

    offer: Offer
    forecast: Forecast
    cost: Cost | None
    need_mib: int | None
    have_mib: int | None
    age_days: int
    kind: tuple[Offer, ...]

    @property
    def same_kind(self) -> int:
        """How many offers of its kind cost more."""
        return len(self.kind) - 1

    def on(self, offer: Offer) -> "Row":
        """The same job on another offer of this kind."""
        return replace(self, offer=offer, cost=_cost(offer, self.time, self.age_days))

    @property
    def fits(self) -> bool | None:
        """By the rule of `memory`; None when either side is unknown."""
        return fits(self.need_mib, self.have_mib)

    @property
    def time(self) -> Band | None:
        """Seconds in all; None when nothing is known."""
        return self.forecast.total


@dataclass(frozen=True)
class Estimate:
    """The table before spending; rows that fit come first, then the cheaper ones.

    `above_bid` offers are kept out by the bid; `least_above` is the price of one GPU-hour of the
    cheapest of them.
    """

    spec: JobSpec
    size: JobSize | None
    rows: tuple[Row, ...]
    above_bid: int
    made_at: datetime
    warnings: tuple[str, ...]
    least_above: Decimal | None = None

    @property
    def best(self) -> Row | None:
        """The cheapest row that is not known to be too small."""
        return next((row for row in self.rows if row.fits is not False), None)


def estimate(
    spec: JobSpec,
    project: Path,
    offers: Iterable[Offer],
    now: datetime,
    history: Sequence[Perf] | None = None,
) -> Estimate:
    """A row for each kind of offer, the cheapest of its kind; `history` is the user's if not given.

    `now` must know its time zone. Raises DataError for a broken model file.
    """
    past, warnings = (history, []) if history is not None else records.history()
    job = size(spec, project)
    everything = list(offers)
    payable = [offer for offer in everything if within_bid(offer, spec.market.bid)]
    above = [one.usd_per_gpu_hour for one in everything if not within_bid(one, spec.market.bid)]
    rows = [_row(spec, job, group, now.date(), past) for group in _kinds(payable)]
    if job is None:
        warnings = [*warnings, unknown(spec, project)]
    return Estimate(
        spec=spec,
        size=job,
        rows=tuple(sorted(rows, key=_rank)),
        above_bid=len(above),
        made_at=now,
        warnings=(*warnings, *_old_prices(rows)),
        least_above=min(above, default=None),
    )


def within_bid(offer: Offer, bid: Decimal | None) -> bool:
    """Whether the price of one GPU is not above the bid; what one owns has no bid."""
    return bid is None or offer.market == "own" or offer.usd_per_gpu_hour <= bid


def _kinds(offers: Iterable[Offer]) -> list[list[Offer]]:
    """Offers that differ in place and in the machine around the GPU only, cheapest first."""
    groups: dict[tuple[object, ...], list[Offer]] = {}
    for offer in sorted(offers, key=lambda offer: offer.usd_per_hour):
        what = offer.gpu or offer.instance
        key = (offer.provider, what, offer.gpu_count, offer.market)
        groups.setdefault(key, []).append(offer)
    return list(groups.values())


def _row(
    spec: JobSpec, job: JobSize | None, group: list[Offer], today: date, past: Sequence[Perf]
) -> Row:
    offer = group[0]
    expected = forecast(spec, job, offer, past)
    age = max(0, (today - offer.as_of).days)
    return Row(
        offer=offer,
        forecast=expected,
        cost=_cost(offer, expected.total, age),
        need_mib=need_mib(spec, job, gpu=offer.gpu is not None),
        have_mib=have_mib(offer),
        age_days=age,
        kind=tuple(group),
    )


def _cost(offer: Offer, time: Band | None, age: int) -> Cost | None:
    slack = OLD_SLACK if _is_old(offer, age) else 0.0
    return for_band(offer.usd_per_hour, time, slack) if time else None


def _is_old(offer: Offer, age: int) -> bool:
    return offer.source in ("bundled", "cache") and age > OLD_DAYS


def _rank(row: Row) -> tuple[bool, bool, Decimal, str]:
    price = row.cost.p50 if row.cost else row.offer.usd_per_hour
    return row.fits is False, row.cost is None, price, row.offer.provider


def _old_prices(rows: Iterable[Row]) -> list[str]:
    old = sorted({row.offer.as_of for row in rows if _is_old(row.offer, row.age_days)})
    if not old:
        return []
    since = f"{old[0]}" if len(old) == 1 else f"{old[0]} to {old[-1]}"
    return [f"bundled prices of {since} are older than {OLD_DAYS} days: cost bands are 10 % wider"]
