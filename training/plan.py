"""The numbers of a training, settled before its first step: batch, steps, precision."""

import math
from dataclasses import asdict, dataclass
from typing import Final, Literal

from ..configs.profiles import profile
from ..configs.spec import Train
from ..errors import ConfigError
from .devices import Device

Precision = Literal["fp32", "bf16", "fp16"]

_NO_MATTER: Final = (
    "micro_batch",
    "workers",
    "log_every",
    "eval_every",
    "save_every",
    "keep_checkpoints",
    "gradient_checkpointing",
    "batch_size",
)
"""Fields of Train that do not change what is learned, or (the batch) that a resume keeps."""


@dataclass(frozen=True)
class Plan:
    """`batch_size` = `micro_batch` * `accumulation` sequences for one step of the optimizer."""

    batch_size: int
    micro_batch: int
    steps: int
    warmup: int
    learning_rate: float
    workers: int

    @property
    def accumulation(self) -> int:
        return self.batch_size // self.micro_batch


def precision(asked: str, device: Device) -> Precision:
    """bf16 where the hardware has it, else fp16 on CUDA, else fp32, unless one was asked for.

    Raises ConfigError for fp16 away from CUDA: the gradient scaler it needs is there only.
    """
    if asked == "fp16" and device.kind != "cuda":
        raise ConfigError("fp16 needs an NVIDIA GPU", "set auto", where="train.precision")
    if asked == "fp32" or (asked == "auto" and device.kind in ("cpu", "mps")):
        return "fp32"
    if asked == "bf16" or (asked == "auto" and device.bf16):
        return "bf16"
    return "fp16"


def batch_size(train: Train, device: Device, earlier: int | None) -> int:
    """Sequences for one step: as asked, as in the run to resume, or by the device's profile."""
    return train.batch_size or earlier or profile(device.id, device.memory).batch_size


def micro_batch(train: Train, batch: int, wish: int | None) -> int:
    """Sequences at once: the largest part of the batch that is not above what is wished for."""
    most = min(batch, train.micro_batch or batch, wish or batch)
    return max(part for part in range(1, most + 1) if batch % part == 0)


def steps(train: Train, blocks: int, batch: int) -> int:
    """Steps of the optimizer: a last, smaller batch of an epoch counts too."""
    by_epochs = math.ceil(train.epochs * math.ceil(blocks / batch))
    return max(1, min(by_epochs, train.max_steps or by_epochs))


def workers(train: Train, device: Device, threads: int) -> int:
    """Processes that load data; on a CPU none, since they would take time from the training.

    A block is a slice of an array in memory, so only a GPU that waits has any use for them.
    """
    if train.workers is not None:
        return train.workers
    return 0 if device.kind == "cpu" else min(profile(device.id).workers, threads - 1)


def identity(train: Train, tokens: int) -> dict[str, object]:
    """What two runs must share for one to go on from a checkpoint of the other."""
    same = {name: value for name, value in asdict(train).items() if name not in _NO_MATTER}
    return {**same, "lora": {**same["lora"], "targets": list(train.lora.targets)}, "tokens": tokens}
