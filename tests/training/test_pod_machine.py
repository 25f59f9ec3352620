"""A pod as a real container: reached by ssh alone, restarted, stopped, and never run twice."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from longshore.configs import container
from longshore.configs.spec import JobSpec
from longshore.providers.base import Exit

from .machines import NAME, Machine, machine, send

pytestmark = [pytest.mark.docker, pytest.mark.slow]

SAVES = f"""
import os, signal, sys, time
def save(*_):
    with open("{container.ROOT}/{container.CHECKPOINTS}/saved", "w") as file:
        file.write("whole")
    sys.exit(75)
signal.signal(signal.SIGTERM, save)
with open("{container.ROOT}/{container.OUTPUTS}/starts", "a") as file:
    file.write("once\\n")
print("ready", flush=True)
time.sleep(600)
"""
JOB = JobSpec("pod", run="python saves.py")
FILES = {"saves.py": SAVES}


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


@pytest.fixture
def pod(pod_image: str, volume: Path) -> Iterator[Machine]:
    with machine(pod_image, volume, {"RUNPOD_API_KEY": "not-for-the-job"}) as made:
        yield made


def test_runs_a_job_that_came_by_ssh(pod: Machine, volume: Path) -> None:
    """Only the known key logs in, only by the known host key; outputs lie on the volume."""
    with pod.host() as host:
        send(host, JobSpec("pod", run="env >$LONGSHORE_OUTPUTS/env; exit 3"), {"x": ""})
        pod.until(lambda: host.poll() is not None)
        assert host.poll() == Exit(3)
        assert b"RUNPOD_API_KEY" not in host.read("outputs/env")
        assert int(host.read(container.PID)) > 1
    assert (volume / NAME / container.DONE).exists()
    pod.box.reload()
    assert pod.box.status == "running"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("PubkeyAuthentication=no", "Permission denied"),
        ("HostKeyAlias=somebody-else", "Host key verification failed"),
    ],
)
def test_nobody_else_comes_in(option: str, said: str, pod: Machine) -> None:
    """No password opens it, and a machine with another host key is not ours."""
    with pod.host():
        words = pod.connection.shell_words(["true"])
    tried = subprocess.run(
        [words[0], "-o", option, *words[1:]], capture_output=True, text=True, check=False
    )
    assert tried.returncode == 255
    assert said in tried.stderr


def test_the_host_takes_the_machine(pod: Machine, volume: Path) -> None:
    """SIGTERM, five seconds, SIGKILL: the job has saved before that, and says how it ended."""
    with pod.host() as host:
        send(host, JOB, FILES)
        pod.until(lambda: b"ready" in host.read(container.LOG))
    pod.box.stop(timeout=5)
    assert pod.box.wait()["StatusCode"] == 0
    assert (volume / NAME / container.CHECKPOINTS / "saved").read_text() == "whole"
    assert '"preempted"' in (volume / NAME / container.DONE).read_text()


def test_a_restart_never_runs_the_job_twice(pod: Machine, volume: Path) -> None:
    """A machine that died under its job comes back to be fetched from, by the same keys."""
    with pod.host() as host:
        send(host, JOB, FILES)
        pod.until(lambda: b"ready" in host.read(container.LOG))
    pod.box.kill()
    pod.box.start()
    assert pod.done() == pod.done() | {"code": 137, "reason": "killed"}
    with pod.host() as host:
        assert host.read("outputs/starts") == b"once\n"
    starts = volume / NAME / "outputs/starts"
    assert starts.read_text() == "once\n"


def test_a_stop_from_outside_reaches_the_job_alone(pod: Machine) -> None:
    """As `longshore stop` does it: the job saves and ends, the machine stays."""
    with pod.host() as host:
        send(host, JOB, FILES)
        pod.until(lambda: b"ready" in host.read(container.LOG))
        host.signal("TERM")
        assert pod.done()["reason"] == "preempted"
        assert host.read(f"{container.CHECKPOINTS}/saved") == b"whole"


def test_a_kill_from_outside_leaves_nothing_running(pod: Machine) -> None:
    """Not even the worker, whose watch was killed before it."""
    with pod.host() as host:
        send(host, JOB, FILES)
        pod.until(lambda: b"ready" in host.read(container.LOG))
        host.signal("KILL")
        assert pod.done()["code"] == 137
    assert "saves.py" not in processes(pod)


def test_orphans_are_collected_and_sshd_comes_back(pod: Machine) -> None:
    """PID 1 leaves no zombies, and a dead sshd does not end the way in."""
    with pod.host() as host:
        send(host, JobSpec("pod", run="(sleep 0.1 &) ; sleep 0.5"), {"x": ""})
        pod.done()
        host.close()
    pod.says("sh", "-c", "kill -9 $(cat /run/longshore/sshd.pid)")
    with pod.host() as host:
        assert host.poll() is not None
    pod.until(lambda: "(zombie)" not in processes(pod))


def test_a_container_that_is_not_root_says_so(pod_image: str, volume: Path) -> None:
    """Nobody could log in: the log tells why, for whoever reads it."""
    volume.chmod(0o777)
    variables = {container.ROOT_VARIABLE: "/tmp/job"}
    with machine(pod_image, volume, variables, user="1000") as made:
        made.until(lambda: b"ssh needs root" in made.box.logs())


def processes(pod: Machine) -> str:
    """Names, states and words of all that runs inside."""
    script = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; grep -h State /proc/[0-9]*/status; true"
    return pod.says("sh", "-c", script)
