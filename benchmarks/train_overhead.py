"""What our training costs above a Trainer script written by hand (`plain_trainer.py`).

Promise: from the start of the process to the last output at most 1.05 times as long, with the same
losses. Both tokenise, train, evaluate, checkpoint and save; ours also watches, logs, verifies and
lists what it wrote. The least of several runs, taken in turn; nothing is kept between runs. One
compute thread for both: with more, a machine that does other work too makes the figures useless.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from longshore.configs import container, jobfile
from longshore.configs.spec import JobSpec, Train

from .table import Row, show

RUNS = 3
STEPS = 300
LIMIT = 1.05
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples/stdlib-docs"
TRAIN = Train(
    recipe="full",
    model="data/model",
    dataset="data/docstrings.jsonl",
    init="random",
    max_steps=STEPS,
    batch_size=8,
    sequence_length=128,
    learning_rate=5e-3,
)


@dataclass(frozen=True)
class Measured:
    """One run: seconds on the clock and of the CPU, and what was learned."""

    wall: float
    cpu: float
    curve: list[tuple[int, float]]
    eval_loss: float


def main() -> None:
    """Measure both in turn and print the table."""
    subprocess.run([sys.executable, EXAMPLE / "prepare.py"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as folder:
        runs = [(plain(Path(folder)), ours(Path(folder))) for _ in range(RUNS)]
    hand, made = ([pair[side] for pair in runs] for side in (0, 1))
    wall = [min(run.wall for run in side) for side in (hand, made)]
    cpu = [min(run.cpu for run in side) for side in (hand, made)]
    show(
        f"{STEPS} steps of the example, whole process",
        [
            Row("Trainer by hand, wall", f"{wall[0]:.1f} s", 1.0),
            Row("longshore train, wall", f"{wall[1]:.1f} s", wall[1] / wall[0], LIMIT),
            Row("Trainer by hand, CPU", f"{cpu[0]:.1f} s", 1.0),
            Row("longshore train, CPU", f"{cpu[1]:.1f} s", cpu[1] / cpu[0], LIMIT),
        ],
    )
    print(f"\nlargest difference of a training loss: {difference(hand[0], made[0]):.1e}")
    print(f"held-out loss: {hand[0].eval_loss:.5f} by hand, {made[0].eval_loss:.5f} ours")


def plain(folder: Path) -> Measured:
    output = fresh(folder / "plain")
    data, model = EXAMPLE / "data/docstrings.jsonl", EXAMPLE / "data/model"
    script = [sys.executable, str(HERE / "plain_trainer.py")]
    printed, wall, cpu = timed([*script, str(data), str(model), str(output), str(STEPS)])
    told = json.loads(printed.splitlines()[-1])
    return Measured(wall, cpu, told["train_curve"], told["eval_loss"])


def ours(folder: Path) -> Measured:
    root = fresh(folder / "ours")
    (root / container.DATA).symlink_to(EXAMPLE / "data")
    (root / container.JOB).write_text(jobfile.dump(JobSpec("overhead", train=TRAIN)))
    environ = {container.ROOT_VARIABLE: str(root)}
    _, wall, cpu = timed([sys.executable, "-m", "longshore.training"], environ)
    told = json.loads((root / "outputs/metrics.json").read_text())
    return Measured(wall, cpu, told["train_curve"], told["eval_loss"])


def timed(command: list[str], environ: dict[str, str] | None = None) -> tuple[str, float, float]:
    """What a command printed, its seconds on the clock, and of the CPU with its children."""
    before, began = os.times(), time.monotonic()
    ended = subprocess.run(
        command,
        env=os.environ | ONE_THREAD | (environ or {}),
        capture_output=True,
        text=True,
        check=True,
    )
    wall, after = time.monotonic() - began, os.times()
    user = after.children_user - before.children_user
    return ended.stdout, wall, user + after.children_system - before.children_system


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def difference(one: Measured, other: Measured) -> float:
    pairs = zip(one.curve, other.curve, strict=True)
    return max(abs(left[1] - right[1]) for left, right in pairs)


if __name__ == "__main__":
    main()
