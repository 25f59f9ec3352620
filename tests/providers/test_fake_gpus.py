"""GPUs reach the container: proven on an engine that believes that it has an NVIDIA runtime.

dockerd offers `--gpus` as soon as `nvidia-container-runtime-hook` is on its PATH. A second engine
gets such a hook, which notes what it was asked to show. It lives in a network of its own, so that
it cannot touch the bridge of the engine beside it.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from longshore.configs.spec import Gpu
from longshore.errors import ProviderError
from longshore.images.engine import connect
from longshore.providers.base import Need, Order
from longshore.providers.local import LocalProvider

HOOK = """#!/bin/sh
[ "$1" = prestart ] || exit 1
config=$(sed 's/.*"bundle":"\\([^"]*\\)".*/\\1/')/config.json
grep -o 'NVIDIA_VISIBLE_DEVICES=[^"]*' "$config" >"$(dirname "$0")/asked"
"""
SMI = """#!/bin/sh
echo 'NVIDIA GeForce RTX 4090, 24564'
echo 'NVIDIA GeForce RTX 4090, 24564'
"""
START = """ip link set lo up
exec dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/pid" -H "unix://$1/sock"
"""
NEED = Need(runtime="docker", gpu=Gpu("RTX 4090", 2), watts=1.0, usd_per_kwh=Decimal(1))

pytestmark = pytest.mark.docker


def script(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture(scope="module")
def gpu_engine(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a second engine with a hook, holding the image of the first."""
    for tool in ("dockerd", "unshare", "ip"):
        if os.geteuid() != 0 or shutil.which(tool) is None:
            pytest.skip(f"a second engine needs root and {tool}")
    folder = tmp_path_factory.mktemp("engine")
    script(folder / "bin" / "nvidia-container-runtime-hook", HOOK)
    path = f"{folder}/bin{os.pathsep}{os.environ['PATH']}"
    command = ["unshare", "--net", "sh", "-c", START, "sh", str(folder)]
    with (folder / "log").open("wb") as log:
        engine = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PATH": path})
    try:
        until = time.monotonic() + 60
        while subprocess.run(
            docker(folder, "version"), capture_output=True, check=False
        ).returncode:
            if engine.poll() is not None or time.monotonic() > until:
                pytest.skip(f"no second engine: {(folder / 'log').read_text()[-300:]}")
            time.sleep(0.2)
        save = subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE)
        subprocess.run(docker(folder, "load"), stdin=save.stdout, check=True, capture_output=True)
        save.communicate()
        yield folder
    finally:
        engine.terminate()
        engine.wait(timeout=60)
        shutil.rmtree(folder / "data", ignore_errors=True)


def answers(folder: Path) -> bool:
    asked = subprocess.run(docker(folder, "version"), capture_output=True, check=False)
    return asked.returncode == 0


def docker(folder: Path, *words: str) -> list[str]:
    return ["docker", "-H", f"unix://{folder}/sock", *words]


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A driver that lists two cards."""
    script(tmp_path / "bin" / "nvidia-smi", SMI)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)


@pytest.fixture
def on_gpu_engine(gpu_engine: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{gpu_engine}/sock")
    return gpu_engine


def started(state: Path, image: str, need: Need) -> str:
    """What the engine was told about GPUs when a job began."""
    provider = LocalProvider(state, ("python", "-c", ""))
    order = Order("gpus", 1, "tests", need, image)
    name = provider.request(provider.offers(need)[0], order)
    try:
        machine = provider.look(name)
        assert machine is not None
        provider.host(machine).start()
        client = connect()
        asked = client.containers.get(name).attrs["HostConfig"]["DeviceRequests"]
        client.close()
        return json.dumps(asked)
    finally:
        provider.tear_down(name)


@pytest.mark.usefixtures("gpus")
@pytest.mark.parametrize(("count", "seen"), [(1, "0"), (2, "0,1")])
def test_gpus_are_passed(
    on_gpu_engine: Path, image: str, tmp_path: Path, count: int, seen: str
) -> None:
    """As many cards as were asked for are shown to the container, and no more."""
    need = replace(NEED, gpu=Gpu("RTX 4090", count))
    (asked,) = json.loads(started(tmp_path, image, need))
    assert asked["Count"] == count
    assert (on_gpu_engine / "bin" / "asked").read_text() == f"NVIDIA_VISIBLE_DEVICES={seen}\n"


def test_none_are_passed_unasked(on_gpu_engine: Path, image: str, tmp_path: Path) -> None:
    """A job that asks for no GPU is shown none, on a machine that has them too."""
    assert json.loads(started(tmp_path, image, replace(NEED, gpu=None))) is None


@pytest.mark.usefixtures("gpus")
def test_an_engine_without_the_toolkit_is_told_apart(image: str, tmp_path: Path) -> None:
    """The cards are there but the engine cannot pass them: one line, and what to install."""
    with pytest.raises(ProviderError, match="could not select device driver") as caught:
        started(tmp_path, image, NEED)
    assert caught.value.hint == "install the NVIDIA Container Toolkit on this machine"
