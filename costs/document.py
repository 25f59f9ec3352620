"""Estimates and reports as JSON, `longshore.cost/v1`; every other format is made from this one.

Money is a string with 4 places, USD; times are UTC in ISO 8601; seconds are numbers with one place;
what is not known is null, never NaN.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Any, Final

from ..configs.spec import JobSpec
from ..errors import DataError
from .estimate import Estimate, Row
from .money import Cost, usd
from .plan import Plan
from .planned import Planned
from .report import Leftover, PhaseLine, Report
from .size import JobSize
from .time import Band

SCHEMA: Final = "longshore.cost/v1"
NOT_INCLUDED: Final = (
    "taxes, disks, public addresses and data leaving the cloud; "
    "of your own machine: what it cost to buy"
)

Document = dict[str, Any]


def of_estimate(made: Estimate, chosen: Row | None = None) -> Document:
    """The table before spending; `chosen` marks a row."""
    return {
        "schema": SCHEMA,
        "kind": "estimate",
        "made_at": _instant(made.made_at),
        "job": _job(made.spec, made.size),
        "rows": [_row(row, made.best, row is chosen) for row in made.rows],
        "above_bid": made.above_bid,
        "plan": None,
        "not_included": NOT_INCLUDED,
        "notes": list(made.size.notes) if made.size else [],
        "warnings": list(made.warnings),
    }


def of_plan(made: Plan) -> Document:
    """The table with the choice, its worst case and the limits that will hold."""
    guards = made.estimate.spec.guards
    limits = {
        "stop_after_s": made.stop_after,
        "worst_case_usd": _money(made.worst_case),
        "budget_left_usd": _money(made.budget_left),
        "guards": {
            "max_cost_usd": _money(guards.max_cost),
            "max_time_s": guards.max_time,
            "idle_s": guards.idle,
            "boot_timeout_s": guards.boot_timeout,
        },
    }
    document = of_estimate(made.estimate, made.chosen)
    return document | {"plan": limits, "warnings": [*document["warnings"], *made.warnings]}


def of_report(made: Report) -> Document:
    """The run beside its plan."""
    ran = made.actual
    return {
        "schema": SCHEMA,
        "kind": "report",
        "made_at": _instant(made.made_at),
        "run": ran.run,
        "job": ran.job,
        "status": ran.status,
        "reason": ran.reason,
        "started_at": _instant(ran.start),
        "ended_at": _instant(ran.end),
        "attempts": ran.attempts,
        "interruptions": ran.interruptions,
        "usd_per_hour": _money(ran.usd_per_hour),
        "basis": "metered" if ran.billed is None else "invoiced",
        "billed_usd": _money(ran.billed),
        "planned": _planned(made.planned) if made.planned else None,
        "phases": [_phase(line) for line in made.lines],
        "billed_s": _number(made.billed_s, 1),
        "cost_usd": _money(made.cost),
        "waste_s": _number(made.waste_s, 1),
        "time_error_percent": _number(made.time_error, 1),
        "cost_error_percent": _number(made.cost_error, 1),
        "inside_band": made.inside_band,
        "work": _work(made),
        "outputs": asdict(ran.outputs) if ran.outputs else None,
        "teardown": {
            "provider": ran.provider,
            "machine": ran.machine,
            "gone_at": _instant(ran.gone_at) if ran.gone_at else None,
        },
        "leftovers": [_leftover(left) for left in ran.leftovers],
    }


def text(document: Document) -> str:
    """The JSON as it is printed and stored."""
    return json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def parse(content: str) -> Document:
    """A stored document; raises DataError for one that is damaged or of another version."""
    try:
        document: Document = json.loads(content)
        known = document["schema"] == SCHEMA
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"the stored {SCHEMA} document is damaged: {error}") from error
    if not known:
        raise DataError(f"{document['schema']} is not {SCHEMA}", "another version wrote it")
    return document


def _job(spec: JobSpec, size: JobSize | None) -> Document:
    train = spec.train
    return {
        "name": spec.name,
        "recipe": train.recipe if train else None,
        "model": train.model if train else None,
        "params": size.model.params if size else None,
        "params_exact": size.model.exact if size else None,
        "trainable": size.model.trainable if size else None,
        "tokens": size.tokens if size else None,
        "steps": size.steps if size else None,
        "sequence_length": size.sequence_length if size else None,
        "precision": train.precision if train else None,
        "flops": size.flops if size else None,
    }


def _row(row: Row, best: Row | None, chosen: bool) -> Document:
    offer = row.offer
    return {
        "chosen": chosen,
        "provider": offer.provider,
        "region": offer.region,
        "zone": offer.zone,
        "instance": offer.instance,
        "gpu": offer.gpu,
        "gpu_count": offer.gpu_count,
        "market": offer.market,
        "usd_per_hour": _money(offer.usd_per_hour),
        "price_source": offer.source,
        "price_as_of": offer.as_of.isoformat(),
        "price_age_days": row.age_days,
        "same_kind": row.same_kind,
        "need_mib": row.need_mib,
        "have_mib": row.have_mib,
        "fits": row.fits,
        "basis": row.forecast.basis,
        "time_s": _band(row.time) if row.time else None,
        "phases_s": {name: _band(band) for name, band in row.forecast.phases.items()},
        "cost_usd": _cost(row.cost) if row.cost else None,
        "versus_best": _versus(row, best),
        "interruption_band": offer.interruption_band,
        "stock": offer.stock,
        "note": offer.note,
    }


def _versus(row: Row, best: Row | None) -> float | None:
    """The cost as a multiple of the best row's; nothing to compare with is null."""
    if not (row.cost and best and best.cost and best.cost.p50):
        return None
    return _number(float(row.cost.p50 / best.cost.p50), 2)


def _planned(plan: Planned) -> Document:
    return {
        "place": plan.place,
        "usd_per_hour": _money(plan.usd_per_hour),
        "price_as_of": plan.price_as_of.isoformat(),
        "basis": plan.basis,
        "time_s": _band(plan.time) if plan.time else None,
        "cost_usd": _cost(plan.cost) if plan.cost else None,
    }


def _work(made: Report) -> Document:
    ran = made.actual
    return {
        "steps": ran.steps,
        "tokens": ran.tokens,
        "tokens_per_s": _number(ran.tokens_per_s, 1),
        "eval_loss": _number(ran.eval_loss, 4),
        "baseline": _number(ran.baseline, 4),
        "usd_per_1k_steps": _money(made.usd_per_1k_steps),
        "usd_per_1m_tokens": _money(made.usd_per_1m_tokens),
    }


def _phase(line: PhaseLine) -> Document:
    return {
        "name": line.name,
        "planned_s": _number(line.planned_s, 1),
        "actual_s": _number(line.actual_s, 1),
        "planned_usd": _money(line.planned_usd),
        "actual_usd": _money(line.actual_usd),
    }


def _leftover(left: Leftover) -> Document:
    return {"what": left.what, "id": left.id, "usd_per_month": _money(left.usd_per_month)}


def _band(band: Band) -> Document:
    return {name: _number(value, 1) for name, value in asdict(band).items()}


def _cost(cost: Cost) -> Document:
    return {name: _money(value) for name, value in asdict(cost).items()}


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{usd(amount):f}"


def _number(value: float | None, places: int) -> float | None:
    return round(value, places) if value is not None and isfinite(value) else None


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
