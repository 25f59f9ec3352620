"""Range bars for a page: P10 to P90 with a mark at P50, on a log axis, in percent of its width."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log10

from .document import Document
from .estimate_text import where
from .words import money, rough


@dataclass(frozen=True)
class Bar:
    """One bar: where it starts, how wide it is and where its mark stands, 0 to 100."""

    label: str
    start: float
    width: float
    mark: float
    text: str


@dataclass(frozen=True)
class Chart:
    caption: str
    bars: tuple[Bar, ...]
    low: str
    high: str


def charts(document: Document) -> Iterator[Chart]:
    """Cost and time of each row of an estimate that fits and has a forecast."""
    rows = [row for row in document.get("rows", ()) if row["fits"] is not False]
    shown: tuple[tuple[str, str, Callable[[str], str]], ...] = (
        ("Cost, P10 to P90, log scale", "cost_usd", money),
        ("Time, P10 to P90, log scale", "time_s", lambda seconds: rough(float(seconds))),
    )
    for caption, key, show in shown:
        bands = [(_label(row), row[key]) for row in rows if row[key] and float(row[key]["p10"]) > 0]
        if bands:
            yield _chart(caption, bands, show)


def _label(row: Document) -> str:
    what = f"{row['gpu']} x{row['gpu_count']}" if row["gpu"] else ""
    return " ".join(word for word in (where(row), what, row["market"]) if word)


def _chart(caption: str, bands: list[tuple[str, Document]], show: Callable[[str], str]) -> Chart:
    low = min((band["p10"] for _, band in bands), key=float)
    high = max((band["p90"] for _, band in bands), key=float)
    floor = log10(float(low))
    span = log10(float(high)) - floor or 1.0

    def at(value: str) -> float:
        return round(100 * (log10(float(value)) - floor) / span, 2)

    bars = tuple(
        Bar(
            label=label,
            start=at(band["p10"]),
            width=max(0.5, round(at(band["p90"]) - at(band["p10"]), 2)),
            mark=at(band["p50"]),
            text=f"{show(band['p50'])} ({show(band['p10'])}-{show(band['p90'])})",
        )
        for label, band in bands
    )
    return Chart(caption, bars, show(low), show(high))
