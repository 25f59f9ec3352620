"""`longshore emulate runpod`: what it says, and what it leaves."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from longshore.emulators.runpod.client import Admin
from longshore.images.engine import connect

from .conftest import IMAGE

pytestmark = pytest.mark.docker
COMMAND = [sys.executable, "-m", "longshore", "emulate", "runpod"]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(engine: None, tmp_path: Path) -> Iterator[Start]:
    """Starts the command; whatever still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> "subprocess.Popen[str]":
        command = [*COMMAND, "--state", str(tmp_path), *words]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def address(process: "subprocess.Popen[str]") -> str:
    """From the line that leads clients here; it comes first, or after what was removed."""
    assert process.stdout
    line = next(line for line in process.stdout if line.startswith("export "))
    words = dict(word.split("=") for word in line.removeprefix("export ").split())
    assert words["RUNPOD_API_KEY"] == "rpa_emulated"
    return words["RUNPOD_API_BASE_URL"]


def make_pod(url: str) -> str:
    gpu = {"id": "NVIDIA GeForce RTX 4090", "count": 1}
    body = {"name": "left", "image": IMAGE, "gpu": gpu, "args": "sleep 1000"}
    headers = {"Authorization": "Bearer rpa_emulated"}
    made = httpx.post(f"{url}/v2/pods", json=body, headers=headers).json()["id"]
    while httpx.get(f"{url}/v2/pods/{made}", headers=headers).json()["status"] != "RUNNING":
        pass
    return str(made)


def containers(pod: str) -> list[str]:
    client = connect()
    found = client.containers.list(all=True, filters={"name": pod}, ignore_removed=True)
    client.close()
    return [str(container.name) for container in found]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_end_takes_every_container(start: Start, ending: signal.Signals) -> None:
    """Ctrl-C and SIGTERM end the pods as well; the exit code is 0."""
    process = start("--port", "0")
    pod = make_pod(address(process))
    assert len(containers(pod)) == 1

    process.send_signal(ending)

    assert process.wait(20) == 0
    assert containers(pod) == []


def test_next_start_removes_what_a_kill_left(start: Start) -> None:
    """After kill -9 the containers are still there; the next emulator at any port finds them."""
    first = start("--port", "0")
    pod = make_pod(address(first))
    first.kill()
    first.wait()
    assert len(containers(pod)) == 1

    second = start("--port", "0")
    assert second.stdout
    assert second.stdout.readline().startswith("removed 1 container(s)")
    assert containers(pod) == []


def test_emulators_leave_each_other_alone(start: Start) -> None:
    """A start removes nothing of one that lives; at its port it says in one line what to do."""
    url = address(start("--port", "0"))
    pod, port = make_pod(url), url.rpartition(":")[2]

    address(start("--port", "0"))
    done = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True)

    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken" in done.stderr
    assert "hint: give another with --port" in done.stderr
    assert len(containers(pod)) == 1
    admin = Admin(url)
    assert admin.leaked() == [pod]
    admin.close()


def test_no_engine(engine: None) -> None:
    """Without Docker there are no pods."""
    env = os.environ | {"DOCKER_HOST": "unix:///nowhere"}
    done = subprocess.run([*COMMAND, "--port", "0"], capture_output=True, text=True, env=env)
    assert done.returncode == 4
    assert "hint:" in done.stderr


def test_extra_that_is_not_installed(engine: None) -> None:
    """The servers come with an extra; it is named."""
    program = (
        "import sys; sys.modules['uvicorn'] = None; from longshore.cli.main import main; main()"
    )
    words = [sys.executable, "-c", program, "emulate", "runpod"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 1
    assert "hint: pip install 'longshore[emulators]'" in done.stderr


def test_help_does_not_load_the_servers() -> None:
    """`longshore emulate --help` pays for nothing."""
    program = (
        "import sys; from longshore.cli.main import main\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    words = [sys.executable, "-c", program, "emulate", "runpod", "--help"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0
    assert not {"fastapi", "uvicorn", "graphql", "httpx", "docker"} & set(done.stderr.split())
