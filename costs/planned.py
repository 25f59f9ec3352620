"""The part of a plan that a report compares with: from the plan itself, or from its stored JSON."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from .money import Cost
from .plan import Plan
from .time import Band


@dataclass(frozen=True)
class Planned:
    """The chosen row of a plan; `flops` of the job, 0 where they are not known.

    What a run did is recorded in these same `flops`: an error in how they are counted then falls
    out of the next estimate.
    """

    place: str
    usd_per_hour: Decimal
    price_as_of: date
    basis: str
    time: Band | None
    cost: Cost | None
    phases: dict[str, Band]
    flops: int


def place(provider: str, region: str, instance: str) -> str:
    """Where, in a few words; a machine of one's own has no region worth a word."""
    return " ".join(dict.fromkeys(word for word in (provider, region, instance) if word))


def of_plan(made: Plan) -> Planned:
    """The plan as it was made."""
    row, offer = made.chosen, made.offer
    return Planned(
        place=place(offer.provider, offer.region, offer.instance),
        usd_per_hour=offer.usd_per_hour,
        price_as_of=offer.as_of,
        basis=row.forecast.basis,
        time=row.time,
        cost=row.cost,
        phases=row.forecast.phases,
        flops=made.estimate.size.flops if made.estimate.size else 0,
    )


def of_document(document: dict[str, Any]) -> Planned | None:
    """The plan in the JSON that `document.of_plan` wrote; None when nothing is chosen."""
    row = next((row for row in document["rows"] if row["chosen"]), None)
    if row is None:
        return None
    cost = row["cost_usd"]
    return Planned(
        place=place(row["provider"], row["region"], row["instance"]),
        usd_per_hour=Decimal(row["usd_per_hour"]),
        price_as_of=date.fromisoformat(row["price_as_of"]),
        basis=row["basis"],
        time=Band(**row["time_s"]) if row["time_s"] else None,
        cost=Cost(*(Decimal(cost[name]) for name in ("p10", "p50", "p90"))) if cost else None,
        phases={name: Band(**band) for name, band in row["phases_s"].items()},
        flops=document["job"]["flops"] or 0,
    )
