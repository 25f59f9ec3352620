"""A project with a job, and the commands on it: in this process, or each as its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest

from longshore.cli.main import cli, load, run
from longshore.runs.ledger import Ledger

JOB = """\
name: demo
provider: fake
run: "true"
local: {runtime: process}
"""
FOREVER = """\
name: demo
provider: local
local: {runtime: process}
run: |
  save() {
    mkdir -p "$LONGSHORE_CHECKPOINTS/step-000001"
    echo '{"step": 1, "files": {}}' > "$LONGSHORE_CHECKPOINTS/step-000001/COMMITTED.json"
    exit 75
  }
  trap save TERM
  echo "it runs"
  while true; do sleep 0.05; done
"""
STUBBORN = """\
name: demo
provider: local
local: {runtime: process}
run: |
  trap '' TERM
  echo "it runs"
  while true; do sleep 0.05; done
"""


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Shell:
    """The commands in a project's folder."""

    project: Path
    capture: pytest.CaptureFixture[str]
    children: list[subprocess.Popen[str]] = field(default_factory=list)

    def job(self, text: str) -> None:
        (self.project / "longshore.yaml").write_text(text)

    def __call__(self, *words: str, program: str = "longshore") -> Done:
        """Run a command in this process, exactly as its program would."""
        return self.call(cli if program == "longshore" else load("deploy"), program, *words)

    def call(self, command: click.Command, program: str, *words: str) -> Done:
        """Run any command as ours are run."""
        sys.argv = [program, *words]
        self.capture.readouterr()
        code = 0
        try:
            run(command, program)
        except SystemExit as end:
            code = int(end.code or 0)
        said = self.capture.readouterr()
        return Done(code, said.out, said.err)

    def spawn(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command as a process of its own."""
        child = subprocess.Popen(
            [sys.executable, "-m", "longshore", *words],
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.children.append(child)
        return child

    def end(self, child: "subprocess.Popen[str]") -> Done:
        """Wait for a process that was started."""
        out, err = child.communicate(timeout=30)
        return Done(child.returncode, out, err)


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shell]:
    """A project with a quick job on the fake provider; no engine and no network is asked."""
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setenv("LONGSHORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LONGSHORE_FAKE", "pace=0.01")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    made = Shell(project, capsys)
    made.job(JOB)
    yield made
    for child in made.children:
        if child.poll() is None:
            child.kill()
        child.communicate()
    if Ledger().path.is_file():
        made("down", "--all")


def until(done: Callable[[], bool]) -> None:
    """Wait for something that another process is about to do."""
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def printed(job: str, text: str) -> bool:
    """Whether a machine of the job has a log with this text in it."""
    state = Path(os.environ["LONGSHORE_STATE"])
    logs = list((state / "machines").glob(f"longshore-{job}-*/outputs/train.log"))
    return any(text in log.read_text() for log in logs)


def is_running(job: str = "demo") -> bool:
    """Whether a job has printed that it runs."""
    return printed(job, "it runs")


def processes() -> list[int]:
    """Every living process that belongs to a machine of this test's state folder."""
    mark = os.environ["LONGSHORE_STATE"].encode()
    return [
        int(folder.name)
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and mark in _root_of(folder)
    ]


def _root_of(folder: Path) -> bytes:
    try:
        variables = (folder / "environ").read_bytes().split(b"\0")
    except OSError:
        return b""
    return next((one for one in variables if one.startswith(b"LONGSHORE_ROOT=")), b"")
