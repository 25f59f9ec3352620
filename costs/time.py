"""How long a job takes on an offer: phases with P10, P50 and P90, by the best evidence there is.

    T = provision + pull + sync + load + FLOPs / (peak x MFU) + eval + save + collect

    measured-here       a finished run like this one on the same device        P50 ± 10 %
    measured-other-gpu  one on another device, scaled by the smaller of the    P50 x 0.75 ... 1.4
                        ratios of TFLOP/s and of memory bandwidth
    prior               nothing measured: MFU 0.50, 0.35, 0.20                 P10, P50, P90

"Like this one" means the same recipe and a model within four times the size: a tiny model cannot
fill a device and says nothing about a big one. The phases' quantiles are added as they are, as if
all went well or badly together: wider than the truth, never narrower.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from ..configs.gpus import GpuKind, candidates
from ..configs.spec import JobSpec, Precision, Resources
from ..providers.base import Offer
from .history import Perf
from .size import JobSize

Basis = Literal["measured-here", "measured-other-gpu", "prior", "unknown"]

CPU: Final = "cpu"
FLOPS_PER_CORE: Final = 96e9
"""A core with two 8-wide fp32 FMA units (AVX2) at 3 GHz: 2 x 8 x 2 x 3e9. AVX-512 and AMX do more,
a cloud's vCPU is half a core; the MFU band covers both."""

MFU: Final = (0.50, 0.35, 0.20)
SAME: Final = (0.9, 1.0, 1.1)
SCALED: Final = (0.75, 1.0, 1.4)
ALIKE: Final = 4.0

NARROW: Final = 128
NARROW_SHARE: Final = 0.3
"""Below this width the matrices are too small to fill a device: measured on 2 AVX-512 cores, 0.10
of the peak at width 64 against 0.48 at 128 and 0.61 to 0.77 from 256 on."""

TWICE_AS_MANY: Final = 1.85
"""What doubling the GPUs of one machine gains (measured 1 -> 1.85 -> 3.32 for 1, 2 and 4)."""


@dataclass(frozen=True)
class Band:
    """Three quantiles in seconds: one run in ten is faster than `p10`, one slower than `p90`."""

    p10: float
    p50: float
    p90: float

    def __add__(self, other: "Band") -> "Band":
        return Band(self.p10 + other.p10, self.p50 + other.p50, self.p90 + other.p90)

    def __mul__(self, factor: float) -> "Band":
        return Band(self.p10 * factor, self.p50 * factor, self.p90 * factor)


@dataclass(frozen=True)
class Device:
    """What computes: `count` of a GPU, or of cores when `name` is "cpu"; `kind` if it is known."""

    name: str
    count: int
    kind: GpuKind | None = None


@dataclass(frozen=True)
class Forecast:
    """The time of one job on one offer; `phases` is empty when nothing is known."""

    phases: dict[str, Band]
    basis: Basis

    @property
    def total(self) -> Band | None:
        """All phases together; None when nothing is known."""
        return sum(self.phases.values(), start=Band(0, 0, 0)) if self.phases else None


@dataclass(frozen=True)
class Overhead:
    """What surrounds the training: seconds to get a machine and the image, bytes/s to reach it."""

    provision: Band
    pull: Band
    rate: Band


OWN: Final = Overhead(Band(0, 1, 3), Band(0, 0, 0), Band(1e9, 300e6, 100e6))
RENTED: Final = Overhead(Band(20, 60, 180), Band(30, 90, 240), Band(50e6, 20e6, 6e6))
"""Believed, not measured: a pod or an instance boots in a minute and pulls a few GB of image."""

LOAD: Final = Band(4, 8, 20)
"""Seconds to import torch and build a small model; its weights are added at `DISK` bytes/s."""
DISK: Final = Band(2e9, 500e6, 100e6)
EVAL: Final = (0.01, 0.03, 0.06)
SAVE: Final = (0.01, 0.02, 0.04)
"""Shares of the training's own time (believed)."""


def device_of(offer: Offer, asked: Resources) -> Device:
    """What of an offer would compute: no more GPUs and cores than the job asks for."""
    if offer.gpu is not None:
        return _gpu(offer.gpu, min(offer.gpu_count, asked.gpu.count if asked.gpu else 1))
    cores = offer.vcpus or 1
    return _cpu(min(cores, asked.cpus) if asked.cpus else cores)


