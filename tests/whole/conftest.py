"""A project as a user has it, and `longshore` as a program of its own."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from longshore.emulators.runpod.client import Emulator
from longshore.images.engine import connect

from ..conftest import texts
from ..images.conftest import remove_images
from .runpod import Cloud

PROGRAM = str(Path(sys.executable).with_name("longshore"))
PATIENCE = 240.0
TRAIN: dict[str, Any] = {
    "recipe": "full",
    "model": "model",
    "dataset": "data.jsonl",
    "init": "random",
    "sequence_length": 32,
    "batch_size": 4,
    "max_steps": 12,
    "epochs": 100,
    "log_every": 1,
    "save_every": 5,
}


@dataclass(frozen=True)
class Project:
    """A folder with a job; every command runs in it."""

    folder: Path
    wheelhouse: Path | None

    def write(
        self,
        *,
        train: dict[str, Any] | None = None,
        image: dict[str, Any] | None = None,
        **sections: Any,
    ) -> None:
        """Write longshore.yaml; `train` changes the tiny training, `image` adds to its image."""
        wheels = {"wheelhouse": str(self.wheelhouse)} if self.wheelhouse else {}
        made = {"train": TRAIN | (train or {}), "image": wheels | (image or {})}
        job = {"name": "whole", **made, **sections}
        (self.folder / "longshore.yaml").write_text(yaml.safe_dump(job))

    def start(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [PROGRAM, *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> tuple[int, str]:
        """The command's exit code and all it printed."""
        child = self.start(*words)
        printed, _ = child.communicate(timeout=PATIENCE)
        return child.returncode, printed

    def events(self, run: str) -> list[dict[str, Any]]:
        """The events of a run that came home."""
        lines = (self.folder / "outputs" / run / "events.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def losses(self, *runs: str) -> dict[int, float]:
        """The loss of each step, over runs that went on from one another."""
        steps = (e for run in runs for e in self.events(run) if e["kind"] == "step")
        return {step["step"]: step["loss"] for step in steps}

    def newest(self) -> dict[str, Any]:
        """The newest run, as `ps` tells it."""
        code, printed = self.run("ps", "--all", "--json")
        assert code == 0, printed
        newest: dict[str, Any] = json.loads(printed)[0]
        return newest

    def wait_for_step(self, step: int) -> None:
        """Until the job on this machine has made that step."""
        work = Path(os.environ["LONGSHORE_STATE"]) / "machines"
        until(lambda: f'"step": {step},' in _told(work))


@pytest.fixture
def project(
    engine: None,
    wheelhouse: Path | None,
    tiny_model: Path,
    tmp_path: Path,
) -> Iterator[Project]:
    """A project with a tiny model and some text; its containers and images go at the end."""
    folder = tmp_path / "project"
    shutil.copytree(tiny_model, folder / "model")
    lines = [json.dumps({"text": text}) for text in texts(60)]
    (folder / "data.jsonl").write_text("\n".join(lines))
    project = Project(folder, wheelhouse)
    project.write()
    yield project
    assert containers() == []
    remove_images("longshore/whole")


def containers() -> list[str]:
    """The names of this test's containers, running or not."""
    client = connect()
    mark = f"longshore.state={Path(os.environ['LONGSHORE_STATE']).resolve() / 'machines'}"
    rows = client.api.containers(all=True, filters={"label": [mark]})
    client.close()
    return [row["Names"][0].removeprefix("/") for row in rows]


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _told(work: Path) -> str:
    files = work.glob("*/outputs/events.jsonl")
    return "".join(path.read_text() for path in files)


@pytest.fixture
def cloud(
    pod_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Cloud]:
    """A project beside a RunPod of its own; what is left of its pods goes into the table."""
    monkeypatch.setenv("LONGSHORE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "project").mkdir()
    with Emulator() as emulator:
        made = Cloud(emulator, tmp_path / "project", pod_image, dict(emulator.environment))
        yield made
        made.end()
        FOUND.append((request.node.name, len(emulator.pods()), len(emulator.leaked())))


FOUND: list[tuple[str, int, int]] = []
"""Each fault, the pods that were made under it, and those that still cost at its end."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of faults, for whoever wants to see it."""
    if FOUND:
        terminalreporter.section("faults of a cloud: pods made, pods leaked")
    for name, made, leaked in FOUND:
        fault = name.partition("[")[2].rstrip("]") or name
        terminalreporter.write_line(f"{fault:<60} {made:>3} {leaked:>3}")
