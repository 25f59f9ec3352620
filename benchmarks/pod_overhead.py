"""From a machine that is ready to the first step: an emulated RunPod pod beside a local container.

    python -m benchmarks.pod_overhead

Both run the same image on the same data, in turn, with nothing cached. Measured is the time from
the phase `sync` in the ledger (the machine is ready) to the first step that the training itself
reports; on the pod it holds the upload of project and data through ssh.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from longshore.emulators.runpod.client import Emulator
from longshore.environments.resolve import resolve
from longshore.images.build import ensure
from longshore.images.spec import ImageSpec
from longshore.runs.ledger import Ledger

from .deploy_overhead import first_step, lay_out
from .table import Row, show

RUNS = 5
LIMIT = 1.15
POD = ("--provider", "runpod", "--gpu", "RTX 4090", "--device", "cpu")
LOCAL = ("--runtime", "docker")


def main() -> None:
    """Build once, run both in turn, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LONGSHORE_STATE"] = f"{folder}/state"
        os.environ["LONGSHORE_CACHE"] = f"{folder}/cache"
        project = lay_out(Path(folder))
        resolved = resolve(project / "longshore.yaml")
        image = ensure(ImageSpec.of(resolved.spec, project, user="root")).tag
        with Emulator() as emulator:
            os.environ.update(emulator.environment)
            here, there = [], []
            for _ in range(RUNS):
                here.append(deployed(project, image, LOCAL))
                there.append(deployed(project, image, POD))
    base, own = statistics.median(here), statistics.median(there)
    show(
        f"From a ready machine to the first step, median of {RUNS}",
        [
            Row("local container", f"{base:.2f} s"),
            Row("emulated pod", f"{own:.2f} s", own / base, LIMIT),
        ],
    )


def deployed(project: Path, image: str, words: tuple[str, ...]) -> float:
    """Seconds from a ready machine to the first step."""
    shutil.rmtree(Path(os.environ["LONGSHORE_CACHE"], "job"), ignore_errors=True)
    program = str(Path(sys.executable).with_name("deploy"))
    subprocess.run(
        [program, "-q", "--set", f"image.name={image}", *words],
        cwd=project,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    ledger = Ledger()
    run = ledger.runs()[0]
    ready = next(one.at for one in ledger.moments(run.id) if one.phase == "sync")
    return first_step(project / "outputs" / run.id / "events.jsonl") - ready


if __name__ == "__main__":
    main()
