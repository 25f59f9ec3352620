"""`longshore logs`: what a run printed."""

import time
from pathlib import Path

import click

from ..configs.container import LOG, OUTPUTS
from ..errors import LongshoreError, NotFoundError
from ..providers import registry
from ..providers.base import Host
from ..runs import collect, locks
from ..runs.ledger import Ledger
from ..runs.records import Run


@click.command()
@click.argument("run_name", metavar="[RUN]", default="last")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
def logs(run_name: str, follow: bool) -> None:
    """What RUN (the newest by default) printed."""
    ledger = Ledger()
    run = ledger.find(run_name)
    shown = _stream(ledger, run, follow)
    shown = _at_home(run, shown)
    if not shown and not follow:
        hint = f"it ended: {run.reason}" if run.is_over else "it may not have begun yet"
        raise NotFoundError(f"run {run.id} has printed nothing", hint)


def _stream(ledger: Ledger, run: Run, follow: bool) -> int:
    """Print from the machine while there is one; how many bytes were shown."""
    shown = 0
    while True:
        # Asked before the reading, so that nothing said in between is missed.
        awaited = follow and locks.is_held(run.id)
        chunk, has_ended = _news(_host(ledger, run), shown, awaited)
        shown += len(chunk)
        click.echo(chunk, nl=False)
        if has_ended or not follow:
            return shown
        time.sleep(0.3)


def _news(host: Host | None, shown: int, awaited: bool) -> tuple[bytes, bool]:
    """What the job printed since, and whether that is all; without a machine there may be one."""
    if host is None:
        return b"", not awaited
    try:
        has_ended = host.poll() is not None
        return host.read(LOG, shown), has_ended
    except LongshoreError:
        return b"", True


def _host(ledger: Ledger, run: Run) -> Host | None:
    attempts = [one for one in ledger.attempts(run.id) if one.gone is None and one.machine]
    if not attempts:
        return None
    provider = registry.get(attempts[-1].provider)
    machine = provider.look(attempts[-1].machine)
    return None if machine is None else provider.host(machine)


def _at_home(run: Run, shown: int) -> int:
    """Print what came home after that; how many bytes were shown in all."""
    path = collect.home(run) / Path(LOG).relative_to(OUTPUTS)
    if not path.is_file():
        return shown
    with path.open("rb") as file:
        file.seek(shown)
        rest = file.read()
    click.echo(rest, nl=False)
    return shown + len(rest)
