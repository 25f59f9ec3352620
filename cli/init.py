"""`longshore init`: write a commented longshore.yaml to start from."""

from pathlib import Path

import click

from ..configs.starter import starter
from ..errors import ConfigError

NAME = "longshore.yaml"


@click.command()
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(force: bool) -> None:
    """Write a commented longshore.yaml into this folder."""
    path = Path(NAME)
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already", "`longshore init --force` overwrites it")
    try:
        path.write_text(starter(Path.cwd().name), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {path}; next: `longshore config explain`, then `longshore deploy`")
