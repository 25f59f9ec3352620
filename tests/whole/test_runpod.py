"""What a pod can be: bid for, with a volume, from a registry, on any image."""

import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from longshore.environments.resolve import resolve
from longshore.images.build import ensure
from longshore.images.login import PASSWORD, USER
from longshore.images.spec import ImageSpec

from ..registries import WORD, Registry
from .conftest import Project
from .runpod import Cloud, until

pytestmark = [pytest.mark.docker, pytest.mark.slow]


def test_a_bid_that_is_outbid_saves_and_goes_on(cloud: Cloud) -> None:
    """SIGTERM, a checkpoint within 5 s, another pod, and every number counted once."""
    cloud.write(60)
    command = cloud.deploy("--spot", "only", "--bid-price", "0.50")
    cloud.emulator.outbid(cloud.wait_for_number(12))
    code, printed = cloud.ended(command)
    assert code == 0, printed
    assert cloud.numbers() == list(range(1, 61))
    assert "going on with another machine" in printed or "what it held is home" in printed
    assert cloud.pods() == []


@pytest.mark.training
def test_an_outbid_training_has_the_losses_of_an_unbroken_one(
    cloud: Cloud, project: Project
) -> None:
    """Five seconds are enough to save; on the next pod no step is lost and none is different."""
    project.write(
        train={"max_steps": 300, "save_every": 100},
        resources={"device": "cpu"},
        sync={"every": "1s"},
    )
    code, printed = project.run("deploy", "--runtime", "docker", "-q")
    assert code == 0, printed
    whole = project.newest()["run"]
    spec = resolve(project.folder / "longshore.yaml").spec
    image = ensure(ImageSpec.of(spec, project.folder, user="root")).tag
    there = cloud.beside(project.folder)
    bid = ("--spot", "only", "--bid-price", "0.50")
    command = there.deploy("-q", *bid, "--set", f"image.name={image}")
    until(lambda: max(_steps(project, whole), default=0) >= 120)
    cloud.emulator.outbid(there.pods()[-1]["id"])
    code, printed = there.ended(command)
    assert code == 0, printed
    assert len(cloud.emulator.pods()) == 2
    assert project.losses(there.newest()) == project.losses(whole)
    assert there.pods() == []


@pytest.mark.parametrize(
    ("spot", "code", "says"),
    [("prefer", 0, "(verified)"), ("only", 4, "withdraw")],
)
def test_where_bids_are_withdrawn_on_demand_is_taken_under_the_ceiling(
    cloud: Cloud, spot: str, code: int, says: str
) -> None:
    """RunPod places no bids any more: `prefer` goes on without, `only` says why it cannot."""
    cloud.write(5)
    cloud.emulator.serve_bids(False)
    ended, printed = cloud.ended(cloud.deploy("--spot", spot, "--bid-price", "0.50"))
    assert (ended, says in printed) == (code, True), printed
    assert "withdraw" in printed
    assert cloud.pods() == []


def test_a_bid_below_the_least_is_told_the_least(cloud: Cloud) -> None:
    """Nothing is asked for at a price that cannot be had."""
    cloud.write(5)
    code, printed = cloud.ended(cloud.deploy("--spot", "only", "--bid-price", "0.01"))
    assert code == 4, printed
    assert re.search(r"the cheapest is \$0\.\d+", printed), printed


def test_stock_that_comes_back_is_waited_for(cloud: Cloud) -> None:
    """`--wait` shows that it waits, and takes the first machine there is."""
    cloud.write(5)
    cloud.emulator.set_stock(0)
    command = cloud.deploy("--wait", "5m")
    assert command.stdout is not None
    said = next(line for line in command.stdout if "trying again for" in line)
    cloud.emulator.set_stock(8)
    code, printed = cloud.ended(command)
    assert code == 0, said + printed
    assert cloud.pods() == []


