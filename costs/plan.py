"""The choice: which offer, what it can cost at worst, and the limits that hold it there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from ..configs.spec import JobSpec
from ..errors import GuardError, NoCapacityError, NoOfferError
from ..providers.base import Offer
from .estimate import Estimate, Row, estimate
from .history import Perf
from .money import HOUR, for_seconds
from .words import duration, enough, mib, money

RUNNERS_UP: Final = 3


@dataclass(frozen=True)
class Used:
    """What earlier machines of the same run have used up."""

    usd: Decimal = Decimal(0)
    seconds: float = 0.0


NOTHING: Final = Used()


@dataclass(frozen=True)
class Plan:
    """What will be asked for. `stop_after` is max_time, or less when max_cost is spent before.

    `candidates` are the offers that will do, in the order to try them: the chosen one first.
    """

    estimate: Estimate
    chosen: Row
    runners_up: tuple[Row, ...]
    stop_after: int
    worst_case: Decimal
    warnings: tuple[str, ...]
    candidates: tuple[Offer, ...]

    def on(self, offer: Offer, before: "Used" = NOTHING) -> "Plan":
        """The plan with another of its candidates, after what earlier machines have used up.

        Raises GuardError when nothing is left of max_cost or max_time.
        """
        row = next(row for row in self.estimate.rows if offer in row.kind)
        return _planned(self.estimate, row.on(offer), before)

    @property
    def offer(self) -> Offer:
        """What to ask the provider for."""
        return self.chosen.offer

    @property
    def budget_left(self) -> Decimal | None:
        """What max_cost leaves after a P90 run; None without a limit or without a forecast."""
        limit, cost = self.estimate.spec.guards.max_cost, self.chosen.cost
        return limit - cost.p90 if limit is not None and cost else None


def plan(
    spec: JobSpec,
    offers: Iterable[Offer],
    project: Path,
    now: datetime | None = None,
    history: Sequence[Perf] | None = None,
) -> Plan:
    """The cheapest offer that fits, and the limits around it.

    Raises NoOfferError when nothing is left to choose, GuardError when even a lucky run costs more
    than max_cost, DataError for a broken model file.
    """
    return choose(estimate(spec, project, offers, now or datetime.now(UTC), history))


def choose(made: Estimate) -> Plan:
    """The plan of an estimate; raises as `plan` does."""
    chosen = made.best or _own(made)
    if chosen is None:
        raise _none(made)
    return _planned(made, chosen, NOTHING)


def _planned(made: Estimate, chosen: Row, before: Used) -> Plan:
    _refuse_above_budget(made.spec, chosen)
    stop = stop_after(made.spec, chosen.offer, before)
    others = [row for row in made.rows if row.offer not in chosen.kind and row.fits is not False]
    return Plan(
        estimate=made,
        chosen=chosen,
        runners_up=tuple(others[:RUNNERS_UP]),
        stop_after=stop,
        worst_case=for_seconds(chosen.offer.usd_per_hour, stop),
        warnings=tuple(_warnings(made.spec, chosen, stop)),
        candidates=tuple(_candidates(chosen, others)),
    )


def _candidates(chosen: Row, others: Iterable[Row]) -> Iterable[Offer]:
    yield chosen.offer
    for row in (chosen, *others):
        yield from (offer for offer in row.kind if offer is not chosen.offer)


def stop_after(spec: JobSpec, offer: Offer, before: Used = NOTHING) -> int:
    """Seconds after which the run is ended: what is left of max_time, or of max_cost.

    Raises GuardError when nothing is.
    """
    limit, price = spec.guards.max_cost, offer.usd_per_hour
    time = spec.guards.max_time - before.seconds
    if time <= 0 or (limit is not None and limit <= before.usd):
        spent = f"{money(before.usd)} and {duration(before.seconds)} are used up"
        raise GuardError(spent, "raise guards.max_cost or guards.max_time")
    if limit is None or not price:
        return int(time)
    return min(int(time), int((limit - before.usd) * HOUR / price))


def _own(made: Estimate) -> Row | None:
    """The user's own machine is worth a try where the rule says no: nothing is rented."""
    return next((row for row in made.rows if row.offer.market == "own"), None)


def _none(made: Estimate) -> NoOfferError:
    if made.rows:
        nearest = max(made.rows, key=lambda row: row.have_mib or 0)
        need, have = mib(nearest.need_mib), mib(nearest.have_mib)
        message = f"the job needs about {need} of memory, the largest on offer has {have}"
        hint = "set train.gradient_checkpointing, or a smaller sequence_length or micro_batch"
        return NoOfferError(message, hint)
    if made.above_bid:
        bid = made.spec.market.bid or Decimal(0)
        would_do = enough(made.least_above or Decimal(0))
        message = (
            f"all {made.above_bid} offers are above the bid of {money(bid)} a GPU-hour: "
            f"the cheapest is {would_do}"
        )
        return NoCapacityError(message, f"raise market.bid to {would_do}, or wait with --wait 1h")
    return NoOfferError("nothing is on offer for this job", "ask for another GPU or provider")


def _refuse_above_budget(spec: JobSpec, row: Row) -> None:
    limit = spec.guards.max_cost
    if limit is not None and row.cost and row.cost.p10 > limit:
        message = f"even a lucky run costs {money(row.cost.p10)}, max_cost is {money(limit)}"
        raise GuardError(message, "raise guards.max_cost, or make the job smaller")


def _warnings(spec: JobSpec, row: Row, stop: int) -> Iterable[str]:
    if row.fits is False:
        need, have = mib(row.need_mib), mib(row.have_mib)
        yield f"may not fit: needs about {need} by rule, this machine has {have}"
    if row.time and row.time.p90 > stop:
        which = "max_time" if stop == spec.guards.max_time else "max_cost"
        slow = duration(row.time.p90)
        yield f"a slow run takes {slow}, {which} ends it after {duration(stop)} with a checkpoint"
