"""`longshore estimate`: what the job will take and cost, here and elsewhere."""

from datetime import UTC, datetime
from pathlib import Path

import click

from ..costs import document
from ..costs.estimate import estimate as estimated
from ..errors import NoOfferError
from ..providers import catalog
from ..providers.base import Need
from .documents import Shape, document_options, show_document
from .markets import local_offers, rented_offers
from .options import job_options, options


@click.command()
@job_options
@document_options
def estimate(config: Path | None, env: str | None, shape: Shape, as_json: bool) -> None:
    """What the job will take and cost: on this machine, and on GPUs for rent."""
    resolved = options(config, env).resolve()
    need = Need.of(resolved.spec)
    offers = [*local_offers(need), *rented_offers(need, catalog.PROVIDERS)]
    if not offers:
        raise NoOfferError(
            "nothing on offer fits this job", "`longshore offers` shows what there is"
        )
    made = estimated(resolved.spec, resolved.project, offers, datetime.now(UTC))
    show_document(document.of_estimate(made, made.best), shape, as_json)
