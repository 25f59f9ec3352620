"""What another terminal sees of a run and does to it, also when its command was killed."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest

from longshore.providers.base import State
from longshore.runs import locks
from longshore.runs.ledger import Ledger
from longshore.runs.records import Status

from .conftest import FOREVER, STUBBORN, Shell, is_running, processes, until

COUNTING = """\
name: demo
provider: local
local: {runtime: process}
run: |
  for number in 1 2 3 4 5 6; do echo "it runs: $number"; sleep 0.2; done
"""


def test_a_run_that_goes_on_is_listed(shell: Shell) -> None:
    """With its machine and its price an hour; once it is over only --all lists it."""
    shell.job(FOREVER)
    child = shell.spawn("deploy")
    until(is_running)
    (line,) = shell("ps", "--json").json
    assert (line["status"], line["unattended"], line["state"]) == ("running", False, "RUNNING")
    assert (line["where"], line["usd_per_hour"]) == ("local process", "0.0360")
    assert line["machine"] == f"longshore-{line['run']}-1"
    assert shell("stop").code == 0
    shell.end(child)
    assert shell("ps").out == "nothing runs\n"
    assert shell("ps", "--json").json == []
    (over,) = shell("ps", "--all", "--json").json
    assert (over["status"], over["machine"], over["usd_per_hour"]) == ("interrupted", "", "0")


def test_a_run_without_a_machine_is_listed(shell: Shell) -> None:
    """One that died before it had a machine, and one whose request was never answered."""
    ledger = Ledger()
    shell("deploy")
    done = ledger.runs()[0]
    early = ledger.open_run(done.spec, shell.project)
    (line,) = shell("ps", "--json").json
    assert (line["run"], line["machine"], line["unattended"]) == (early.id, "", True)
    offer = shell("deploy", "--dry-run")
    assert offer.code == 0
    assert "starting (unattended)" in shell("ps").out
    assert "`longshore gc`" in shell("ps").out
    assert shell("gc").out.endswith("nothing left running\n")
    assert ledger.run(early.id).status is Status.LOST


def test_a_long_reason_stays_on_its_line(shell: Shell) -> None:
    """A fault of many words, or lines, does not tear the table apart."""
    ledger = Ledger()
    shell("deploy")
    ledger.close_run(ledger.runs()[0].id, Status.FAILED, 1, "many words\n" * 50)
    _, row = shell("ps", "--all").out.splitlines()
    assert row.endswith("words many [...]")


def test_stop_saves_and_ends_a_run(shell: Shell) -> None:
    """From a second process: a checkpoint is home, nothing runs, the first ends with 75."""
    shell.job(FOREVER)
    child = shell.spawn("deploy")
    until(is_running)
    assert processes()
    done = shell("stop")
    assert (done.code, processes()) == (0, [])
    assert "interrupted; nothing of it is left running" in done.out
    assert "--resume" in shell.end(child).err
    assert child.returncode == 75
    assert "is over already" in shell("stop").out


def test_down_does_not_wait_for_a_checkpoint(shell: Shell) -> None:
    """A job that will not stop is ended; its outputs come home all the same."""
    shell.job(STUBBORN)
    child = shell.spawn("deploy")
    until(is_running)
    done = shell("down")
    assert (done.code, processes()) == (0, [])
    shell.end(child)
    run = Ledger().runs()[0]
    assert run.is_over
    assert (shell.project / "outputs" / run.id / "train.log").read_text().startswith("it runs")


def test_down_all_ends_every_run(shell: Shell) -> None:
    """And says so only when it is proven."""
    for name in ("one", "two"):
        shell.job(STUBBORN.replace("name: demo", f"name: {name}"))
        shell.spawn("deploy")
        until(partial(is_running, name))
    done = shell("down", "--all")
    assert done.out.splitlines()[-1] == "nothing left running"
    assert processes() == []
    assert Ledger().unfinished() == []


def test_logs_are_read_while_a_run_goes_and_after_it(shell: Shell) -> None:
    """From its machine, then from its outputs; byte for byte the same."""
    shell.job(FOREVER)
    child = shell.spawn("deploy")
    until(is_running)
    assert shell("logs").out == "it runs\n"
    shell("stop")
    shell.end(child)
    assert shell("logs", "demo").out.startswith("it runs\n")


def test_logs_are_followed_to_the_end(shell: Shell) -> None:
    """By a second process, from before the run has a machine; every line once."""
    shell.job(COUNTING)
    deploy = shell.spawn("deploy", "--quiet")
    until(lambda: bool(Ledger().runs()) and locks.is_held(Ledger().runs()[0].id))
    follower = shell.spawn("logs", "-f")
    done = shell.end(follower)
    assert shell.end(deploy).code == 0
    assert done.out == "".join(f"it runs: {number}\n" for number in range(1, 7))
    assert (done.code, done.err) == (0, "")


def test_a_run_that_ended_before_its_job_has_no_log(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 12 and why; to follow it is to come to its end at once."""
    monkeypatch.setenv("LONGSHORE_FAKE", "refuse=1")
    shell("deploy")
    done = shell("logs")
    assert (done.code, done.out) == (12, "")
    assert "hint: it ended: no capacity" in done.err
    assert shell("logs", "-f").code == 0


