"""What comes out of a training beside the weights: `settings.json` and `metrics.json`."""

import json
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Final

from .progress import Progress
from .steps import Setup

_PACKAGES: Final = ("accelerate", "peft", "tokenizers", "torch", "transformers")


def settings(setup: Setup) -> dict[str, object]:
    """What the training really ran with: device, precision, batch, versions, seed."""
    device, plan = setup.device, setup.plan
    return {
        "device": {"id": device.id, "name": device.name, "memory": device.memory},
        "precision": setup.precision,
        "seed": setup.train.seed,
        "plan": {**asdict(plan), "accumulation": plan.accumulation},
        "train": asdict(setup.train),
        "versions": {
            "python": platform.python_version(),
            "longshore": _longshore_version(),
            **{name: version(name) for name in _PACKAGES},
        },
    }


def metrics(
    progress: Progress, steps: int, baseline: float | None, seconds: dict[str, float]
) -> dict[str, object]:
    """The result in numbers: curves as [step, loss], losses in nats per token, seconds by phase.

    `tokens_per_s` counts the time of the steps alone; `seconds` are of the last attempt.
    """
    return {
        "steps": steps,
        "loss": progress.train_curve[-1][1] if progress.train_curve else None,
        "eval_loss": progress.eval_curve[-1][1] if progress.eval_curve else None,
        "baseline": baseline,
        "tokens": progress.tokens,
        "tokens_per_s": round(progress.tokens / max(progress.seconds, 1e-9), 1),
        "train_curve": progress.train_curve,
        "eval_curve": progress.eval_curve,
        "seconds": seconds,
    }


def write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


def _longshore_version() -> str:
    from .. import __version__

    return __version__
