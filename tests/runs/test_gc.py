"""What dead commands leave is found, brought home and ended; what lives is left alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from longshore.errors import LeftRunningError, LongshoreError, OutputsKeptError
from longshore.providers.base import Need, Order
from longshore.providers.fake import FakeProvider, Faults
from longshore.runs import control, gc, locks
from longshore.runs.gc import Sweep
from longshore.runs.ledger import Ledger
from longshore.runs.life import start
from longshore.runs.records import Status
from longshore.runs.teardown import Patience

from .conftest import Bench

DEPLOY = """
import sys
from pathlib import Path
from longshore.costs.plan import plan
from longshore.configs.spec import JobSpec
from longshore.providers.base import Need
from longshore.providers.fake import FakeProvider, Faults
from longshore.cli.screens import PlainScreen
from longshore.runs.ledger import Ledger
from longshore.runs.life import Launch, Session, start
provider, job = FakeProvider(faults=Faults(pace=2.0)), JobSpec("demo", "fake", run="x")
project = Path(sys.argv[1])
made = plan(job, provider.offers(Need.of(job)), project)
start(Session(Ledger(), provider, PlainScreen(), lambda *_: ""), Launch(job, project, made))
"""


def sweep(bench: Bench) -> Sweep:
    patience = Patience(seconds=0.5, sleep=lambda _: None)
    provider = FakeProvider(faults=Faults(pace=0.01))
    return Sweep(bench.ledger, {"fake": provider}, bench.screen.note, 5.0, patience)


@pytest.fixture
def abandoned(bench: Bench) -> Bench:
    """A run whose command was killed by `kill -9` in the middle of training."""
    command = [sys.executable, "-c", DEPLOY, str(bench.project)]
    child = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.DEVNULL)
    _until(lambda: any(run.status is Status.RUNNING for run in Ledger().runs()))
    child.send_signal(signal.SIGKILL)
    child.wait()
    return bench


def test_a_killed_command_is_found(abandoned: Bench) -> None:
    """The run is not over, nobody holds its lock, and its machine is there."""
    (left,) = gc.find(sweep(abandoned))
    assert left.why == "its command died"
    assert left.machine is not None


def test_a_killed_commands_run_is_brought_home(abandoned: Bench) -> None:
    """Its outputs are home, its machine is gone, and the run has an end and a report."""
    work = sweep(abandoned)
    gc.settle(work, gc.find(work)[0])
    (run,) = abandoned.ledger.runs()
    assert run.is_over
    assert work.providers["fake"].list_owned() == []
    assert (abandoned.project / "outputs" / run.id / "report.json").is_file()
    assert gc.find(work) == []


def test_the_same_job_waits_for_the_collection(abandoned: Bench) -> None:
    """A new deploy of the job says that an earlier run of it is unattended."""
    with pytest.raises(LongshoreError, match="left by a command that died"):
        start(abandoned.session(), abandoned.launch())


def test_down_ends_an_unattended_run(abandoned: Bench) -> None:
    """From another terminal, without waiting for a checkpoint."""
    work = sweep(abandoned)
    control.down(work, abandoned.ledger.runs()[0])
    assert work.providers["fake"].list_owned() == []
    assert abandoned.ledger.unfinished() == []


def test_a_run_that_is_watched_is_left_alone(bench: Bench) -> None:
    """Its command holds the lock, so it is none of our business."""
    run = bench.ledger.open_run(bench.launch().spec, bench.project)
    with locks.hold(run.id, "run"):
        assert gc.find(sweep(bench)) == []


def test_an_intent_without_a_machine_is_closed(bench: Bench) -> None:
    """A command that died between its intent and the provider's answer, and nothing was made."""
    run = bench.ledger.open_run(bench.launch().spec, bench.project)
    bench.ledger.intend(run.id, bench.launch().offer)
    work = sweep(bench)
    gc.settle(work, gc.find(work)[0])
    assert bench.ledger.run(run.id).status is Status.LOST
    assert gc.find(work) == []


def test_a_machine_whose_answer_was_lost_is_found_by_its_marks(bench: Bench) -> None:
    """The create call went through, but its id never reached the ledger."""
    run = bench.ledger.open_run(bench.launch().spec, bench.project)
    bench.ledger.intend(run.id, bench.launch().offer)
    _make_machine(bench, run.id)
    work = sweep(bench)
    (left,) = gc.find(work)
    gc.settle(work, left)
    assert work.providers["fake"].list_owned() == []


