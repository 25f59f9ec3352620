"""Tables and JSON on standard output: rich on a terminal, aligned plain lines in a pipe."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Table:
    """Rows of text under headings; `right` names the columns that hold numbers."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    right: frozenset[str] = frozenset()
    empty: str = "nothing to show"


def show(table: Table) -> None:
    """Print the table the way its reader can use it."""
    if not table.rows:
        click.echo(table.empty)
    elif is_terminal():
        show_rich(_rich(table))
    else:
        click.echo("\n".join(plain_lines(table)))


def show_rich(renderable: "RenderableType") -> None:
    """Print something rich on the terminal."""
    from rich.console import Console

    Console().print(renderable)


def show_json(value: object) -> None:
    """Print one JSON document; dates and money as text."""
    click.echo(json.dumps(value, indent=2, default=str))


def is_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout.isatty()


def plain_lines(table: Table) -> list[str]:
    """The table as aligned lines without colour or frame."""
    cells = [table.headings, *table.rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.headings))]
    return [_line(table, row, widths) for row in cells]


def _line(table: Table, row: tuple[str, ...], widths: list[int]) -> str:
    parts = (
        text.rjust(width) if heading in table.right else text.ljust(width)
        for heading, text, width in zip(table.headings, row, widths, strict=True)
    )
    return "  ".join(parts).rstrip()


def _rich(table: Table) -> "RenderableType":
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in table.headings:
        drawn.add_column(heading, justify="right" if heading in table.right else "left")
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    return drawn
