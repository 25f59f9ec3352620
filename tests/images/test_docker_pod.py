"""The real image as a pod: root, the same layers, and what it exposes on 127.0.0.1 only."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from longshore.configs import container
from longshore.configs.spec import JobSpec
from longshore.images.build import Built, ensure
from longshore.images.engine import connect

from ..training.machines import Machine, machine, send
from .conftest import RealImage

pytestmark = [pytest.mark.docker, pytest.mark.slow]

TOKEN = "token-of-the-owner-81"
ASK = """
import sys, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())
except OSError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def built(real_image: RealImage) -> Built:
    """The image with what `expose` needs."""
    services = ("jupyterlab", "tensorboard")
    return ensure(replace(real_image.spec, user="root", services=services))


@pytest.fixture
def pod(built: Built, tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "volume").mkdir()
    with machine(built.tag, tmp_path / "volume") as made:
        yield made


def test_only_what_is_said_about_it_differs(real_image: RealImage) -> None:
    """A pod's image needs no layer that a local run has not built, and the other way round."""
    pod = ensure(replace(real_image.spec, user="root"))
    client = connect()
    ours, theirs = (client.images.get(tag).attrs for tag in (pod.tag, real_image.built.tag))
    client.close()
    assert ours["RootFS"] == theirs["RootFS"]
    assert (ours["Config"]["User"], theirs["Config"]["User"]) == ("root", "longshore")
    assert ours["Config"]["Entrypoint"] == list(container.ENTRYPOINT)


def test_exposed_services_answer_inside_only(pod: Machine) -> None:
    """Jupyter asks for its token, TensorBoard shows the job's loss, the network sees neither."""
    step = json.dumps({"t": time.time(), "kind": "step", "step": 1, "loss": 2.5})
    script = f"echo '{step}' >>$LONGSHORE_OUTPUTS/events.jsonl; sleep 600"
    with pod.host() as host:
        host.write(container.TOKENS, json.dumps({"jupyter": TOKEN}).encode(), 0o600)
        send(host, JobSpec("pod", run=script, expose=("jupyter", "tensorboard")), {"x.py": ""})
        ask = ("python", "-c", ASK)
        status = "http://127.0.0.1:8888/api/contents"
        pod.until(lambda: "x.py" in pod.says(*ask, f"{status}?token={TOKEN}"))
        assert "403" in pod.says(*ask, status)
        tags = "http://127.0.0.1:6006/data/plugin/scalars/tags"
        pod.until(lambda: "train/loss" in pod.says(*ask, tags))
        for port in container.PORTS.values():
            assert "refused" in pod.says(*ask, f"http://{pod.address}:{port}/")
        assert TOKEN not in pod.says("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
        host.signal("KILL")
