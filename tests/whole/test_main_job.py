"""The main job in a real container: from a file to verified outputs, whatever happens between."""

import json
import signal
import subprocess
from uuid import uuid4

import pytest

from longshore.images.engine import connect

from ..conftest import texts
from .conftest import Project, containers

pytestmark = [pytest.mark.docker, pytest.mark.training, pytest.mark.slow]

LONG = {"max_steps": 100_000, "epochs": 1_000_000}


def test_deploy_trains_in_a_container_and_leaves_nothing(project: Project) -> None:
    """Outputs are home and verified, the report names the proof, no container is left."""
    project.write(resources={"cpus": 1, "memory": "2GiB"})
    code, printed = project.run("deploy", "--runtime", "docker")
    assert code == 0, printed
    assert "(verified)" in printed
    assert "nothing left running" in printed
    run = project.newest()["run"]
    home = project.folder / "outputs" / run
    assert (home / "model" / "model.safetensors").is_file()
    report = json.loads((home / "report.json").read_text())
    assert report["teardown"]["gone_at"]


def test_the_job_sees_its_limits_not_the_hosts(project: Project) -> None:
    """Half a CPU and a gigabyte: the entrypoint plans with what its container has."""
    project.write(resources={"cpus": 0.5, "memory": "1GiB"}, train={"max_steps": 1})
    code, printed = project.run("deploy", "--runtime", "docker", "-q")
    assert code == 0, printed
    events = project.events(project.newest()["run"])
    (hardware,) = [event for event in events if event["kind"] == "hardware"]
    assert (hardware["cpus"], hardware["ram_mib"]) == (0.5, 1024)


def test_ctrl_c_and_resume_give_the_losses_of_an_unbroken_run(project: Project) -> None:
    """Stopped in the middle and gone on: every step's loss is the same, to the last digit."""
    project.write(train={"max_steps": 400})
    broken = project.start("deploy", "--runtime", "docker", "-q")
    project.wait_for_step(10)
    broken.send_signal(signal.SIGINT)
    printed, _ = broken.communicate(timeout=120)
    assert broken.returncode == 75, printed
    first = project.newest()["run"]
    code, printed = project.run("deploy", "--runtime", "docker", "-q", "--resume", "last")
    assert code == 0, printed
    second = project.newest()["run"]
    code, printed = project.run("deploy", "--runtime", "docker", "-q")
    assert code == 0, printed
    assert project.losses(first, second) == project.losses(project.newest()["run"])


def test_ctrl_c_while_the_image_is_built_ends_the_build(project: Project) -> None:
    """There is nothing to save yet: the builder ends with the command, and no machine was made."""
    (project.folder / "requirements.txt").write_text(f"tabulate==0.9.0  # {uuid4()}\n")
    project.write(image={"requirements": "requirements.txt"})
    command = project.start("deploy", "--runtime", "docker")
    assert command.stdout is not None
    next(line for line in command.stdout if line.startswith("context:"))
    command.send_signal(signal.SIGINT)
    printed, _ = command.communicate(timeout=60)
    assert command.returncode == 130, printed
    assert "stopped by you before the job began" in printed
    alive = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True)
    assert "--tag longshore/whole:" not in alive.stdout
    assert project.run("ps")[1] == "nothing runs\n"


def test_kill_9_then_gc_leaves_no_container(project: Project) -> None:
    """The job goes on without its command; `ps` says so, `gc` brings it home and ends it."""
    project.write(train=LONG)
    command = project.start("deploy", "--runtime", "docker", "-q")
    project.wait_for_step(5)
    command.kill()
    command.communicate()
    assert len(containers()) == 1
    code, printed = project.run("ps")
    assert "unattended" in printed
    code, printed = project.run("gc")
    assert code == 0, printed
    assert containers() == []
    newest = project.newest()
    assert newest["status"] == "interrupted"
    assert (project.folder / "outputs" / newest["run"] / "report.html").is_file()


def test_gc_saves_what_a_removed_container_left(project: Project) -> None:
    """Its command is dead and somebody removed it: its files are still here, and come home."""
    project.write(train=LONG)
    command = project.start("deploy", "--runtime", "docker", "-q")
    project.wait_for_step(5)
    command.kill()
    command.communicate()
    client = connect()
    client.containers.get(containers()[0]).remove(force=True)
    client.close()
    code, printed = project.run("gc")
    assert code == 0, printed
    assert project.run("gc") == (0, "nothing left running\n")
    run = project.newest()["run"]
    assert (project.folder / "outputs" / run / "events.jsonl").is_file()


def test_a_container_killed_from_outside_is_told_and_can_be_resumed(project: Project) -> None:
    """`docker kill`: the run says what happened, and goes on from its last checkpoint."""
    project.write(train=LONG)
    command = project.start("deploy", "--runtime", "docker", "-q")
    project.wait_for_step(12)
    client = connect()
    client.containers.get(containers()[0]).kill()
    client.close()
    printed, _ = command.communicate(timeout=60)
    assert "killed from outside" in printed
    assert f"--resume {project.newest()['run']}" in printed
    assert command.returncode != 0


def test_too_little_memory_halves_the_batch_and_keeps_the_work(project: Project) -> None:
    """The kernel ends the worker, the entrypoint starts it again with half of the batch at once."""
    lines = [json.dumps({"text": f"{number} {text}"}) for number, text in enumerate(texts(8000))]
    (project.folder / "data.jsonl").write_text("\n".join(lines))
    project.write(
        resources={"memory": "700MiB"},
        train={"batch_size": 4096, "max_steps": 2},
    )
    code, printed = project.run("deploy", "--runtime", "docker")
    assert code == 0, printed
    plans = [e for e in project.events(project.newest()["run"]) if e["kind"] == "plan"]
    assert {plan["batch_size"] for plan in plans} == {4096}
    assert plans[-1]["micro_batch"] < plans[0]["micro_batch"]
    assert all(plan["micro_batch"] * plan["accumulation"] == 4096 for plan in plans)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", 3, "error: run whole-{} ended: data.jsonl is empty"),
        (b'{"txt": "a"}\n', 3, "data.jsonl:1: no column 'text'"),
        (b'{"text": "a"}\n{"text": "\xff"}\n', 3, "data.jsonl:2: not UTF-8"),
    ],
)
def test_a_data_set_that_cannot_be_used_is_named_as_the_user_knows_it(
    project: Project, content: bytes, code: int, said: str
) -> None:
    """From inside the container: one line with the user's own path, and the code for data."""
    (project.folder / "data.jsonl").write_bytes(content)
    ended, printed = project.run("deploy", "--runtime", "docker", "-q")
    assert ended == code, printed
    assert said.format(project.newest()["run"][-4:]) in printed
    assert "Traceback" not in printed
