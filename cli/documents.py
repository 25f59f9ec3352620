"""A cost document the way the user asked for it: the options, and the showing."""

from collections.abc import Callable
from typing import Literal, TypeVar

import click

from ..costs.document import Document
from ..costs.render import render, table
from .output import show_rich

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
        show_rich(table(document))
    else:
        click.echo(render(document, shape), nl=False)
