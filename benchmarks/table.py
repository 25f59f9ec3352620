"""The table every benchmark prints: what, how much, its ratio, and the promise."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line; `ratio` against the first line of the table, `limit` what was promised of it."""

    what: str
    measured: str
    ratio: float | None = None
    limit: float | None = None


def show(title: str, rows: list[Row]) -> None:
    """Print the rows as a Markdown table."""
    print(f"\n### {title}\n")
    print("| what | measured | ratio | promised | kept |")
    print("|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(_cells(row)) + " |")


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    if row.limit is None or row.ratio is None:
        return row.what, row.measured, ratio, "", ""
    kept = "yes" if row.ratio <= row.limit else "NO"
    return row.what, row.measured, ratio, f"<= {row.limit:g}", kept
