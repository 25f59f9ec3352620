"""A report is made of the ledger and of the job's own events; a run that is done is evidence."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from longshore.costs.history import history
from longshore.errors import LedgerError, NotFoundError
from longshore.providers.base import State
from longshore.providers.fake import FakeProvider, Faults
from longshore.runs import reports
from longshore.runs.events import Event, JsonValue
from longshore.runs.life import Outcome, start
from longshore.runs.records import Attempt, Moment, Run, Status

from .conftest import Bench

RUN_MOMENTS = [
    Moment(0, "provision"),
    Moment(5, "sync"),
    Moment(7, "train"),
    Moment(107, "collect"),
    Moment(110, "teardown"),
    Moment(111, "end"),
]


def phase(at: float, name: str) -> Event:
    return Event("phase", at, {"phase": name})


def event(kind: str, **fields: JsonValue) -> Event:
    return Event(kind, 1.0, dict(fields))


END = Event("end", 100, {})
OUTER = {"provision": 5, "sync": 2, "collect": 3, "teardown": 1}


@pytest.mark.parametrize(
    ("moments", "events", "seconds"),
    [
        ([], [], {}),
        ([Moment(0, "provision")], [], {}),
        ([Moment(0, "provision"), Moment(4, "end")], [], {"provision": 4}),
        (RUN_MOMENTS, [], {**OUTER, "train": 100}),
        (RUN_MOMENTS, [phase(10, "train"), END], {**OUTER, "train": 90, "load": 10}),
        (
            RUN_MOMENTS,
            [
                phase(10, "start"),
                phase(12, "load"),
                phase(17, "data"),
                phase(20, "train"),
                phase(50, "eval"),
                phase(60, "train"),
                phase(90, "save"),
                phase(95, "end"),
                END,
            ],
            {**OUTER, "load": 20, "train": 60, "eval": 10, "save": 10},
        ),
        ([Moment(5, "sync"), Moment(3, "end")], [], {"sync": 0}),
        ([Moment(0, "build"), Moment(9, "end")], [phase(1, "train"), END], {"build": 9}),
    ],
)
def test_time_is_split_by_phases(
    moments: list[Moment], events: list[Event], seconds: dict[str, float]
) -> None:
    """The run's own from the ledger, the job's from its events; what is neither is loading."""
    assert reports.phases(moments, events) == pytest.approx(seconds)


@pytest.fixture
def run(bench: Bench) -> Run:
    opened = bench.ledger.open_run(bench.launch().spec, bench.project)
    return replace(opened, status=Status.DONE, ended=opened.created + 111, reason="done")


ATTEMPT = Attempt(
    "demo-1a2b", 1, "fake", "fake.cpu", Decimal("0.12"), State.GONE, 0.0, "m-1", gone=110.0
)


def test_a_report_knows_what_the_job_said(run: Run) -> None:
    """The last step and evaluation; tokens in the share of the steps that were made."""
    events = [
        event("plan", tokens=1000, steps=20),
        event("step", step=5, tokens_per_s=10.0),
        event("step", step=10, tokens_per_s=20.0),
        event("eval", loss=3.0, baseline=7.0),
        event("eval", loss=2.0, baseline=7.0),
    ]
    facts = reports.actual(run, [ATTEMPT], RUN_MOMENTS, events)
    assert (facts.steps, facts.tokens, facts.tokens_per_s) == (10, 500, 20.0)
    assert (facts.eval_loss, facts.baseline) == (2.0, 7.0)


def test_a_report_knows_what_the_ledger_knows(run: Run) -> None:
    """The last attempt's place and proof, how many there were, and their mean price by time."""
    first = replace(ATTEMPT, usd_per_hour=Decimal("0.36"), machine="m-0", gone=55.0)
    refused = replace(ATTEMPT, usd_per_hour=Decimal(9), machine="", gone=1.0)
    facts = reports.actual(run, [first, refused, ATTEMPT], RUN_MOMENTS, [])
    assert (facts.machine, facts.usd_per_hour, facts.attempts) == ("m-1", Decimal("0.20"), 3)
    assert facts.gone_at is not None
    assert (facts.end - facts.start).total_seconds() == pytest.approx(111)


def test_a_run_without_a_machine_has_a_report_too(run: Run) -> None:
    """It cost nothing, and nothing was seen gone."""
    facts = reports.actual(run, [], [Moment(0, "end")], [])
    assert (facts.usd_per_hour, facts.machine) == (Decimal(0), "")
    assert facts.gone_at is None
    assert (facts.steps, facts.tokens, facts.eval_loss, facts.outputs) == (None,) * 4


@pytest.mark.parametrize(
    "said",
    [
        event("plan", tokens=1000),
        event("plan", tokens=1000, steps=0),
        event("plan", tokens=None, steps=20),
        event("plan", tokens=1000, steps="many"),
    ],
)
def test_a_plan_that_says_too_little_gives_no_tokens(run: Run, said: Event) -> None:
    """What is not known is not guessed."""
    facts = reports.actual(run, [ATTEMPT], RUN_MOMENTS, [said, event("step", step=10)])
    assert facts.tokens is None


def done(bench: Bench) -> Outcome:
    return start(bench.session(), bench.launch())


