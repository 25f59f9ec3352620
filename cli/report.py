"""`longshore report`: what a run took and cost, against its plan."""

import click

from ..providers import registry
from ..runs import reports
from ..runs.ledger import Ledger
from .documents import Shape, document_options, show_document


@click.command()
@click.argument("run_name", metavar="[RUN]", default="last")
@document_options
def report(run_name: str, shape: Shape, as_json: bool) -> None:
    """What RUN (the newest by default) took and cost, against its plan and its provider's bill."""
    ledger = Ledger()
    run = ledger.find(run_name)
    made = reports.reconcile(ledger, run, registry.get, lambda text: click.echo(text, err=True))
    show_document(made, shape, as_json)
