"""`longshore train`: the entrypoint here, with the exit codes a container would have."""

import json
import signal

import pytest

from longshore.runs.ledger import Ledger

from .conftest import FOREVER, Shell, until

JOB = "name: demo\nrun: {run}\n"


@pytest.mark.parametrize(
    ("run", "code"),
    [("'true'", 0), ("exit 75", 75), ("exit 3", 3), ("kill -9 $$", 137), ("no-such-command", 127)],
)
def test_the_jobs_exit_code_is_the_commands(shell: Shell, run: str, code: int) -> None:
    """0 done, 75 stopped with a checkpoint, everything else as it came."""
    shell.job(JOB.format(run=run))
    done = shell.end(shell.spawn("train"))
    assert done.code == code
    assert "Traceback" not in done.err
    assert done.out.splitlines()[-1].startswith("outputs: ")


def test_outputs_are_where_it_says(shell: Shell) -> None:
    """With the log and the manifest, in a folder of this call alone; the ledger knows nothing."""
    shell.job(JOB.format(run="echo here; echo x > $LONGSHORE_OUTPUTS/x.txt"))
    done = shell.end(shell.spawn("train"))
    (folder,) = (shell.project / "outputs").iterdir()
    assert done.out.splitlines()[-1] == f"outputs: {folder / 'outputs'}"
    files = json.loads((folder / "outputs" / "MANIFEST.json").read_text())["files"]
    assert {"train.log", "x.txt"} <= set(files)
    assert Ledger().runs() == []


def test_it_runs_in_the_projects_folder(shell: Shell) -> None:
    """As in a container: the code is where the command begins."""
    (shell.project / "hello.txt").write_text("the project's own\n")
    shell.job(JOB.format(run="cat hello.txt"))
    assert "the project's own" in shell.end(shell.spawn("train")).out


def test_ctrl_c_saves(shell: Shell) -> None:
    """The job is asked to stop and ends with 75; the same folder can be gone on from."""
    shell.job(FOREVER)
    child = shell.spawn("train", "--folder", "again")
    log = shell.project / "again" / "outputs" / "train.log"
    until(lambda: log.exists() and "it runs" in log.read_text())
    child.send_signal(signal.SIGINT)
    assert shell.end(child).code == 75
    shell.job(FOREVER.replace("while true", 'echo "from $LONGSHORE_RESUME_FROM"; while false'))
    done = shell.end(shell.spawn("train", "--folder", "again"))
    assert f"from {shell.project}/again/checkpoints/step-000001" in done.out
