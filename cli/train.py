"""`longshore train`: the entrypoint that runs in every container, bare on this machine."""

from pathlib import Path

import click

from ..configs.container import OUTPUTS
from ..environments.paths import check_paths
from ..runs.bare import prepare
from .options import job_options, options


@click.command()
@job_options
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="The job's own folder; one that holds checkpoints is gone on from.",
)
def train(config: Path | None, env: str | None, folder: Path | None) -> None:
    """Run the job's entrypoint here, bare: no container, no ledger, no tear-down.

    Exit code 0 is done, 75 is stopped with a checkpoint (the same --folder goes on from it).
    """
    from ..training.supervise import main

    resolved = options(config, env).resolve()
    check_paths(resolved)
    root = prepare(resolved.spec, resolved.project, folder)
    code = main(root)
    click.echo(f"outputs: {root / OUTPUTS}")
    raise SystemExit(code)