def test_a_network_volume_pins_the_data_center_and_keeps_what_was_made(cloud: Cloud) -> None:
    """The pod is where the volume is; checkpoints and outputs lie on it, not on the pod."""
    body = {"name": "mine", "size": 10, "dataCenter": "EU-RO-1"}
    cloud.call("POST", "/network-volumes", body)
    cloud.write(10, runpod={"volume": "mine"})
    code, printed = cloud.ended(cloud.deploy())
    assert code == 0, printed
    (pod,) = cloud.emulator.pods()
    assert pod["data_center"] == "EU-RO-1"
    assert cloud.numbers() == list(range(1, 11))


def test_a_command_on_the_machine_and_a_port_of_it(cloud: Cloud) -> None:
    """`longshore ssh` runs a command there, its host key verified; nothing asks a question."""
    cloud.write(300)
    command = cloud.deploy()
    cloud.wait_for_number(3)
    code, printed = cloud.run("ssh", "last", "cat", "/longshore/outputs/numbers.txt")
    assert code == 0, printed
    assert printed.startswith("1\n2\n3\n")
    assert cloud.run("stop")[0] == 0
    code, printed = cloud.ended(command)
    assert code == 75, printed
    assert cloud.pods() == []


def test_any_public_image_will_do_and_services_are_reached_through_ssh(
    cloud: Cloud, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No registry: the job's packages are installed on the pod, and the difference is said.

    Jupyter and TensorBoard answer on this machine, with the token and not without it.
    """
    project.write(
        train={"max_steps": 100_000, "epochs": 1_000_000},
        resources={"device": "cpu"},
        runpod={"base": "python:3.11-slim"},
        expose=["jupyter", "tensorboard"],
        sync={"every": "5s"},
    )
    there = cloud.beside(project.folder)
    command = there.deploy()
    assert command.stdout is not None
    said: list[str] = []
    for line in command.stdout:
        said.append(line)
        if line.startswith("checkpoint at step"):
            break
    text = "".join(said)
    assert "python:3.11-slim" in text
    jupyter = _address("jupyter", text)
    until(lambda: _status(jupyter.replace("/?", "/api/contents?")) == 200)
    assert _status(jupyter.partition("?")[0] + "api/contents") == 403
    board = _address("tensorboard", text)
    until(lambda: "train/loss" in str(_json(f"{board}data/plugin/scalars/tags")))
    assert there.run("stop")[0] == 0
    code, printed = there.ended(command)
    assert code == 75, printed
    assert there.pods() == []


def test_a_private_image_is_pulled_by_its_content(
    cloud: Cloud, project: Project, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built here, pushed once, and run there by digest; the pod's login is kept by RunPod."""
    monkeypatch.setenv(USER, "me")
    monkeypatch.setenv(PASSWORD, WORD)
    project.write(
        train={"max_steps": 3},
        image={"registry": f"{registry.host}/jobs"},
        resources={"device": "cpu"},
    )
    there = cloud.beside(project.folder)
    code, printed = there.ended(there.deploy())
    assert code == 0, printed
    assert "pushed layer" in printed
    assert WORD not in printed
    (pod,) = cloud.emulator.pods()
    assert pod["image"].startswith(f"{registry.host}/jobs@sha256:")
    home = Path(project.folder, "outputs", there.newest())
    assert (home / "model" / "model.safetensors").is_file()
    assert there.pods() == []


def _steps(project: Project, but: str) -> list[int]:
    """The steps that have come home, of any run but that one."""
    homes = project.folder.glob("outputs/whole-*/events.jsonl")
    told = [home.read_text() for home in homes if home.parent.name != but]
    lines = [line for text in told for line in text.splitlines()]
    return [event["step"] for event in map(json.loads, lines) if event["kind"] == "step"]


def _address(service: str, text: str) -> str:
    found = re.search(rf"^{service}: (http://127\.0\.0\.1:\d+/\S*)", text, re.MULTILINE)
    assert found, text
    return found[1]


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def _json(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
    except OSError:
        return {}
    return found