def test_a_machine_that_no_run_knows_is_saved_and_ended(bench: Bench) -> None:
    """After a damaged ledger was set aside: what the machine holds is kept in the state folder."""
    _make_machine(bench, "demo-gone")
    work = sweep(bench)
    gc.settle(work, gc.find(work)[0])
    assert work.providers["fake"].list_owned() == []
    assert any("demo-gone" in note for note in bench.screen.notes)


def test_kept_outputs_stay_kept_until_they_are_whole(bench: Bench) -> None:
    """A collection that fails again keeps the machine; `down` gives the outputs up."""
    bench.faults = Faults(corrupt=True)
    with pytest.raises(OutputsKeptError):
        start(bench.session(), bench.launch())
    work = sweep(bench)
    with pytest.raises(OutputsKeptError):
        gc.settle(work, gc.find(work)[0])
    control.down(work, bench.ledger.runs()[0])
    assert work.providers["fake"].list_owned() == []


def test_a_stuck_machine_is_tried_again(bench: Bench) -> None:
    """What could not be proven gone is found by the next collection, and ended by it."""
    bench.faults = Faults(stuck=10**6)
    with pytest.raises(LeftRunningError):
        start(bench.session(), bench.launch())
    work = sweep(bench)
    (left,) = gc.find(work)
    assert left.why == "its machine could not be proven gone"
    gc.settle(work, left)
    assert gc.find(work) == []


def _make_machine(bench: Bench, run: str) -> None:
    order = Order(run=run, attempt=1, owner="", need=Need())
    bench.provider.request(bench.launch().offer, order)


def _until(done: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


PRESSED = """
import sys, time
from longshore.runs import locks
with locks.hold(sys.argv[1], "run"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def _held(run: str, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", PRESSED, run, str(seconds)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_stop_presses_the_command_that_watches(bench: Bench) -> None:
    """As its own Ctrl-C would; what that command leaves undone is done here."""
    run = bench.ledger.open_run(bench.launch().spec, bench.project)
    with _held(run.id, 60) as child:
        control.stop(sweep(bench), run)
        assert child.wait() == -signal.SIGINT
    assert bench.ledger.run(run.id).is_over


def test_stop_of_a_run_whose_command_dies_meanwhile(bench: Bench) -> None:
    """It may end between the question who it is and the press: the run is settled all the same."""
    run = bench.ledger.open_run(bench.launch().spec, bench.project)
    with _held(run.id, 60) as child:
        child.kill()
        child.wait()
        control.stop(sweep(bench), run)
    assert bench.ledger.run(run.id).is_over


def test_down_presses_twice(bench: Bench) -> None:
    """A command that ends with the first press is not pressed again, nor is a stranger."""
    run = bench.ledger.open_run(bench.launch().spec, bench.project)
    with _held(run.id, 60) as child:
        control.down(sweep(bench), run)
        assert child.wait() == -signal.SIGINT
    assert bench.ledger.run(run.id).is_over


def test_a_job_that_was_never_started_is_not_waited_for(bench: Bench) -> None:
    """Its machine is there, its job was not sent yet: nothing can be saved."""
    run = bench.ledger.open_run(bench.launch().spec, bench.project)
    attempt = bench.ledger.intend(run.id, bench.launch().offer)
    _make_machine(bench, run.id)
    bench.ledger.adopt(attempt, f"longshore-{run.id}-1")
    work = sweep(bench)
    (left,) = gc.find(work)
    gc.settle(work, left)
    assert work.providers["fake"].list_owned() == []
    assert bench.ledger.run(run.id).code == 137


def test_a_machine_whose_provider_is_not_installed_is_not_forgotten(abandoned: Bench) -> None:
    """Nobody here can say that it is gone, so the run stays open and the error names it."""
    work = replace(sweep(abandoned), providers={})
    (left,) = gc.find(work)
    with pytest.raises(LeftRunningError, match="provider 'fake' cannot be asked"):
        gc.settle(work, left)
    assert not abandoned.ledger.runs()[0].is_over
    control.down(sweep(abandoned), abandoned.ledger.runs()[0])