def forecast(
    spec: JobSpec, size: JobSize | None, offer: Offer, history: Sequence[Perf] = ()
) -> Forecast:
    """The phases of the job on this offer; a command only has the time of its own past runs."""
    device = device_of(offer, spec.resources)
    if size is None:
        return _as_before(spec, offer, device, history)
    train, basis = _training(spec, size, device, history)
    if train is None:
        return Forecast({}, "unknown")
    around = OWN if offer.market == "own" else RENTED
    return Forecast(
        {
            "provision": around.provision,
            "pull": around.pull,
            "sync": _transfer(size.bytes_in, around.rate),
            "load": LOAD + _transfer(size.model.bytes_on_disk, DISK),
            "train": train,
            "eval": _shares(train, EVAL),
            "save": _shares(train, SAVE),
            "collect": _transfer(size.bytes_out, around.rate),
        },
        basis,
    )


def peak(device: Device, precision: Precision = "auto") -> float | None:
    """Dense peak FLOP/s of the whole device; None for a GPU that is not in the table."""
    if device.name == CPU:
        return FLOPS_PER_CORE * device.count
    rate = _tflops(device.kind, precision) if device.kind else None
    return rate * 1e12 * TWICE_AS_MANY ** math.log2(device.count) if rate else None


def _tflops(kind: GpuKind, precision: Precision) -> float | None:
    return kind.fp32 if precision == "fp32" else kind.bf16 or kind.fp16 or kind.fp32


def _as_before(spec: JobSpec, offer: Offer, device: Device, history: Sequence[Perf]) -> Forecast:
    past = [run.seconds for run in history if run.job == spec.name and _past_device(run) == device]
    if not past:
        return Forecast({}, "unknown")
    around = OWN if offer.market == "own" else RENTED
    work = _scaled(median(past), SAME)
    phases = {"provision": around.provision, "pull": around.pull, "train": work}
    return Forecast(phases, "measured-here")


def _training(
    spec: JobSpec, size: JobSize, device: Device, history: Sequence[Perf]
) -> tuple[Band | None, Basis]:
    """Seconds of training alone, by the best evidence."""
    precision = spec.train.precision if spec.train else "auto"
    alike = [run for run in history if _alike(run, spec, size)]
    here = [_rate(run) for run in alike if _past_device(run) == device]
    if here:
        return _scaled(size.flops / median(here), SAME), "measured-here"
    others = [rate for run in alike if (rate := _rate_on(device, run, precision))]
    if others:
        return _scaled(size.flops / median(others), SCALED), "measured-other-gpu"
    top = peak(device, precision)
    if top is None:
        return None, "unknown"
    busy = NARROW_SHARE if 0 < size.model.width < NARROW else 1.0
    return Band(*(size.flops / (top * busy * share) for share in MFU)), "prior"


def _alike(run: Perf, spec: JobSpec, size: JobSize) -> bool:
    same = spec.train is not None and run.recipe == spec.train.recipe
    params = size.model.params
    return same and run.flops > 0 and params / ALIKE <= run.params <= params * ALIKE


def _rate(run: Perf) -> float:
    return run.flops / run.seconds


def _rate_on(device: Device, run: Perf, precision: Precision) -> float | None:
    """What a run's rate would be on another device; a CPU tells nothing about a GPU, nor back."""
    ran = _past_device(run)
    ours, theirs = peak(device, precision), peak(ran, precision)
    if not ours or not theirs or (device.kind is None) != (ran.kind is None):
        return None
    ratio = ours / theirs
    if device.kind and ran.kind:
        ratio = min(ratio, device.kind.bandwidth * device.count / (ran.kind.bandwidth * ran.count))
    return _rate(run) * ratio


def _past_device(run: Perf) -> Device:
    return _cpu(run.count) if run.device == CPU else _gpu(run.device, run.count)


def _cpu(cores: float) -> Device:
    return Device(CPU, max(1, int(cores)))


def _gpu(name: str, count: int) -> Device:
    """By its name in the table, which the driver's own name leads to as well."""
    kinds = candidates(name)
    kind = kinds[0] if len(kinds) == 1 else None
    return Device(kind.name if kind else name, max(1, count), kind)


def _scaled(seconds: float, factors: tuple[float, float, float]) -> Band:
    return Band(*(seconds * factor for factor in factors))


def _shares(band: Band, shares: tuple[float, float, float]) -> Band:
    return Band(band.p10 * shares[0], band.p50 * shares[1], band.p90 * shares[2])


def _transfer(size: int, rate: Band) -> Band:
    return Band(size / rate.p10, size / rate.p50, size / rate.p90)
