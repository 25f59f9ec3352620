"""A report's document in words: title, phases planned and actual, and the lines below."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from .document import Document
from .words import count, data, duration, money

HEADINGS: Final = ("phase", "planned", "actual", "planned $", "actual $")


def heading(document: Document) -> list[str]:
    """Run, how it ended and when."""
    tries, cut = document["attempts"], document["interruptions"]
    retried = f", {tries} attempts, {cut} interruptions" if tries > 1 or cut else ""
    return [
        f"Report: {document['job']}, run {document['run']}",
        f"{_ending(document)}{retried}",
        f"{document['started_at']} to {document['ended_at']}",
    ]


def cells(document: Document) -> list[tuple[str, ...]]:
    """One tuple a phase, as in `HEADINGS`, and the sum of what is billed."""
    return [*(_phase(phase) for phase in document["phases"]), _total(document)]


def footer(document: Document) -> list[str]:
    """Price, errors, waste, cost of a unit of work, outputs, and the proof that nothing runs."""
    return [*_money_lines(document), *_work_lines(document), *_end_lines(document)]


def _ending(document: Document) -> str:
    """The status, and the reason where it adds something."""
    status, reason = document["status"], document["reason"]
    return status if reason in ("", status) else f"{status}: {reason}"


def _phase(phase: Document) -> tuple[str, ...]:
    return (
        phase["name"],
        duration(phase["planned_s"]),
        duration(phase["actual_s"]),
        money(phase["planned_usd"]),
        money(phase["actual_usd"]),
    )


def _total(document: Document) -> tuple[str, ...]:
    plan = document["planned"] or {"time_s": None, "cost_usd": None}
    time, cost = plan["time_s"], plan["cost_usd"]
    return (
        "billed in all",
        duration(time["p50"] if time else None),
        duration(document["billed_s"]),
        money(cost["p50"] if cost else None),
        money(document["cost_usd"]),
    )


def _money_lines(document: Document) -> Iterator[str]:
    plan = document["planned"]
    dated = f", price of {plan['price_as_of']}, {plan['place']}" if plan else ""
    yield f"{money(document['usd_per_hour'])}/h{dated}"
    if (billed := document.get("billed_usd")) is not None:
        apart = Decimal(billed) - Decimal(document["cost_usd"])
        yield f"the provider's bill: {money(billed)}, {money(apart)} beside what was metered"
    if document["time_error_percent"] is not None:
        inside = "inside" if document["inside_band"] else "outside"
        error = document["time_error_percent"]
        yield f"forecast error: time {error:+.1f} %, {inside} P10-P90{_cost_error(document)}"
    yield f"waste: {duration(document['waste_s'])} billed without training"


def _cost_error(document: Document) -> str:
    error = document["cost_error_percent"]
    return "" if error is None else f"; cost {error:+.1f} %"


def _work_lines(document: Document) -> Iterator[str]:
    work = document["work"]
    if work["steps"] is not None:
        speed = f", {count(work['tokens_per_s'])} tokens/s" if work["tokens_per_s"] else ""
        yield f"{work['steps']} steps, {count(work['tokens'])} tokens{speed}"
    if work["usd_per_1k_steps"]:
        tokens = work["usd_per_1m_tokens"]
        million = f", {money(tokens)} per 1M tokens" if tokens else ""
        yield f"{money(work['usd_per_1k_steps'])} per 1k steps{million}"
    if work["eval_loss"] is not None:
        base = work["baseline"]
        beside = "" if base is None else f", unigram baseline {base:.4f}"
        yield f"held-out loss {work['eval_loss']:.4f} nats per token{beside}"


def _end_lines(document: Document) -> Iterator[str]:
    out, end = document["outputs"], document["teardown"]
    if out:
        yield f"outputs: {out['count']} files, {data(out['bytes'])}, in {out['where']}"
    if not end["machine"]:
        yield "no machine was made"
    elif end["gone_at"]:
        yield f"nothing left running: {end['machine']} seen gone at {end['gone_at']}"
    else:
        yield f"warning: {end['machine']} is not proven gone: run 'longshore gc'"
    for left in document["leftovers"]:
        monthly = left["usd_per_month"]
        cost = f", {money(Decimal(monthly))} a month" if monthly else ""
        yield f"left behind: {left['what']} {left['id']}{cost}"
