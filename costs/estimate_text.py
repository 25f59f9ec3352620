"""An estimate's document in words: title, rows and the lines below."""

from collections.abc import Callable
from typing import Any, Final

from .document import Document
from .planned import place
from .words import count, duration, money, rough

HEADINGS: Final = (
    "#",
    "where",
    "GPU",
    "market",
    "fits? GiB",
    "$/h",
    "time P50 (P10-P90)",
    "cost P50 (P10-P90)",
    "vs best",
    "risk",
)
FITS: Final = {True: "yes", False: "no", None: "?"}
BASIS: Final = {
    "measured-here": "runs like this one on the same device",
    "measured-other-gpu": "runs like this one on another device, scaled",
    "prior": "no run like this one yet: 20 to 50 % of the device's peak",
    "unknown": "nothing known",
}


def heading(document: Document) -> list[str]:
    """Job, model and size; a command has only its name."""
    job = document["job"]
    if job["params"] is None:
        return [f"Estimate: {job['name']}"]
    about = "" if job["params_exact"] else "about "
    model = f"{job['model']}: {about}{count(job['params'])} parameters"
    work = f"{count(job['tokens'])} tokens in {job['steps']} steps"
    return [
        f"Estimate: {job['name']}",
        f"{job['recipe']} of {model}, {count(job['trainable'])} trained",
        f"{work}, precision {job['precision']}, {job['flops']:.2e} operations",
    ]


def cells(document: Document) -> list[tuple[str, ...]]:
    """One tuple a row, as in `HEADINGS`; the chosen row's number has a star."""
    return [_cells(number, row) for number, row in enumerate(document["rows"], start=1)]


def where(row: Document) -> str:
    """Provider, region with its zone, and the kind of machine unless that is the GPU's name."""
    spot = "-".join(word for word in (row["region"], row["zone"]) if word)
    is_said = row["gpu"] is not None and row["gpu"] in row["instance"]
    return place(row["provider"], spot, "" if is_said else row["instance"])


def footer(document: Document) -> list[str]:
    """Worst case and limits of the choice, what the time rests on, and what is left out."""
    bases = sorted({row["basis"] for row in document["rows"]})
    lines = [f"time rests on: {BASIS[basis]}" for basis in bases if basis != "unknown"]
    if document["above_bid"]:
        lines.append(f"{document['above_bid']} offers are above the bid")
    if document["plan"]:
        lines += _limits(document["plan"])
    lines.append(f"not included: {document['not_included']}")
    return [*lines, *document["notes"], *(f"warning: {text}" for text in document["warnings"])]


def _cells(number: int, row: Document) -> tuple[str, ...]:
    versus = row["versus_best"]
    return (
        f"{number}{'*' if row['chosen'] else ''}",
        where(row),
        f"{row['gpu']} x{row['gpu_count']}" if row["gpu"] else "-",
        row["market"],
        _fits(row),
        money(row["usd_per_hour"]),
        _range(row["time_s"], rough),
        _range(row["cost_usd"], money),
        "-" if versus is None else f"{versus:.2f}x",
        risk(row),
    )


def _fits(row: Document) -> str:
    """The answer, and the memory needed and there in GiB."""
    need, have = row["need_mib"], row["have_mib"]
    if need is None:
        return FITS[row["fits"]]
    there = "?" if have is None else f"{have / 1024:.0f}"
    return f"{FITS[row['fits']]} {need / 1024:.1f}/{there}"


def _range(band: Document | None, show: Callable[[Any], str]) -> str:
    if band is None:
        return "not known"
    return f"{show(band['p50'])} ({show(band['p10'])}-{show(band['p90'])})"


def risk(row: Document) -> str:
    """What may take the machine away: the share interrupted in a month, or the stock."""
    if row["market"] == "spot":
        return f"interrupted {row['interruption_band'] or '?'}"
    return row["stock"] or "-"


def _limits(plan: Document) -> list[str]:
    guards = plan["guards"]
    stop = f"stopped after {duration(plan['stop_after_s'])} at the latest"
    budget = f", max_cost {money(guards['max_cost_usd'])}" if guards["max_cost_usd"] else ""
    lines = [
        f"worst case {money(plan['worst_case_usd'])}: {stop}",
        f"limits: max_time {duration(guards['max_time_s'])}{budget}, "
        f"idle {duration(guards['idle_s'])}, boot {duration(guards['boot_timeout_s'])}",
    ]
    left = plan["budget_left_usd"]
    return [*lines, f"left of max_cost after a P90 run: {money(left)}"] if left else lines
