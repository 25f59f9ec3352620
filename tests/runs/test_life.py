"""The life of a run: every way it can end leaves no machine and loses nothing."""

import json
from dataclasses import replace

import pytest

from longshore.configs.spec import Guards, JobSpec, Sync
from longshore.errors import (
    BusyError,
    CancelledError,
    ConfigError,
    LedgerError,
    LeftRunningError,
    LongshoreError,
    OutputsKeptError,
    SyncError,
)
from longshore.providers.base import State
from longshore.providers.fake import Faults
from longshore.runs import locks
from longshore.runs.life import start
from longshore.runs.records import Status
from longshore.runs.signals import Stop

from .conftest import Bench

COMMAND = JobSpec("demo", provider="fake", run="true")


def test_a_run_goes_through_its_phases_in_order(bench: Bench) -> None:
    """Machine, files in, job, files out, tear-down: each phase is noted in the ledger."""
    outcome = start(bench.session(), bench.launch())
    phases = [moment.phase for moment in bench.ledger.moments(outcome.run.id)]
    assert phases == ["provision", "sync", "train", "collect", "teardown", "end"]
    assert outcome.run.status is Status.DONE


def test_outputs_are_home_and_verified(bench: Bench) -> None:
    """What the job wrote lies in a folder of the run's own, checked against its manifest."""
    outcome = start(bench.session(), bench.launch())
    assert outcome.collected.verified
    assert outcome.collected.folder == bench.project / "outputs" / outcome.run.id
    assert json.loads((outcome.collected.folder / "metrics.json").read_text())["loss"] > 0


def test_the_jobs_name_leads_to_its_newest_outputs(bench: Bench) -> None:
    """A later job can name `outputs/<job>` and gets what the last finished run made."""
    for _ in range(2):
        outcome = start(bench.session(), bench.launch())
    link = bench.project / "outputs" / "demo"
    assert link.resolve() == outcome.collected.folder.resolve()


def test_nothing_is_left(bench: Bench) -> None:
    """After a run no machine is owned, and the ledger says when it was gone."""
    outcome = start(bench.session(), bench.launch())
    assert bench.provider.list_owned() == []
    (attempt,) = bench.ledger.attempts(outcome.run.id)
    assert attempt.state is State.GONE
    assert attempt.gone is not None


def test_a_report_is_written(bench: Bench) -> None:
    """The run ends with its report at home: JSON, Markdown and a page."""
    outcome = start(bench.session(), bench.launch())
    names = {path.name for path in outcome.collected.folder.iterdir()}
    assert {"report.json", "report.md", "report.html"} <= names
    assert outcome.report["teardown"]["gone_at"] is not None


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(refuse=1), "no capacity"),
        (Faults(reject=True), "bid was too low"),
    ],
)
def test_a_refused_machine_ends_the_run(bench: Bench, faults: Faults, error: str) -> None:
    """When the provider says no, the run is closed as failed and nothing is owned."""
    bench.faults = faults
    with pytest.raises(LongshoreError, match=error):
        start(bench.session(), bench.launch())
    assert bench.ledger.runs()[0].status is Status.FAILED
    assert bench.provider.list_owned() == []
    assert bench.ledger.unfinished() == []


@pytest.mark.parametrize("faults", [Faults(boots=3), Faults(unseen=2), Faults(lose_answer=True)])
def test_an_awkward_start_is_borne(bench: Bench, faults: Faults) -> None:
    """A slow boot, a cloud that does not know its machine yet, a lost answer: the run goes on."""
    bench.faults = faults
    outcome = start(bench.session(), bench.launch())
    assert outcome.run.status is Status.DONE
    assert len(bench.ledger.attempts(outcome.run.id)) == 1


def test_a_failed_job_fails_the_run(bench: Bench) -> None:
    """The job's exit code is the run's, and what it wrote comes home all the same."""
    bench.faults = Faults(exit_code=3)
    outcome = start(bench.session(), bench.launch())
    assert (outcome.run.status, outcome.run.code) == (Status.FAILED, 3)
    assert outcome.collected.verified


