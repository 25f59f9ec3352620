"""The JSON of an estimate or a report as a table, Markdown or one self-contained HTML page.

Every renderer takes a `Document` and nothing else, so that what is printed is what was stored.
"""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from . import estimate_text, report_text
from .charts import charts
from .document import Document, text

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

Format = Literal["json", "md", "html"]

MOST_ROWS: Final = 12
"""Rows a terminal shows, and those of `ALWAYS`; the other formats show all."""
ALWAYS: Final = frozenset({"chosen", "own"})
STYLES: Final = {"chosen": "bold", "misfit": "dim"}
LEFT: Final = frozenset({"where", "GPU", "market", "fits? GiB", "risk", "phase"})
"""Columns of words; the others hold numbers and stand to the right."""


def render(document: Document, format: Format) -> str:
    """The document as text in that format."""
    return _RENDERERS[format](document)


class Parts(NamedTuple):
    """What every format shows: lines, the table's headings and rows, lines."""

    above: list[str]
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    below: list[str]


def parts(document: Document) -> Parts:
    """The document as plain text that is still to be laid out."""
    words = _words(document)
    return Parts(
        words.heading(document), words.HEADINGS, words.cells(document), words.footer(document)
    )


def table(document: Document) -> "Group":
    """For `rich.console.Console.print`: heading, table and the lines below it."""
    from rich.console import Group
    from rich.text import Text

    words = _words(document)
    above, below = words.heading(document), words.footer(document)
    return Group(Text("\n".join(above)), _rich(document), Text("\n".join(below)))


def markdown(document: Document) -> str:
    """GitHub's Markdown: a heading and a list, the table, a list."""
    words = _words(document)
    marks = [":--" if name in LEFT else "--:" for name in words.HEADINGS]
    lines = [
        _md_row([_escape(name) for name in words.HEADINGS]),
        _md_row(marks),
        *(_md_row([_escape(cell) for cell in line]) for line in words.cells(document)),
    ]
    first, *others = words.heading(document)
    above, below = _bullets(others), _bullets(words.footer(document))
    return "\n".join([f"## {_escape(first)}", "", *above, "", *lines, "", *below]) + "\n"


def html(document: Document) -> str:
    """One page without a reference to the outside, light and dark, fit to print."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    words = _words(document)
    room = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    first, *others = words.heading(document)
    return room.get_template("page.html.j2").render(
        title=first,
        above=others,
        headings=words.HEADINGS,
        left=LEFT,
        rows=list(zip(_classes(document), words.cells(document), strict=True)),
        charts=list(charts(document)),
        below=words.footer(document),
        made_at=document["made_at"],
    )


def _words(document: Document) -> ModuleType:
    return report_text if document["kind"] == "report" else estimate_text


def _rich(document: Document) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    words = _words(document)
    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in words.HEADINGS:
        made.add_column(name, justify="left" if name in LEFT else "right")
    rows = list(zip(_classes(document), words.cells(document), strict=True))
    shown = [row for place, row in enumerate(rows) if place < MOST_ROWS or row[0] in ALWAYS]
    for kind, line in shown:
        made.add_row(*map(Text, line), style=STYLES.get(kind))
    if len(rows) > len(shown):
        made.caption = f"{len(rows) - len(shown)} more rows in json, md and html"
    return made


def _classes(document: Document) -> list[str]:
    """What a row is, for its look: the chosen one, one that does not fit, a sum."""
    if document["kind"] == "report":
        return [*("" for _ in document["phases"]), "chosen"]
    return [_class(row) for row in document["rows"]]


def _class(row: Document) -> str:
    if row["chosen"]:
        return "chosen"
    if row["fits"] is False:
        return "misfit"
    return "own" if row["market"] == "own" else ""


def _md_row(line: list[str]) -> str:
    return f"| {' | '.join(line)} |"


def _bullets(lines: list[str]) -> list[str]:
    return [f"- {_escape(line)}" for line in lines]


def _escape(cell: str) -> str:
    """Plain text in Markdown: no markup, no table bars, no line breaks."""
    plain = " ".join(cell.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#~" else letter for letter in plain)


_RENDERERS: Final[dict[Format, Callable[[Document], str]]] = {
    "json": text,
    "md": markdown,
    "html": html,
}
