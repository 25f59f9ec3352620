"""`longshore config explain`: each setting and the layer it came from."""

from pathlib import Path

import click

from ..environments.resolve import explain as explained
from .options import job_options, options
from .output import Table, show, show_json


@click.group()
def config() -> None:
    """Explain the job's settings and where each came from."""


@config.command()
@job_options
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def explain(config: Path | None, env: str | None, as_json: bool) -> None:
    """Print each value of the job and the layer that set it."""
    lines = explained(options(config, env).resolve())
    if as_json:
        keys = ("path", "value", "layer", "where")
        show_json([{key: getattr(line, key) for key in keys} for line in lines])
        return
    rows = [(line.path, line.text, line.layer, line.where) for line in lines]
    show(Table(("SETTING", "VALUE", "FROM", "WHERE"), rows))