def test_one_press_stops_with_a_checkpoint(bench: Bench) -> None:
    """Ctrl-C once: the job saves, the run is interrupted, and it can be resumed."""
    bench.faults = Faults(pace=0.3)
    bench.screen.act = lambda: _press_once(bench)
    outcome = start(bench.session(), bench.launch())
    assert (outcome.run.status, outcome.run.code) == (Status.INTERRUPTED, 75)
    bench.faults, bench.screen.act, bench.stop = Faults(), lambda: None, Stop()
    resumed = start(bench.session(), bench.launch(resume_from=outcome.run.id))
    assert resumed.run.status is Status.DONE
    assert bench.screen.lives[-1].first_step > 1


def test_two_presses_end_the_job_now(bench: Bench) -> None:
    """Ctrl-C twice: no waiting for a checkpoint, and still nothing is left."""
    bench.faults = Faults(pace=0.3)
    bench.screen.act = lambda: _press_twice(bench)
    outcome = start(bench.session(), bench.launch())
    assert outcome.run.code == 137
    assert bench.provider.list_owned() == []


@pytest.mark.parametrize("phase", ["provision", "sync"])
def test_a_press_before_the_job_ends_at_once(bench: Bench, phase: str) -> None:
    """Before the job has begun there is nothing to save: the machine goes, the run is closed."""
    bench.screen.on_phase = lambda name: bench.stop.press() if name == phase else None
    with pytest.raises(CancelledError):
        start(bench.session(), bench.launch())
    assert bench.provider.list_owned() == []
    assert bench.ledger.runs()[0].is_over


@pytest.mark.parametrize("phase", ["collect", "teardown"])
def test_a_press_after_the_job_breaks_nothing(bench: Bench, phase: str) -> None:
    """Outputs come home and the machine goes, however often the user presses."""
    bench.screen.on_phase = lambda name: bench.stop.press() if name == phase else None
    outcome = start(bench.session(), bench.launch())
    assert outcome.run.status is Status.DONE
    assert bench.provider.list_owned() == []


def test_the_budget_stops_the_job(bench: Bench) -> None:
    """When max_cost is spent the job is stopped with a checkpoint, and the reason is kept."""
    bench.faults = Faults(pace=0.3)
    spec = replace(COMMAND, guards=Guards(max_cost=bench.launch().offer.usd_per_hour / 7200))
    outcome = start(bench.session(), bench.launch(spec))
    assert outcome.run.reason == "budget"
    assert outcome.run.status is Status.INTERRUPTED


def test_damaged_outputs_keep_the_machine(bench: Bench) -> None:
    """An output that differs from its manifest is not accepted, and its machine stays."""
    bench.faults = Faults(corrupt=True)
    with pytest.raises(OutputsKeptError, match=r"metrics\.json"):
        start(bench.session(), bench.launch())
    assert bench.ledger.runs()[0].status is Status.KEPT
    assert len(bench.provider.list_owned()) == 1


def test_a_stuck_machine_is_never_called_gone(bench: Bench) -> None:
    """A tear-down that keeps failing is an error with the machine's name and price."""
    bench.faults = Faults(stuck=10**6)
    with pytest.raises(LeftRunningError, match="longshore-demo-"):
        start(bench.session(), bench.launch())
    run = bench.ledger.runs()[0]
    assert bench.ledger.attempts(run.id)[0].state is State.STUCK
    assert bench.ledger.unfinished() == [run]


def test_a_tear_down_that_fails_at_first_is_tried_again(bench: Bench) -> None:
    """Two failures are borne; the machine is gone in the end."""
    bench.faults = Faults(stuck=2)
    assert start(bench.session(), bench.launch()).run.status is Status.DONE
    assert bench.provider.list_owned() == []


