"""A project that is deployed to an emulated RunPod, with a job whose every output is known."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import yaml

from longshore.emulators.runpod.client import Emulator

PROGRAM = str(Path(sys.executable).with_name("longshore"))
COUNT = Path(__file__).with_name("count.py")
PATIENCE = 120.0
GPU = ("--provider", "runpod", "--gpu", "RTX 4090")


@dataclass(frozen=True)
class Cloud:
    """A project, and the emulator that its commands talk to."""

    emulator: Emulator
    project: Path
    image: str
    variables: dict[str, str]
    children: list["subprocess.Popen[str]"] = field(default_factory=list)

    def write(self, last: int = 20, seconds: float = 0.1, **sections: Any) -> None:
        """A job that counts to `last`."""
        shutil.copy(COUNT, self.project / COUNT.name)
        job: dict[str, Any] = {
            "name": "count",
            "run": f"python count.py {last} {seconds}",
            "resources": {"device": "cpu"},
            "image": {"name": self.image},
            "sync": {"every": "1s"},
            "guards": {"boot_timeout": "20s"},
        }
        (self.project / "longshore.yaml").write_text(yaml.safe_dump(job | sections))

    def start(self, *words: str) -> "subprocess.Popen[str]":
        child = subprocess.Popen(
            [PROGRAM, *words],
            cwd=self.project,
            env=os.environ | self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.children.append(child)
        return child

    def end(self) -> None:
        """End the commands that a test which failed has left."""
        for child in self.children:
            child.kill()
            if child.stdout and not child.stdout.closed:
                child.communicate()

    def beside(self, project: Path) -> "Cloud":
        """The same emulator for another project."""
        return replace(self, project=project)

    def deploy(self, *words: str) -> "subprocess.Popen[str]":
        return self.start("deploy", *GPU, *words)

    def run(self, *words: str) -> tuple[int, str]:
        """The command's exit code and all it printed."""
        return self.ended(self.start(*words))

    def ended(self, command: "subprocess.Popen[str]") -> tuple[int, str]:
        try:
            printed, _ = command.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            command.send_signal(signal.SIGKILL)
            printed, _ = command.communicate()
            raise AssertionError(f"it did not end:\n{printed}") from None
        return command.returncode, printed

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A call of the REST API, as somebody else with the same account makes it."""
        headers = {"Authorization": f"Bearer {self.emulator.key}"}
        url = f"{self.emulator.url}/v2{path}"
        answer = httpx.request(method, url, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def faults_left(self) -> int:
        """How many of the faults that were ordered have not befallen anybody yet."""
        return len(self.emulator.running.hub.faults.waiting)

    def pods(self) -> list[dict[str, Any]]:
        """The pods that have not ended."""
        return [pod for pod in self.emulator.pods() if pod["ended"] is None]

    def newest(self) -> str:
        """The id of the newest run."""
        code, printed = self.run("ps", "--all", "--json")
        assert code == 0, printed
        return str(json.loads(printed)[0]["run"])

    def numbers(self) -> list[int]:
        """What the newest run counted, as it came home; empty before anything has."""
        homes = sorted(self.project.glob("outputs/count-*/numbers.txt"), key=_age)
        return [int(line) for line in homes[-1].read_text().split()] if homes else []

    def wait_for_number(self, number: int) -> str:
        """Until a copy of that number has come home; the id of the pod that counts."""
        until(lambda: max(self.numbers(), default=0) >= number)
        return str(self.pods()[-1]["id"])


def until(done: Any) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _age(path: Path) -> float:
    return path.stat().st_mtime
