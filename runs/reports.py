"""The facts of a run that ended, gathered for its report, and the report's files."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from ..configs import folders
from ..configs.container import EVENTS, OUTPUTS
from ..costs import document, history, planned, render
from ..costs.plan import Plan
from ..costs.report import Actual, Outputs, report
from ..errors import LedgerError, LongshoreError, NotFoundError, ProviderError
from ..providers.base import Bills, Provider
from . import collect
from .events import Event, read_all
from .ledger import Ledger
from .live import hours
from .records import Attempt, Moment, Run, Status

PLAN = "plan.json"
REPORT = "report.json"
FORMATS: tuple[render.Format, ...] = ("json", "md", "html")
INSIDE = {
    "start": "load",
    "load": "load",
    "data": "load",
    "train": "train",
    "eval": "eval",
    "save": "save",
}
"""The job's own phases, in the words of a report."""


def keep_plan(run: Run, plan: Plan) -> None:
    """Store the plan beside the run, for its report.

    Raises:
        LedgerError: the state folder cannot be written.
    """
    try:
        _write(_folder(run) / PLAN, document.text(document.of_plan(plan)))
    except OSError as error:
        hint = "LONGSHORE_STATE can name another folder"
        raise LedgerError(f"{_folder(run)}: {error.strerror}", hint) from error


def write(ledger: Ledger, run: Run, note: Callable[[str], None]) -> document.Document:
    """Make the report of a run that is over: JSON in the state folder, all formats at home.

    The run is what counts: a report that finds no room is worth a note and no more.
    """
    events = read_events(run)
    facts = actual(run, ledger.attempts(run.id), ledger.moments(run.id), events)
    made = document.of_report(report(facts, _planned(run), datetime.now(UTC)))
    for keep in (_keep_report, _bring_report_home):
        try:
            keep(run, made)
        except OSError as error:
            note(f"the report cannot be written: {error}")
    _remember(run, events, facts, note)
    return made


def ask_bill(ledger: Ledger, provider: Provider, attempt: Attempt) -> None:
    """Write down what the provider has charged for an attempt's machine, if it says so by now."""
    if not isinstance(provider, Bills) or not attempt.machine:
        return
    # A bill that cannot be had now is asked for again when the report is read.
    with suppress(ProviderError, LedgerError):
        if (usd := provider.billed(attempt.machine)) is not None:
            ledger.bill(attempt, usd)


def reconcile(
    ledger: Ledger, run: Run, provider: Callable[[str], Provider], note: Callable[[str], None]
) -> document.Document:
    """The report of a run, made anew where its provider says by now what it has charged.

    Raises:
        NotFoundError: the run has none yet.
    """
    open_bills = [one for one in ledger.attempts(run.id) if one.machine and one.billed is None]
    for attempt in open_bills if run.is_over else ():
        with suppress(ProviderError):
            ask_bill(ledger, provider(attempt.provider), attempt)
    if any(one.billed for one in ledger.attempts(run.id)) and open_bills and run.is_over:
        return write(ledger, run, note)
    return read(run)


def read(run: Run) -> document.Document:
    """The report of a run.

    Raises:
        NotFoundError: the run has none yet.
    """
    path = _folder(run) / REPORT
    if not path.is_file():
        hint = "it could not be written" if run.is_over else "it is written when a run ends"
        raise NotFoundError(f"run {run.id} has no report", hint)
    return document.parse(path.read_text(encoding="utf-8"))


def read_events(run: Run) -> list[Event]:
    """The events that came home; none when nothing did."""
    path = collect.home(run) / Path(EVENTS).relative_to(OUTPUTS)
    return read_all(path.read_bytes()) if path.is_file() else []


def actual(
    run: Run, attempts: Sequence[Attempt], moments: Sequence[Moment], events: Sequence[Event]
) -> Actual:
    """What a report needs to know of a run, from the ledger and the job's own events."""
    last = attempts[-1] if attempts else None
    steps, evals = _of_kind(events, "step"), _of_kind(events, "eval")
    return Actual(
        run=run.id,
        job=run.job,
        status=run.status.value,
        reason=run.reason,
        phases=phases(moments, events),
        start=_utc(run.created),
        end=_utc(run.ended or run.created),
        usd_per_hour=_mean_price(attempts),
        provider=last.provider if last else "",
        machine=last.machine if last else "",
        gone_at=_utc(last.gone) if last and last.gone and last.machine else None,
        attempts=len(attempts),
        interruptions=int(run.status is Status.INTERRUPTED),
        steps=_integer(steps, "step"),
        tokens=_tokens(events),
        tokens_per_s=_number(steps, "tokens_per_s"),
        eval_loss=_number(evals, "loss"),
        baseline=_number(evals, "baseline"),
        outputs=_outputs(collect.home(run)),
        billed=_billed(attempts),
    )


