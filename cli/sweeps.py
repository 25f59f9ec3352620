"""The collection that `gc`, `stop` and `down` work with."""

import click

from ..providers import registry
from ..providers.base import Provider
from ..runs.gc import Sweep
from ..runs.ledger import Ledger


def sweep(ledger: Ledger | None = None) -> Sweep:
    """Over every provider that can be reached from here."""
    providers: dict[str, Provider] = {name: registry.get(name) for name in registry.names()}
    return Sweep(ledger or Ledger(), providers, lambda text: click.echo(text, err=True))
