"""`longshore build`: have the job's image, rebuilding only what changed."""

from dataclasses import asdict
from pathlib import Path

import click

from ..environments.paths import check_paths
from .options import job_options, options
from .output import show_json


@click.command()
@job_options
@click.option("--dry-run", is_flag=True, help="Print the exact command, build nothing.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON on standard output.")
def build(config: Path | None, env: str | None, dry_run: bool, as_json: bool) -> None:
    """Build the job's image with BuildKit; nothing is rebuilt when nothing changed."""
    from ..images.build import ensure
    from ..images.builder import dry_run as command_line
    from ..images.spec import ImageSpec

    resolved = options(config, env).resolve()
    check_paths(resolved)
    spec = ImageSpec.of(resolved.spec, resolved.project)
    if dry_run:
        click.echo(command_line(spec))
        return
    built = ensure(spec, lambda text: click.echo(text, err=True))
    if as_json:
        show_json(asdict(built))
        return
    state = f"built in {built.seconds:.1f} s" if built.built else "up to date"
    click.echo(f"{built.tag} {state}, {built.size / 1e9:.2f} GB")
