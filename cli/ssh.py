"""`longshore ssh`: a shell on a run's machine, or one command there."""

import os

import click

from ..runs.ledger import Ledger
from .reached import reached


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("run_name", metavar="[RUN]", default="last")
@click.argument("words", metavar="[COMMAND]...", nargs=-1, type=click.UNPROCESSED)
def ssh(run_name: str, words: tuple[str, ...]) -> None:
    """Open a shell on the machine of RUN (the newest by default), or run COMMAND there.

    The machine's host key is known from before it booted; no other is accepted.
    """
    ledger = Ledger()
    _, way = reached(ledger.find(run_name), ledger)
    command = way.shell(words)
    os.execvp(command[0], command)
