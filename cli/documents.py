"""A cost document the way the user asked for it: the options, and the showing."""

from collections.abc import Callable
from typing import Literal, TypeVar

import click

from ..costs.document import Document
from ..costs.render import LEFT, parts, render, table
from .output import Table, is_terminal, plain_lines, show_rich

Command = TypeVar("Command", bound=Callable[..., object])
Shape = Literal["table", "json", "md", "html"]


def document_options(command: Command) -> Command:
    """Add `--format` and `--json`; the command gets them as `shape` and `as_json`."""
    command = click.option("--json", "as_json", is_flag=True, help="The same as --format json.")(
        command
    )
    return click.option(
        "--format",
        "shape",
        type=click.Choice(["table", "json", "md", "html"]),
        default="table",
        show_default=True,
    )(command)


def show_document(document: Document, shape: Shape, as_json: bool) -> None:
    """Print it; everything but the table is exact and can be stored."""
    if as_json:
        shape = "json"
    if shape == "table":
        _show_table(document)
    else:
        click.echo(render(document, shape), nl=False)


def _show_table(document: Document) -> None:
    """Drawn for a person; in a pipe every row, as plain lines."""
    if is_terminal():
        show_rich(table(document))
        return
    above, headings, rows, below = parts(document)
    lines = plain_lines(Table(headings, rows, frozenset(headings) - LEFT))
    click.echo("\n".join([*above, "", *lines, "", *below]))
