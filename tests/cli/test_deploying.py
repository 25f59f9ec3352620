"""A deploy from the command line: what it shows, what it acts on, and how it ends."""

import json
from pathlib import Path

import pytest

from longshore.configs import jobfile
from longshore.configs.spec import JobSpec
from longshore.runs import locks
from longshore.runs.ledger import Ledger
from longshore.runs.records import Status

from .conftest import FOREVER, Shell, is_running, until

LOCAL = """\
name: demo
provider: local
local: {runtime: process}
env: {GREETING: hello}
sync: {data: [numbers.txt]}
guards: {max_time: 5m}
run: |
  cp "$LONGSHORE_ROOT/job.json" "$LONGSHORE_OUTPUTS/job.json"
  cat "$LONGSHORE_DATA/numbers.txt"
  echo "$GREETING from $(pwd)"
  printf 'the last word'
"""
STAYS = ["--set", "guards.recoveries=0"]
"""A job that is cut short ends there."""


def test_a_run_tells_its_phases_its_end_and_its_cost(shell: Shell) -> None:
    """In a pipe: plain lines, one after the other."""
    done = shell("deploy")
    assert done.code == 0
    phases = [line.split()[0] for line in done.out.splitlines() if line.startswith("[")]
    assert phases == ["[provision]", "[sync]", "[train]", "[collect]", "[teardown]"]
    assert done.out.startswith("plan: fake fake.cpu")
    assert "(verified)" in done.out
    assert "nothing left running: longshore-demo-" in done.out
    assert done.err == ""


def test_quiet_leaves_out_what_the_job_prints(shell: Shell) -> None:
    """And nothing else."""
    assert "step 20/20  loss" in shell("deploy").out
    done = shell("deploy", "--quiet")
    assert "step 20/20  loss" not in done.out
    assert "nothing left running" in done.out


def test_json_is_the_report_and_nothing_else(shell: Shell) -> None:
    """On standard output; the story goes to standard error."""
    done = shell("deploy", "--json")
    assert done.code == 0
    assert (done.json["kind"], done.json["status"]) == ("report", "done")
    assert "[provision]" in done.err


@pytest.mark.parametrize(
    ("faults", "words", "code", "error"),
    [
        ("exit_code=3", [], 6, "the fake job was told to fail"),
        ("refuse=1", [], 4, "no capacity"),
        ("reject=1", [], 4, "bid was too low"),
        ("vanish_after=1, pace=0.05", [], 4, "is gone"),
        ("corrupt=1", [], 9, "outputs are not home"),
        ("pace=0.6", ["--max-cost", "0.00002"], 11, "are spent"),
        ("preempt_after=2.5, pace=0.3", STAYS, 75, "preempted"),
    ],
)
def test_each_ending_has_its_exit_code(
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    faults: str,
    words: list[str],
    code: int,
    error: str,
) -> None:
    """And its one line, with what happened in it."""
    monkeypatch.setenv("LONGSHORE_FAKE", faults if "pace" in faults else f"{faults}, pace=0.01")
    done = shell("deploy", "--spot", "only", *words)
    assert done.code == code
    (line,) = (line for line in done.err.splitlines() if line.startswith("error: "))
    assert error in line
    monkeypatch.setenv("LONGSHORE_FAKE", "pace=0.01")


def test_a_run_in_this_python_gets_its_data_its_settings_and_its_folder(shell: Shell) -> None:
    """The process runtime, end to end, and its last line that has no end."""
    shell.job(LOCAL)
    (shell.project / "numbers.txt").write_text("1 2 3\n")
    done = shell("deploy")
    assert done.code == 0
    assert "1 2 3" in done.out
    assert "hello from " in done.out
    assert "the last word" in done.out.splitlines()


