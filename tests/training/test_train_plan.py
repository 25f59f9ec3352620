"""The numbers of a training: the batch holds on any device, whatever fits at once."""

from dataclasses import replace
from typing import Any

import pytest

from longshore.configs.spec import Train
from longshore.errors import ConfigError
from longshore.training import plan
from longshore.training.devices import Device

TRAIN = Train("lora", "model", "data")
CPU = Device("cpu", memory=4 * 10**9)


@pytest.mark.parametrize(
    ("batch", "micro_batch", "wish", "made"),
    [
        (8, None, None, 8),
        (8, 4, None, 4),
        (8, 3, None, 2),
        (8, None, 4, 4),
        (12, None, 5, 4),
        (7, None, 3, 1),
        (4, 16, None, 4),
        (8, 2, 4, 2),
    ],
)
def test_micro_batch_divides_the_batch(
    batch: int, micro_batch: int | None, wish: int | None, made: int
) -> None:
    """As many at once as wished for, in equal parts of the batch."""
    assert plan.micro_batch(replace(TRAIN, micro_batch=micro_batch), batch, wish) == made


@pytest.mark.parametrize(
    ("changes", "blocks", "steps"),
    [
        ({}, 80, 10),
        ({}, 81, 11),
        ({"epochs": 2.5}, 80, 25),
        ({"max_steps": 4}, 80, 4),
        ({"max_steps": 40}, 80, 10),
        ({"epochs": 0.001}, 8, 1),
    ],
)
def test_steps(changes: dict[str, Any], blocks: int, steps: int) -> None:
    """Passes over the data, or `max_steps` when that is sooner."""
    assert plan.steps(replace(TRAIN, **changes), blocks, 8) == steps


@pytest.mark.parametrize(
    ("asked", "device", "made"),
    [
        ("auto", CPU, "fp32"),
        ("auto", Device("mps"), "fp32"),
        ("auto", Device("cuda", capability=(7, 5)), "fp16"),
        ("auto", Device("cuda", capability=(8, 6)), "bf16"),
        ("auto", Device("xpu"), "bf16"),
        ("bf16", CPU, "bf16"),
        ("fp32", Device("cuda", capability=(9, 0)), "fp32"),
        ("fp16", Device("cuda", capability=(9, 0)), "fp16"),
    ],
)
def test_precision(asked: str, device: Device, made: str) -> None:
    """What the hardware does well, unless one was asked for."""
    assert plan.precision(asked, device) == made


def test_fp16_needs_cuda() -> None:
    """fp16 without a gradient scaler would train on zeros."""
    with pytest.raises(ConfigError):
        plan.precision("fp16", CPU)


def test_batch_of_a_resumed_run_stays() -> None:
    """A machine with more memory goes on with the batch the run began with."""
    assert plan.batch_size(TRAIN, CPU, None) == 8
    assert plan.batch_size(TRAIN, CPU, 2) == 2
    assert plan.batch_size(replace(TRAIN, batch_size=5), CPU, None) == 5


def test_identity_leaves_out_what_changes_nothing() -> None:
    """Another micro-batch goes on from the same checkpoint, another learning rate does not."""
    assert plan.identity(TRAIN, 9) == plan.identity(replace(TRAIN, micro_batch=1, log_every=1), 9)
    assert plan.identity(TRAIN, 9) != plan.identity(replace(TRAIN, learning_rate=1.0), 9)
    assert plan.identity(TRAIN, 9) != plan.identity(TRAIN, 8)
