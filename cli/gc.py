"""`longshore gc`: find what dead commands left, bring it home, end it."""

import click

from ..errors import LongshoreError
from ..runs import gc as collection
from ..runs.gc import Leftover
from ..runs.ledger import DamagedLedgerError, Ledger
from .output import Table, show, show_json
from .sweeps import sweep


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be done, do nothing.")
@click.option("--repair", is_flag=True, help="Set a damaged ledger aside first.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def gc(dry_run: bool, repair: bool, as_json: bool) -> None:
    """Bring home what runs without a living command still hold, and end their machines."""
    if repair:
        _repair()
    work = sweep()
    found = collection.find(work)
    _show(found, as_json)
    if dry_run:
        return
    faults = [fault for leftover in found if (fault := _settle(work, leftover)) is not None]
    if faults:
        raise faults[0]
    if not as_json:
        click.echo("nothing left running")


def _settle(work: collection.Sweep, leftover: Leftover) -> LongshoreError | None:
    try:
        collection.settle(work, leftover)
    except LongshoreError as error:
        click.secho(f"{leftover.name}: {error}", fg="red", err=True)
        return error
    return None


def _show(found: list[Leftover], as_json: bool) -> None:
    rows = [(one.name, one.machine.id if one.machine else "", one.why) for one in found]
    if as_json:
        show_json([dict(zip(("name", "machine", "why"), row, strict=True)) for row in rows])
    elif rows:
        show(Table(("RUN", "MACHINE", "WHY"), rows))


def _repair() -> None:
    ledger = Ledger()
    try:
        ledger.runs()
    except DamagedLedgerError:
        aside = ledger.set_aside()
        click.echo(f"the damaged ledger is now {aside}; a new one begins", err=True)
    else:
        click.echo("the ledger is sound", err=True)