def test_a_machine_that_vanishes_loses_the_run(bench: Bench) -> None:
    """The run says so, is closed, and nothing is owned."""
    bench.faults = Faults(vanish_after=1.0, pace=0.2)
    outcome = start(bench.session(), bench.launch())
    assert (outcome.run.status, outcome.run.reason) == (Status.LOST, "lost")
    assert bench.ledger.unfinished() == []


def test_a_second_start_of_the_same_job_is_refused(bench: Bench) -> None:
    """Two commands would write the same outputs; the second says who holds the job."""
    with locks.hold("job-demo", "job 'demo'"), pytest.raises(BusyError, match="process"):
        start(bench.session(), bench.launch())


def test_an_outputs_folder_that_cannot_be_written_is_found_first(bench: Bench) -> None:
    """Before a machine is asked for, so that nothing is paid for in vain."""
    (bench.project / "outputs").write_text("a file in the way")
    with pytest.raises(SyncError, match="cannot be written"):
        start(bench.session(), bench.launch())
    assert bench.ledger.attempts(bench.ledger.runs()[0].id) == []


def test_a_missing_input_is_found_before_the_run_is_opened(bench: Bench) -> None:
    """A path of sync.data that does not exist costs nothing, not even a line in the ledger."""
    spec = replace(COMMAND, sync=Sync(data=("no-such-file",)))
    with pytest.raises(ConfigError, match="no-such-file does not exist"):
        start(bench.session(), bench.launch(spec))
    assert bench.ledger.runs() == []


def test_a_missing_secret_is_found_before_the_run_is_opened(bench: Bench) -> None:
    """The secret's name is in the message, its value nowhere."""
    with pytest.raises(ConfigError, match="SECRET_OF_NOBODY is not set"):
        start(bench.session(), bench.launch(replace(COMMAND, secrets=("SECRET_OF_NOBODY",))))


def _press_once(bench: Bench) -> None:
    if bench.stop.presses == 0 and bench.screen.lives[-1].step >= 3:
        bench.stop.press()


def _press_twice(bench: Bench) -> None:
    if bench.stop.presses == 0 and bench.screen.lives[-1].step >= 3:
        bench.stop.press()
        bench.stop.press()


def test_a_ledger_that_cannot_be_written_keeps_no_machine(bench: Bench) -> None:
    """A disk that fills while a machine boots: it ends all the same, and the fault is told."""
    bench.screen.on_phase = lambda name: _break_ledger(bench) if name == "sync" else None
    with pytest.raises(LedgerError):
        start(bench.session(), bench.launch())
    assert bench.provider.list_owned() == []


def test_a_ledger_that_breaks_after_the_job_keeps_its_outputs(bench: Bench) -> None:
    """What is not home must not go with its machine: `gc --repair` finds both."""
    bench.faults = Faults(pace=0.1)
    bench.screen.act = lambda: _break_ledger(bench)
    with pytest.raises(OutputsKeptError, match="outputs are not home"):
        start(bench.session(), bench.launch())
    assert len(bench.provider.list_owned()) == 1


def test_the_state_folder_does_not_travel_with_its_project(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it lies in the project the code would be copied into itself, and the ledger with it."""
    monkeypatch.setenv("LONGSHORE_STATE", str(bench.project / "state [1]"))
    (bench.project / "code.py").write_text("x")
    found: list[str] = []
    bench.screen.on_phase = lambda name: found.extend(_code(bench)) if name == "train" else None
    assert start(bench.session(), bench.launch()).run.status is Status.DONE
    assert found == ["code.py"]


def _code(bench: Bench) -> list[str]:
    (machine,) = bench.provider.list_owned()
    code = bench.project / "state [1]" / "fake" / machine.id / "code"
    return [str(path.relative_to(code)) for path in code.rglob("*")]


def _break_ledger(bench: Bench) -> None:
    path = bench.ledger.path
    if path.is_file():
        bench.ledger.set_aside()
        path.mkdir()
