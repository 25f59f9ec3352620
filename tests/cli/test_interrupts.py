"""Ctrl-C, a closed pipe and a closed terminal, at any moment: nothing runs on, nothing is lost."""

import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from longshore.runs.ledger import Ledger
from longshore.runs.records import Status

from .conftest import FOREVER, STUBBORN, Shell, is_running, processes, until


def has_phase(name: str) -> bool:
    ledger = Ledger()
    return any(one.phase == name for run in ledger.runs() for one in ledger.moments(run.id))


def test_one_ctrl_c_saves_and_ends(shell: Shell) -> None:
    """Exit 75, the way to go on, and no process left."""
    shell.job(FOREVER)
    child = shell.spawn("deploy")
    until(is_running)
    child.send_signal(signal.SIGINT)
    done = shell.end(child)
    assert (done.code, processes()) == (75, [])
    assert "Ctrl-C again ends the job now" in done.out
    assert "--resume" in done.err
    assert Ledger().runs()[0].status is Status.INTERRUPTED


def test_two_ctrl_c_end_a_stubborn_job(shell: Shell) -> None:
    """The first is not heard by the job; the second does not ask."""
    shell.job(STUBBORN)
    child = shell.spawn("deploy")
    until(is_running)
    child.send_signal(signal.SIGINT)
    assert child.stdout is not None
    while "Ctrl-C again" not in child.stdout.readline():
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    done = shell.end(child)
    assert (done.code, processes()) == (6, [])
    assert "nothing left running" in done.out
    assert (shell.project / "outputs" / Ledger().runs()[0].id / "train.log").is_file()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_counts_as_ctrl_c(shell: Shell, number: signal.Signals) -> None:
    """A machine that shuts down, a terminal that is closed."""
    shell.job(FOREVER)
    child = shell.spawn("deploy")
    until(is_running)
    child.send_signal(number)
    assert shell.end(child).code == 75
    assert processes() == []


def test_ctrl_c_while_a_machine_boots(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to save: exit 130 at once, and the machine is gone."""
    monkeypatch.setenv("LONGSHORE_FAKE", "boots=1000000")
    child = shell.spawn("deploy")
    until(lambda: has_phase("provision") and bool(Ledger().attempts(Ledger().runs()[0].id)))
    child.send_signal(signal.SIGINT)
    done = shell.end(child)
    assert done.code == 130
    assert "error: stopped by you before the job began" in done.err
    assert Ledger().unfinished() == []
    assert shell("gc", "--json").json == []


@pytest.mark.parametrize("phase", ["provision", "sync", "train", "collect", "teardown"])
def test_ctrl_c_in_any_phase_leaves_nothing(shell: Shell, phase: str) -> None:
    """Wherever it falls, the run comes to an end of its own and its machine is gone."""
    shell.job("name: demo\nprovider: local\nlocal: {runtime: process}\nrun: sleep 0.5\n")
    child = shell.spawn("deploy")
    until(lambda: has_phase(phase))
    child.send_signal(signal.SIGINT)
    done = shell.end(child)
    assert done.code in (0, 6, 130)
    assert "Traceback" not in done.err
    assert processes() == []
    assert Ledger().unfinished() == []


def test_a_reader_that_goes_away_does_not_leave_a_machine(shell: Shell) -> None:
    """`longshore deploy | head -1`: the run goes on without its audience, to its end."""
    shell.job("name: demo\nprovider: local\nlocal: {runtime: process}\nrun: sleep 0.3; echo x\n")
    command = f"{sys.executable} -m longshore deploy | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("plan: local process")
    assert done.stderr == ""
    assert processes() == []
    (run,) = Ledger().runs()
    assert run.status is Status.DONE
    assert Ledger().unfinished() == []


def test_a_run_on_a_terminal_has_a_live_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Phases in colour, the live line at the foot, and the end in plain words."""
    monkeypatch.setenv("LONGSHORE_FAKE", "pace=0.25")
    text = _on_terminal(shell, "deploy").decode()
    assert "\x1b[1;36mprovision" in text
    assert re.search(r"fake fake\.cpu · step \d+/20 \d+% · loss \d", text)
    assert "nothing left running: longshore-demo-" in text
    assert Ledger().runs()[0].status is Status.DONE


def test_words_in_brackets_are_no_markup(shell: Shell) -> None:
    """What a job or a provider says is shown as it is."""
    shell.job(
        "name: demo\nprovider: local\nlocal: {runtime: process}\nrun: echo '[bold]x[/bold] [/]'\n"
    )
    assert "[bold]x[/bold] [/]" in _on_terminal(shell, "deploy").decode()


def test_a_closed_terminal_leaves_no_machine(shell: Shell) -> None:
    """Every write fails from then on; the job is stopped and its machine ended all the same."""
    shell.job(FOREVER)
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "longshore", "deploy"],
        cwd=shell.project,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    until(is_running)
    os.close(ours)
    child.send_signal(signal.SIGHUP)
    child.wait(timeout=30)
    assert processes() == []
    assert Ledger().unfinished() == []
    assert Ledger().runs()[0].status is Status.INTERRUPTED


def _on_terminal(shell: Shell, *words: str) -> bytes:
    """What a command shows on a terminal of 200 columns."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "longshore", *words],
        cwd=shell.project,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "200"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # Linux says EIO when the last writer has gone.
        while chunk := os.read(ours, 4096):
            shown += chunk
    os.close(ours)
    assert child.wait(timeout=30) == 0
    return shown