@pytest.fixture
def killed(shell: Shell) -> Shell:
    """A deploy that was killed with kill -9 while its job ran; the job runs on."""
    shell.job(FOREVER)
    child = shell.spawn("deploy")
    until(is_running)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert processes()
    return shell


def test_gc_brings_home_what_a_killed_command_left(killed: Shell) -> None:
    """No process is left, the outputs are home, and the run can be gone on from."""
    assert "running (unattended)" in killed("ps").out
    done = killed("gc")
    assert (done.code, processes()) == (0, [])
    assert done.out.splitlines()[-1] == "nothing left running"
    run = Ledger().runs()[0]
    assert run.status is Status.INTERRUPTED
    assert (killed.project / "outputs" / run.id / "MANIFEST.json").is_file()
    assert killed("report").code == 0
    assert killed("gc", "--json").json == []


def test_a_job_that_cannot_be_watched_is_kept(shell: Shell, tmp_path: Path) -> None:
    """A fault on our side does not end the machine with the work on it: exit 9, `gc` saves it."""
    shell.job(FOREVER)
    child = shell.spawn("deploy")
    until(is_running)
    (record,) = (tmp_path / "state" / "machines").glob("*.json")
    sound = record.read_text()
    record.write_text("{")
    done = shell.end(child)
    assert done.code == 9
    assert "the job cannot be watched" in done.err
    assert "`longshore gc`" in done.err
    assert processes()
    record.write_text(sound)
    assert shell("gc").code == 0
    assert processes() == []
    assert Ledger().runs()[0].status is Status.INTERRUPTED


def test_gc_shows_before_it_does(killed: Shell) -> None:
    """A dry run says what it would do, and ends nothing."""
    (found,) = killed("gc", "--dry-run", "--json").json
    assert found["why"] == "its command died"
    assert found["machine"] == f"longshore-{found['name']}-1"
    assert processes()


def test_gc_leaves_a_run_that_is_watched(shell: Shell) -> None:
    """Another terminal's run is none of its business."""
    shell.job(FOREVER)
    child = shell.spawn("deploy")
    until(is_running)
    assert shell("gc").out == "nothing left running\n"
    assert child.poll() is None
    assert processes()


def test_stop_ends_a_run_whose_command_was_killed(killed: Shell) -> None:
    """It does what that command would have done."""
    assert killed("stop").code == 0
    assert processes() == []
    assert Ledger().runs()[0].status is Status.INTERRUPTED


def test_a_repair_finds_what_still_runs(killed: Shell, tmp_path: Path) -> None:
    """The ledger is garbage: it is set aside, and the machine is known by its marks."""
    ledger = tmp_path / "state" / "ledger.db"
    for part in ledger.parent.glob("ledger.db*"):
        part.write_bytes(os.urandom(4096))
    refused = killed("ps")
    assert (refused.code, "gc --repair" in refused.err) == (8, True)
    done = killed("gc", "--repair")
    assert (done.code, processes()) == (0, [])
    assert "the damaged ledger is now" in done.err
    (log,) = (tmp_path / "state" / "runs").glob("demo-*/outputs/train.log")
    assert log.read_text().startswith("it runs")


def test_a_repair_leaves_a_sound_ledger_alone(shell: Shell) -> None:
    """Nothing is set aside without need."""
    shell("deploy")
    done = shell("gc", "--repair")
    assert (done.code, done.err) == (0, "the ledger is sound\n")
    assert len(Ledger().runs()) == 1


def test_a_machine_that_will_not_go_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 10, its name and its price; it stays listed until a later command has ended it."""
    monkeypatch.setenv("LONGSHORE_FAKE", "pace=0.01, stuck=2")
    assert shell("deploy").code == 0
    attempt = Ledger().attempts(Ledger().runs()[0].id)[0]
    assert attempt.state is State.GONE
