"""`longshore ps`: what runs, who looks after it, and what it costs an hour."""

import time
from decimal import Decimal
from textwrap import shorten

import click

from ..costs.words import money
from ..providers.base import BILLED
from ..runs import locks
from ..runs.ledger import Ledger
from ..runs.records import Attempt, Run
from .output import Table, show, show_json

HEADINGS = ("RUN", "STATUS", "WHERE", "MACHINE", "$/H", "AGE", "WHY")


@click.command()
@click.option("-a", "--all", "everything", is_flag=True, help="Finished runs too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def ps(everything: bool, as_json: bool) -> None:
    """Runs that have a machine, and what they cost an hour; --all shows finished ones too."""
    ledger = Ledger()
    runs = ledger.runs() if everything else ledger.unfinished()
    lines = [_facts(run, ledger.attempts(run.id)) for run in runs]
    if as_json:
        show_json(lines)
        return
    show(Table(HEADINGS, [_row(line) for line in lines], frozenset({"$/H"}), "nothing runs"))
    if any(line["unattended"] for line in lines):
        click.echo("unattended runs: `longshore gc` brings them home and ends their machines")


def _facts(run: Run, attempts: list[Attempt]) -> dict[str, str | bool]:
    last = attempts[-1] if attempts else None
    is_open = last is not None and last.gone is None
    return {
        "run": run.id,
        "status": run.status.value,
        "unattended": (is_open or not run.is_over) and not locks.is_held(run.id),
        "where": f"{last.provider} {last.instance}" if last else "",
        "machine": last.machine if last and is_open else "",
        "state": last.state.name if last else "",
        "usd_per_hour": str(_burning(last) if last and is_open else Decimal(0)),
        "age": _age(time.time() - run.created),
        "reason": run.reason,
    }


def _burning(attempt: Attempt) -> Decimal:
    return attempt.usd_per_hour if attempt.state in BILLED else Decimal(0)


def _row(facts: dict[str, str | bool]) -> tuple[str, ...]:
    status = f"{facts['status']} (unattended)" if facts["unattended"] else str(facts["status"])
    price = money(str(facts["usd_per_hour"]))
    names = ("where", "machine")
    return (
        str(facts["run"]),
        status,
        *(str(facts[name]) for name in names),
        price,
        str(facts["age"]),
        shorten(str(facts["reason"]), 80),
    )


def _age(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"
