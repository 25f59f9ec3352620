"""A foreign image becomes a pod by `boot.sh`: ssh first, then the luggage, then our PID 1."""

import json
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from longshore.configs import container
from longshore.configs.spec import JobSpec
from longshore.emulators.runpod.containers import Engine
from longshore.images.context import PACKAGE
from longshore.images.luggage import pack
from longshore.images.spec import ImageSpec
from longshore.providers.base import Exit

from .conftest import Serve
from .machines import NAME, machine, send
from .test_pod import ENDED

pytestmark = [pytest.mark.docker, pytest.mark.slow]

BASE = "python:3.11-slim"
BOOT = {"LONGSHORE_BOOT": (PACKAGE / "images/boot.sh").read_text()}
SHELL = ["bash", "-c", 'eval "$LONGSHORE_BOOT"']
USES = """
import longshore, os, sys, tiny
print(tiny.WORD, sys.prefix, os.environ["HF_HOME"], "LONGSHORE_BOOT" in os.environ)
"""


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


@pytest.fixture
def luggage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real luggage of a job, but that its locks ask for one tiny wheel only."""
    monkeypatch.setenv("LONGSHORE_CACHE", str(tmp_path / "cache"))
    for name in ("project", "wheels"):
        (tmp_path / name).mkdir()
    make_wheel(tmp_path / "wheels/tiny-1.0-py3-none-any.whl")
    spec = ImageSpec(
        "bare",
        "cpu",
        tmp_path / "project",
        wheelhouse=tmp_path / "wheels",
        pip_settings="[global]\nindex-url = https://me:word@index.invalid\n",
        offline=True,
    )
    folder = pack(spec)
    (folder / "torch.lock").write_text("")
    (folder / "rest.lock").write_text("tiny==1.0\n")
    return folder


def make_wheel(path: Path) -> None:
    """A package of one module, as pip takes it."""
    about = "tiny-1.0.dist-info"
    files = {
        "tiny.py": "WORD = 'tiny'\n",
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": f"tiny.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)


def test_a_plain_python_image_runs_the_job(volume: Path, luggage: Path) -> None:
    """It gets ssh by itself, installs from the wheels alone, and stays as any other pod."""
    with machine(BASE, volume, BOOT, command=SHELL) as pod, pod.host(180) as host:
        host.put(luggage, "lib")
        send(host, JobSpec("bare", run="python uses.py"), {"uses.py": USES})
        pod.until(lambda: host.poll() is not None)
        assert host.poll() == Exit(0), pod.read(container.LOG)
        log = host.read(container.LOG).decode()
        assert "tiny /longshore/venv /longshore/cache/huggingface False" in log
        assert (volume / NAME / container.DONE).exists()
        assert host.read("lib/pip_conf") == b""
        assert "longshore.training" in pod.says("cat", "/proc/1/cmdline")
        pod.says("sh", "-c", "kill -9 $(cat /run/longshore/sshd.pid)")
        host.close()
        with pod.host() as again:
            assert again.poll() == Exit(0)


def test_what_cannot_be_installed_ends_the_job(pod_image: str, volume: Path, luggage: Path) -> None:
    """done.json has the code of a failed build, the log says why, and secrets are gone."""
    (luggage / "rest.lock").write_text("no-such-package==1.0\n")
    with machine(pod_image, volume, BOOT, entrypoint=SHELL) as pod, pod.host() as host:
        host.put(luggage, "lib")
        send(host, JobSpec("bare", run="true"), {})
        assert pod.done() == pod.done() | {"code": 5, "reason": "failed"}
        assert host.poll() == Exit(5)
        assert b"no-such-package" in host.read(container.LOG)
        assert b'"kind": "error"' in host.read(container.EVENTS)
        assert host.read("lib/pip_conf") == b""


def test_a_stop_while_it_installs_ends_the_job(pod_image: str, volume: Path, luggage: Path) -> None:
    """Whoever changes his mind need not wait for gigabytes of packages."""
    slow = luggage / "slow"
    slow.mkdir()
    (slow / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "slow"\nbackend-path = ["."]\n'
    )
    (slow / "slow.py").write_text("import time\nprint('slow')\ntime.sleep(600)\n")
    (luggage / "rest.lock").write_text("/longshore/lib/slow\n")
    with machine(pod_image, volume, BOOT, entrypoint=SHELL) as pod, pod.host() as host:
        host.put(luggage, "lib")
        send(host, JobSpec("bare", run="true"), {})
        pod.until(lambda: host.read(container.PID))
        host.signal("TERM")
        done = volume / NAME / container.DONE
        pod.until(done.exists)
        assert json.loads(done.read_text())["code"] == 143


def test_a_restart_under_the_job_only_opens_the_way_in(pod_image: str, volume: Path) -> None:
    """The container's own disk is new after a stop: there is nothing left to run, only to fetch."""
    own = volume / NAME
    (own / "control").mkdir(parents=True)
    for name in (container.START, container.STARTED):
        (own / name).touch()
    with machine(pod_image, volume, BOOT, entrypoint=SHELL) as pod, pod.host() as host:
        assert pod.done() == pod.done() | {"code": 137, "reason": "killed"}
        assert host.poll() == Exit(137)
        pod.until(lambda: b"waiting for its end" in pod.box.logs())


@pytest.mark.parametrize("begun", [False, True])
def test_a_machine_left_alone_ends_itself(
    begun: bool, pod_image: str, volume: Path, graphql: Serve
) -> None:
    """The switch works before our package is there, and its key is in no list of processes."""
    own = volume / NAME
    (own / "control").mkdir(parents=True)
    if begun:
        (own / container.STARTED).touch()
    with closing(Engine()) as engine:
        base, asked = graphql(ENDED, host=engine.gateway())
    keys = {"RUNPOD_API_KEY": "own-key", "RUNPOD_POD_ID": "abc", "RUNPOD_API_BASE_URL": base}
    variables = BOOT | keys | {container.IDLE: "3"}
    with machine(pod_image, volume, variables, entrypoint=SHELL) as pod:
        pod.until(lambda: asked.queries)
    assert asked.verbs == ["podStop" if begun else "podTerminate"]
    assert 'podId: "abc"' in asked.queries[0]
    assert asked.keys == ["Bearer own-key"]


def test_a_stop_is_heard_while_it_waits(pod_image: str, volume: Path) -> None:
    """PID 1 goes at once, whatever it waits for."""
    with machine(pod_image, volume, BOOT, entrypoint=SHELL) as pod:
        pod.until(lambda: b"waiting for the job" in pod.box.logs())
        pod.box.stop(timeout=60)
        assert pod.box.wait()["StatusCode"] == 143
