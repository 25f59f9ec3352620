"""What `deploy` adds to a hand-written `docker run` of the same training, up to the first step.

    python -m benchmarks.deploy_overhead

The image is built before; both sides start the same container on the same job, in turn. Measured
is the time from the start of the command to the first step that the training itself reports.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from longshore.configs import jobfile
from longshore.environments.resolve import resolve
from longshore.images.build import ensure
from longshore.images.spec import ImageSpec
from longshore.runs.inputs import pack

from .table import Row, show

RUNS = 5
LIMIT = 1.10
DATA = ("model", "docstrings.jsonl")
EXAMPLE = Path(__file__).parents[1] / "examples" / "stdlib-docs"
PARTS = ("outputs", "checkpoints", "control")
JOB = """
name: bench
train: {{recipe: full, model: data/model, init: random, dataset: data/docstrings.jsonl,
        max_steps: 10, batch_size: 8, sequence_length: 128, log_every: 1}}
image: {image}
"""


def main() -> None:
    """Build once, start both ways in turn, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LONGSHORE_STATE"] = f"{folder}/state"
        os.environ["LONGSHORE_CACHE"] = f"{folder}/cache"
        project = lay_out(Path(folder))
        resolved = resolve(project / "longshore.yaml")
        image = ensure(ImageSpec.of(resolved.spec, project)).tag
        inside = jobfile.dump(pack(resolved.spec, project).spec)
        ours, theirs = [], []
        for number in range(RUNS):
            theirs.append(plain(Path(folder, f"plain-{number}"), project, image, inside))
            ours.append(deployed(project))
    base, own = statistics.median(theirs), statistics.median(ours)
    show(
        "From the command to the first step, median of 5",
        [
            Row("docker run by hand", f"{base:.2f} s"),
            Row("deploy --runtime docker", f"{own:.2f} s", own / base, LIMIT),
        ],
    )


def lay_out(folder: Path) -> Path:
    """The example's data in a project of its own; a CPU wheel of torch where pip can get one."""
    project, wheels = folder / "project", folder / "wheels"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("outputs", "data", "wheels"))
    subprocess.run([sys.executable, project / "prepare.py"], check=True, stdout=subprocess.DEVNULL)
    wheels.mkdir()
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels)]
    subprocess.run([*pip, "torch==2.13.0+cpu"], check=False, capture_output=True)
    image = {"wheelhouse": str(wheels)} if any(wheels.iterdir()) else {}
    (project / "longshore.yaml").write_text(JOB.format(image=json.dumps(image)))
    return project


def plain(work: Path, project: Path, image: str, job: str) -> float:
    """Seconds to the first step by the command one would write oneself."""
    for part in PARTS:
        (work / part).mkdir(parents=True)
    (work / "job.json").write_text(job)
    mounts = [f"--volume={work / part}:/longshore/{part}" for part in (*PARTS, "job.json")]
    # Both sides keep what was tokenised from run to run.
    mounts.append(f"--volume={work.parent / 'plain-cache'}:/longshore/cache")
    data = [f"--volume={project}/data/{name}:/longshore/data/{name}:ro" for name in DATA]
    user = f"--user={os.getuid()}:{os.getgid()}"
    words = ["docker", "run", "--rm", "--init", user, "--shm-size=2g", *mounts, *data, image]
    begun = time.time()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return first_step(work / "outputs/events.jsonl") - begun


def deployed(project: Path) -> float:
    """Seconds to the first step by `deploy`."""
    program = str(Path(sys.executable).with_name("deploy"))
    begun = time.time()
    subprocess.run(
        [program, "--runtime", "docker", "-q"], cwd=project, check=True, stdout=subprocess.DEVNULL
    )
    return first_step(project / "outputs/bench/events.jsonl") - begun


def first_step(path: Path) -> float:
    """When the training reported its first step, in seconds since 1970."""
    events = (json.loads(line) for line in path.read_text().splitlines())
    return next(float(event["t"]) for event in events if event["kind"] == "step")


if __name__ == "__main__":
    main()
