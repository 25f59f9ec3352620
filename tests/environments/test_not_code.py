"""What lies in a project and is no part of its code; it would swell every image."""

from pathlib import Path

import pytest

from longshore.configs.spec import JobSpec, Sync, Train
from longshore.environments.paths import not_code

TRAINING = Train("lora", "models/small", "data/train.jsonl")


def job(
    data: tuple[str, ...] = (),
    outputs: str = "outputs",
    exclude: tuple[str, ...] = (),
    train: Train | None = None,
) -> JobSpec:
    sync = Sync(data, outputs, exclude)
    return JobSpec("demo", train=train, run=None if train else "true", sync=sync)


@pytest.mark.parametrize(
    ("spec", "patterns"),
    [
        (job(), ("/outputs",)),
        (job(train=TRAINING), ("/outputs", "/data/train.jsonl", "/models/small")),
        (job(("big", "./a/../b")), ("/outputs", "/big", "/b")),
        (job(outputs="/home/me/out"), ()),
        (job((".", "..", "~")), ("/outputs",)),
        (job(("[1]*",)), ("/outputs", "/[[]1][*]")),
        (job(exclude=("*.bin",)), ("*.bin", "/outputs")),
    ],
)
def test_data_and_outputs_are_no_code(
    spec: JobSpec, patterns: tuple[str, ...], tmp_path: Path
) -> None:
    """Named from the top folder on; what lies outside, or holds the project, needs no pattern."""
    assert not_code(spec, tmp_path) == patterns
