"""`longshore down`: end a run's machine now."""

import click

from ..runs import control, gc
from .sweeps import sweep


@click.command()
@click.argument("run_name", metavar="[RUN]", default="last")
@click.option("--all", "everything", is_flag=True, help="Every run that has a machine.")
def down(run_name: str, everything: bool) -> None:
    """End the machine of RUN (the newest by default) now, without waiting for a checkpoint.

    What it holds is brought home if that works, and given up if not.
    """
    work = sweep()
    runs = work.ledger.unfinished() if everything else [work.ledger.find(run_name)]
    for run in runs:
        control.down(work, run)
        status = work.ledger.run(run.id).status.value
        click.echo(f"run {run.id}: {status}; nothing of it is left running")
    if everything:
        left = gc.find(work)
        click.echo(f"{len(left)} left: see `longshore gc`" if left else "nothing left running")
