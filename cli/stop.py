"""`longshore stop`: stop a run with a checkpoint."""

import click

from ..runs import control
from .sweeps import sweep


@click.command()
@click.argument("run_name", metavar="[RUN]", default="last")
def stop(run_name: str) -> None:
    """Stop RUN (the newest by default) with a checkpoint; it can be resumed."""
    work = sweep()
    run = work.ledger.find(run_name)
    if run.is_over:
        click.echo(f"run {run.id} is over already: {run.status.value}")
        return
    control.stop(work, run)
    click.echo(
        f"run {run.id}: {work.ledger.run(run.id).status.value}; nothing of it is left running"
    )