def test_a_dry_run_starts_nothing(shell: Shell, tmp_path: Path) -> None:
    """No ledger, no folder, no output: the disk is as it was."""
    before = sorted(tmp_path.rglob("*"))
    done = shell("deploy", "--dry-run")
    assert done.code == 0
    assert done.out.splitlines()[-1] == "dry run: nothing was started"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dry_run_shows_what_a_real_run_acts_on(shell: Shell) -> None:
    """The very job.json that the job then finds; the plan is the same, word for word."""
    shell.job(LOCAL)
    (shell.project / "numbers.txt").write_text("1 2 3\n")
    shown = shell("deploy", "--dry-run", "--max-cost", "0.01").out
    real = shell("deploy", "--max-cost", "0.01")
    text = shown.partition("job.json: ")[2].rpartition("}")[0] + "}"
    got = (shell.project / "outputs" / "demo" / "job.json").read_text()
    assert jobfile.parse(text) == jobfile.parse(got)
    assert shown.splitlines()[0] == real.out.splitlines()[0]
    assert f"in: {shell.project / 'numbers.txt'} -> data/numbers.txt" in shown


def test_a_dry_run_as_json_is_the_plan(shell: Shell) -> None:
    """With the choice and the limits that will hold."""
    made = shell("deploy", "--dry-run", "--json", "--max-time", "1h").json
    assert made["plan"]["stop_after_s"] == 3600


def test_the_same_job_twice_at_once_is_refused(shell: Shell) -> None:
    """Exit 7: who holds it, and since when; the first goes on."""
    with locks.hold("job-demo", "job 'demo'"):
        done = shell("deploy")
    assert done.code == 7
    assert "job 'demo' is busy: process" in done.err
    assert Ledger().runs() == []


def test_two_deploys_at_once_lead_to_one_run(shell: Shell) -> None:
    """The second of two real commands gives way."""
    shell.job(FOREVER)
    first = shell.spawn("deploy")
    until(is_running)
    assert shell("deploy").code == 7
    assert len(Ledger().runs()) == 1
    assert shell("stop").code == 0
    assert shell.end(first).code == 75


def test_an_interrupted_run_is_gone_on_from(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hint of the first run is the command that finishes it."""
    monkeypatch.setenv("LONGSHORE_FAKE", "preempt_after=3, pace=0.3")
    stopped = shell("deploy", *STAYS)
    assert stopped.code == 75
    run = Ledger().runs()[0].id
    assert f"--resume {run}" in stopped.err
    monkeypatch.setenv("LONGSHORE_FAKE", "pace=0.01")
    assert shell("deploy", "--resume", run).code == 0
    assert Ledger().runs()[0].resumed_from == run


@pytest.mark.parametrize("name", ["my project", "проект ü 太", "a'b\"c$d", "-dash", "a[1]*?"])
def test_a_project_may_have_any_name(shell: Shell, name: str) -> None:
    """Spaces, letters of any script, signs that a shell would take for its own."""
    project = shell.project / name
    project.mkdir()
    (project / "longshore.yaml").write_text(LOCAL)
    (project / "numbers.txt").write_text("1 2 3\n")
    assert shell("deploy", "-f", f"./{name}/longshore.yaml").code == 0
    assert (project / "outputs" / "demo" / "train.log").read_text().startswith("1 2 3\n")


def test_a_job_may_have_a_name_of_forty_letters(shell: Shell) -> None:
    """The longest; with the run's and the machine's own parts it is still a file's name."""
    shell.job(f"name: {'a' * 40}\nrun: echo here\nlocal: {{runtime: process}}\n")
    assert shell("deploy").code == 0
    assert shell("ps", "--all", "--json").json[0]["status"] == "done"


def test_an_unattended_run_of_the_job_comes_first(shell: Shell) -> None:
    """What a dead command left is brought home before the same job begins again: exit 7."""
    Ledger().open_run(JobSpec("demo", run="true"), shell.project)
    done = shell("deploy")
    assert done.code == 7
    assert "`longshore gc`" in done.err


def test_the_report_comes_in_four_shapes(shell: Shell) -> None:
    """All made from one document; without a name it is that of the newest run."""
    shell("deploy")
    run = Ledger().runs()[0]
    assert run.status is Status.DONE
    as_json = shell("report", "--json").json
    assert as_json["run"] == run.id
    assert shell("report", run.id, "--format", "json").json == as_json
    assert shell("report", "demo", "--format", "md").out.startswith("## ")
    assert "<html" in shell("report", run.id[-4:], "--format", "html").out
    home = shell.project / "outputs" / "demo" / "report.json"
    assert json.loads(home.read_text()) == as_json
