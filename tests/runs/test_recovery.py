"""A job that was cut short goes on elsewhere; what a stopped machine holds is fetched."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from longshore.configs.container import EVENTS
from longshore.configs.spec import Guards, JobSpec
from longshore.errors import OutputsKeptError
from longshore.providers.base import Machine, Offer, Order, State
from longshore.providers.fake import FakeProvider, Faults
from longshore.runs import collect, gc
from longshore.runs.gc import Sweep
from longshore.runs.life import Outcome, start
from longshore.runs.records import Status
from longshore.runs.teardown import Patience

from .conftest import Bench

JOB = JobSpec("demo", "fake", run="true")
PACE = 0.05


class Mending(FakeProvider):
    """A provider whose first machines have faults, one for each; those after them have none."""

    def __init__(self, *faults: Faults) -> None:
        super().__init__(faults=Faults(pace=PACE))
        self._each = [replace(fault, pace=PACE) for fault in faults]

    def request(self, offer: Offer, order: Order) -> str:
        self._faults = self._each.pop(0) if self._each else Faults(pace=PACE)
        return super().request(offer, order)


def ran(bench: Bench, *faults: Faults, spec: JobSpec = JOB) -> Outcome:
    provider = Mending(*faults)
    return start(replace(bench.session(), provider=provider), bench.launch(spec))


@pytest.mark.parametrize(
    "fault", [Faults(vanish_after=3), Faults(preempt_after=2.8), Faults(stop_after=3.2)]
)
def test_a_job_that_was_cut_short_goes_on_elsewhere(bench: Bench, fault: Faults) -> None:
    """Machine gone, taken back, or stopped: another one is asked for, and the run is done."""
    outcome = ran(bench, fault)
    attempts = bench.ledger.attempts(outcome.run.id)
    assert outcome.run.status is Status.DONE
    assert [one.state for one in attempts] == [State.GONE, State.GONE]
    assert any("going on with another machine" in note for note in bench.screen.notes)


def test_it_goes_on_from_the_checkpoint_that_came_home(bench: Bench) -> None:
    """No step before the checkpoint is made again, and the record of events is one."""
    outcome = ran(bench, Faults(stop_after=3.2))
    text = (outcome.collected.folder / Path(EVENTS).name).read_text()
    events = [json.loads(line) for line in text.splitlines()]
    steps = [event["step"] for event in events if event["kind"] == "step"]
    first = next(event["step"] for event in events if event["kind"] == "checkpoint")
    assert steps.count(first) == 1
    assert steps[-1] == max(steps)
    assert not collect.has_checkpoint(outcome.run.id)


@pytest.mark.parametrize(
    ("recoveries", "machines", "status"),
    [(0, 1, Status.LOST), (1, 2, Status.LOST), (2, 3, Status.DONE)],
)
def test_it_goes_on_as_often_as_allowed(
    bench: Bench, recoveries: int, machines: int, status: Status
) -> None:
    """`guards.recoveries` counts the machines after the first."""
    spec = replace(JOB, guards=Guards(recoveries=recoveries))
    outcome = ran(bench, Faults(vanish_after=1), Faults(vanish_after=1), spec=spec)
    assert len(bench.ledger.attempts(outcome.run.id)) == machines
    assert outcome.run.status is status


def test_one_budget_holds_for_all_machines(bench: Bench) -> None:
    """What the lost machine has cost is no longer there for the next one."""
    spec = replace(JOB, guards=Guards(max_cost=Decimal(1)))
    outcome = ran(bench, Faults(vanish_after=2), spec=spec)
    first, second = bench.ledger.attempts(outcome.run.id)
    assert first.gone is not None
    lives = [live for live in bench.screen.lives if live.began == second.requested]
    assert lives[0].before > 0
    assert lives[0].spent >= lives[0].before


def test_a_job_that_the_user_stopped_stays_stopped(bench: Bench) -> None:
    """Ctrl-C means stop, not: somewhere else."""
    bench.faults = Faults(pace=0.3)
    bench.screen.act = lambda: bench.stop.press() if bench.stop.presses == 0 else None
    outcome = start(bench.session(), bench.launch())
    assert len(bench.ledger.attempts(outcome.run.id)) == 1


def kept(bench: Bench, provider: FakeProvider) -> None:
    """A run whose machine was stopped under it and finds no room to start again."""
    spec = replace(JOB, guards=Guards(recoveries=0))
    with pytest.raises(OutputsKeptError, match="no room to start"):
        start(replace(bench.session(), provider=provider), bench.launch(spec))


def sweep(bench: Bench, provider: FakeProvider) -> Sweep:
    patience = Patience(seconds=0.5, sleep=lambda _: None)
    return Sweep(bench.ledger, {"fake": provider}, bench.screen.note, 5.0, patience)


ASLEEP = Faults(stop_after=3.2, no_wake=True, pace=PACE)


def test_a_stopped_machine_that_holds_the_only_copy_is_kept(bench: Bench) -> None:
    """It costs its disk; the run says so and stays open, and `gc` finds it."""
    provider = FakeProvider(faults=ASLEEP)
    kept(bench, provider)
    (machine,) = provider.list_owned()
    assert machine.state is State.STOPPED
    (left,) = gc.find(sweep(bench, provider))
    assert left.machine == machine


def test_gc_wakes_a_stopped_machine_and_brings_home_what_it_holds(bench: Bench) -> None:
    """As soon as there is room for it; then it is ended."""
    kept(bench, FakeProvider(faults=ASLEEP))
    provider = FakeProvider(faults=replace(ASLEEP, no_wake=False))
    work = sweep(bench, provider)
    (left,) = gc.find(work)
    gc.settle(work, left)
    (run,) = bench.ledger.runs()
    assert run.status is Status.INTERRUPTED
    assert provider.list_owned() == []


@pytest.mark.parametrize(("give_up", "machines"), [(False, 1), (True, 0)])
def test_gc_keeps_a_stopped_machine_until_it_is_given_up(
    bench: Bench, give_up: bool, machines: int
) -> None:
    """Outputs are lost by nobody's oversight: only `down` lets them go."""
    provider = FakeProvider(faults=ASLEEP)
    kept(bench, provider)
    work = sweep(bench, provider)
    (left,) = gc.find(work)
    if give_up:
        gc.settle(work, left, give_up_outputs=True)
    else:
        with pytest.raises(OutputsKeptError):
            gc.settle(work, left)
    assert len(provider.list_owned()) == machines


class Silent(FakeProvider):
    """A provider that cannot be asked what it holds."""

    def list_owned(self) -> list[Machine]:
        from longshore.errors import UnreachableError

        raise UnreachableError("no network")


def test_a_provider_that_cannot_be_asked_is_said_and_stops_no_other(bench: Bench) -> None:
    """`gc` settles what it can, and is not content while one place has not answered."""
    provider = FakeProvider(faults=ASLEEP)
    kept(bench, provider)
    work = replace(
        sweep(bench, provider), providers={"far": Silent(), "fake": FakeProvider(faults=ASLEEP)}
    )
    assert [left.name.partition("-")[0] for left in gc.find(work)] == ["demo", "far"]