def test_a_done_run_is_evidence_once(bench: Bench) -> None:
    """One line for later estimates: the device by its name, and what the training took."""
    outcome = done(bench)
    (perf,), warnings = history()
    assert warnings == []
    assert (perf.job, perf.device, perf.count, perf.recipe) == ("demo", "Fake GPU", 1, "run")
    assert 0 < perf.seconds <= perf.total_seconds
    assert outcome.run.status is Status.DONE


def test_a_run_that_failed_is_no_evidence(bench: Bench) -> None:
    """Nor is one that was stopped: how long the whole takes is not known from it."""
    bench.faults = Faults(exit_code=3)
    done(bench)
    assert history() == ([], [])


def test_the_report_is_read_again(bench: Bench) -> None:
    """What was stored is what was shown; every format of it is at home."""
    outcome = done(bench)
    assert reports.read(outcome.run) == outcome.report
    home = json.loads((outcome.collected.folder / "report.json").read_text())
    assert home == outcome.report


@pytest.mark.parametrize("name", ["report.json", "report.md", "report.html"])
def test_a_report_without_room_does_not_fail_the_run(bench: Bench, name: str) -> None:
    """Done is done: that its report cannot be written is worth a note and no more."""
    bench.screen.on_phase = lambda phase: _block(bench, name) if phase == "teardown" else None
    outcome = done(bench)
    assert outcome.run.status is Status.DONE
    assert [note for note in bench.screen.notes if "the report cannot be written" in note]
    assert reports.read(outcome.run) == outcome.report


def test_evidence_without_room_does_not_fail_the_run(bench: Bench, tmp_path: Path) -> None:
    """The next estimate is a little poorer."""
    (tmp_path / "state" / "perf.jsonl").mkdir(parents=True)
    assert done(bench).run.status is Status.DONE
    assert [note for note in bench.screen.notes if "perf.jsonl" in note]


def test_a_damaged_plan_is_left_out(bench: Bench) -> None:
    """The report is made of what there is."""
    bench.screen.on_phase = lambda phase: _damage_plan(bench) if phase == "teardown" else None
    outcome = done(bench)
    assert outcome.run.status is Status.DONE
    assert {phase["planned_s"] for phase in outcome.report["phases"]} == {None}


def test_a_state_folder_without_room_is_found_before_a_machine_is_asked_for(
    bench: Bench, tmp_path: Path
) -> None:
    """The plan is the first thing kept; nothing is paid for in vain."""
    bench.ledger.runs()
    (tmp_path / "state" / "runs").write_text("a file in the way")
    with pytest.raises(LedgerError, match="Not a directory"):
        done(bench)
    (run,) = bench.ledger.runs()
    assert (run.status, bench.ledger.attempts(run.id)) == (Status.FAILED, [])


def test_a_run_that_failed_before_its_job_has_a_report(bench: Bench) -> None:
    """What it cost until then is told like everything else."""
    bench.faults = Faults(reject=True)
    with pytest.raises(Exception, match="bid was too low"):
        done(bench)
    assert reports.read(bench.ledger.runs()[0])["status"] == "failed"


def test_a_run_that_goes_on_has_no_report_yet(run: Run) -> None:
    """Asked too early, the answer says when to ask again."""
    with pytest.raises(NotFoundError, match="has no report") as caught:
        reports.read(replace(run, status=Status.RUNNING))
    assert caught.value.hint == "it is written when a run ends"


def _block(bench: Bench, name: str) -> None:
    (bench.project / "outputs" / bench.ledger.runs()[0].id / name).mkdir()


def _damage_plan(bench: Bench) -> None:
    (bench.ledger.path.parent / "runs" / bench.ledger.runs()[0].id / "plan.json").write_text("{")


@pytest.mark.parametrize(
    ("bills", "total"),
    [
        (["0.10", "0.25"], Decimal("0.35")),
        (["0.10", None], None),
        ([None], None),
    ],
)
def test_a_bill_counts_when_it_is_whole(
    run: Run, bills: list[str | None], total: Decimal | None
) -> None:
    """What the provider charged for every machine of the run; none of it while one is missing."""
    attempts = [replace(ATTEMPT, billed=None if usd is None else Decimal(usd)) for usd in bills]
    assert reports.actual(run, attempts, RUN_MOMENTS, []).billed == total


class Billing(FakeProvider):
    """A provider that tells what it has charged once it has made up its bills."""

    def __init__(self, bill: Decimal | None) -> None:
        super().__init__(faults=Faults(pace=0.01))
        self.bill = bill

    def billed(self, machine_id: str) -> Decimal | None:
        return self.bill


def test_a_late_bill_is_added_when_the_report_is_read(bench: Bench) -> None:
    """A bill that was not made up at the end of the run is asked for again, and then kept."""
    provider = Billing(None)
    run = start(replace(bench.session(), provider=provider), bench.launch()).run
    asked = (bench.ledger, run, lambda _name: provider, bench.screen.note)
    assert reports.reconcile(*asked)["basis"] == "metered"
    provider.bill = Decimal("0.0123")
    assert reports.reconcile(*asked)["billed_usd"] == "0.0123"
    provider.bill = Decimal(99)
    assert reports.reconcile(*asked)["billed_usd"] == "0.0123"