def _mean_price(attempts: Sequence[Attempt]) -> Decimal:
    """USD an hour over all machines of a run, each by the time it was there."""
    rented = [one for one in attempts if one.machine] or list(attempts[-1:])
    spans = [(hours((one.gone or one.requested) - one.requested), one) for one in rented]
    total = sum((span for span, _ in spans), start=Decimal(0))
    if not total:
        return rented[-1].usd_per_hour if rented else Decimal(0)
    return sum((span * one.usd_per_hour for span, one in spans), start=Decimal(0)) / total


def _billed(attempts: Sequence[Attempt]) -> Decimal | None:
    """What the provider charged for all of them; None while it does not say of one."""
    bills = [one.billed for one in attempts if one.machine]
    known = [bill for bill in bills if bill is not None]
    return sum(known, start=Decimal(0)) if known and len(known) == len(bills) else None


def phases(moments: Sequence[Moment], events: Sequence[Event]) -> dict[str, float]:
    """Seconds by phase; the time of the job itself is split by what its events say.

    What lies between its start and its first event is loading too: it is paid, and no training.
    """
    outer = _durations([(moment.at, moment.phase) for moment in moments])
    own = [(event.at, INSIDE[event.text("phase")]) for event in events if _is_inside(event)]
    ends = [event.at for event in events if event.kind == "end"]
    inner = _durations([*own, *((at, "end") for at in ends[-1:])])
    if "train" in outer and inner:
        rest = outer.pop("train") - sum(inner.values())
        inner["load"] = inner.get("load", 0.0) + max(rest, 0.0)
        outer |= inner
    return outer


def _keep_report(run: Run, made: document.Document) -> None:
    _write(_folder(run) / REPORT, document.text(made))


def _bring_report_home(run: Run, made: document.Document) -> None:
    if collect.home(run).is_dir():
        for kind in FORMATS:
            _write(collect.home(run) / f"report.{kind}", render.render(made, kind))


def _is_inside(event: Event) -> bool:
    return event.kind == "phase" and event.text("phase") in INSIDE


def _durations(entries: Sequence[tuple[float, str]]) -> dict[str, float]:
    spans: dict[str, float] = {}
    for (begin, name), (end, _) in pairwise(entries):
        spans[name] = spans.get(name, 0.0) + max(end - begin, 0.0)
    return spans


def _of_kind(events: Sequence[Event], kind: str) -> list[Event]:
    return [event for event in events if event.kind == kind]


def _number(events: Sequence[Event], name: str) -> float | None:
    return events[-1].number(name) if events else None


def _integer(events: Sequence[Event], name: str) -> int | None:
    number = _number(events, name)
    return None if number is None else int(number)


def _tokens(events: Sequence[Event]) -> int | None:
    """Tokens trained on: those of the plan, in the share of steps that were made."""
    plans, steps = _of_kind(events, "plan"), _of_kind(events, "step")
    total, planned_steps = _number(plans, "tokens"), _number(plans, "steps")
    done = _number(steps, "step")
    if not total or not planned_steps or done is None:
        return None
    return round(total * done / planned_steps)


def _outputs(folder: Path) -> Outputs | None:
    if not folder.is_dir():
        return None
    files = [path for path in folder.rglob("*") if path.is_file()]
    return Outputs(len(files), sum(path.stat().st_size for path in files), str(folder))


def _remember(
    run: Run, events: Sequence[Event], facts: Actual, note: Callable[[str], None]
) -> None:
    """Keep what a whole run took as evidence for later estimates."""
    perf = _perf(run, events, facts)
    if perf is None:
        return
    try:
        history.record(perf)
    except LedgerError as error:
        note(str(error))


def _perf(run: Run, events: Sequence[Event], facts: Actual) -> history.Perf | None:
    hardware, plans = _of_kind(events, "hardware"), _of_kind(events, "plan")
    seconds = facts.phases.get("train", 0.0)
    if run.status is not Status.DONE or run.resumed_from or not hardware or seconds <= 0:
        return None
    device = hardware[-1].text("device").partition(":")[0]
    is_cpu = device == "cpu"
    plan = _planned(run)
    return history.Perf(
        job=run.job,
        device="cpu" if is_cpu else hardware[-1].text("name"),
        count=max(1, int(_number(hardware, "cpus" if is_cpu else "count") or 1)),
        flops=plan.flops if plan else 0,
        seconds=seconds,
        total_seconds=sum(facts.phases.values()),
        recipe=run.spec.train.recipe if run.spec.train else "run",
        params=_integer(plans, "params") or 0,
        at=facts.end.isoformat(),
    )


def _planned(run: Run) -> planned.Planned | None:
    path = _folder(run) / PLAN
    try:
        return planned.of_document(document.parse(path.read_text())) if path.is_file() else None
    except (OSError, LongshoreError):
        return None


def _folder(run: Run) -> Path:
    return folders.state() / "runs" / run.id


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
