"""Which device to train on: CUDA, then XPU, then MPS, then CPU, and what each can do.

`detect` and `describe` work without torch too; then only the CPU can be used, and NVIDIA GPUs the
driver knows are listed with the reason why they cannot.
"""

import platform
import re
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from ..configs.spec import Resources
from ..errors import ConfigError, JobFailedError
from . import limits, nvml

Kind = Literal["cuda", "xpu", "mps", "cpu"]
ORDER: Final[tuple[Kind, ...]] = ("cuda", "xpu", "mps", "cpu")
_ASKED: Final = re.compile(r"auto|cpu|mps|(cuda|xpu)(:\d+)?")


@dataclass(frozen=True)
class Device:
    """One device; memory in bytes. `fault` says why it cannot be used, empty when it can."""

    kind: Kind
    index: int = 0
    name: str = ""
    memory: int | None = None
    capability: tuple[int, int] | None = None
    driver: str = ""
    fault: str = ""

    @property
    def id(self) -> str:
        """As torch writes it: `cuda:1`, `xpu:0`, `mps`, `cpu`."""
        return f"{self.kind}:{self.index}" if self.kind in ("cuda", "xpu") else self.kind

    @property
    def bf16(self) -> bool:
        """Whether bf16 runs on its hardware; torch's own answer counts emulation as well."""
        if self.kind == "cuda":
            return self.capability is not None and self.capability >= (8, 0)
        return self.kind == "xpu"


@dataclass(frozen=True)
class Choice:
    """The device to use, and what the user must know about the choice (empty: nothing)."""

    device: Device
    warning: str = ""


@dataclass(frozen=True)
class Hardware:
    """What `longshore devices` shows; memory and shared memory in bytes, with limits applied."""

    devices: tuple[Device, ...]
    cpus: float
    memory: int
    shared_memory: int | None
    torch: str | None


def describe() -> Hardware:
    """Every device of this machine or container, and the limits that hold in it."""
    return Hardware(
        devices=detect(),
        cpus=limits.cpus(),
        memory=limits.memory(),
        shared_memory=limits.shared_memory(),
        torch=_torch_version(),
    )


def detect() -> tuple[Device, ...]:
    """All devices in the order of preference; the CPU is always there, as the last."""
    cpu = Device("cpu", name=_cpu_name(), memory=limits.memory())
    return (*_accelerators(), cpu)


def choose(asked: str, resources: Resources, found: Sequence[Device]) -> Choice:
    """The device for `asked` (`resources.device` or a flag) among those found.

    Falls back to the CPU with a warning. Raises JobFailedError instead when a GPU was asked for in
    `resources.gpu`, unless `resources.allow_cpu`; ConfigError for a word or an index that is none.
    """
    kind, index = parse(asked)
    able = [device for device in found if not device.fault]
    wanted = [device for device in able if kind in ("auto", device.kind)]
    _refuse_index(asked, index, len(wanted))
    best = wanted[index] if wanted else able[-1]
    if best.kind != "cpu" or kind == "cpu":
        return Choice(best)
    if kind == "auto" and resources.gpu is None:
        return Choice(best, _unused(found))
    why = _why_not(kind, found)
    if resources.gpu and not resources.allow_cpu:
        raise JobFailedError(
            f"a GPU ({resources.gpu}) was asked for and cannot be used: {why}",
            "set resources.allow_cpu to go on without it",
        )
    return Choice(best, f"training on the CPU: {why}")


def parse(asked: str) -> tuple[Kind | Literal["auto"], int]:
    """`cuda:1` or `1` as ("cuda", 1); raises ConfigError for what is no single device."""
    if asked.isdecimal():
        return "cuda", int(asked)
    if not _ASKED.fullmatch(asked):
        raise ConfigError(
            f"no device {asked!r}",
            "a training runs on one of: auto, cpu, cuda, cuda:0, xpu, xpu:0, mps",
            where="resources.device",
        )
    word, _, index = asked.partition(":")
    kinds: dict[str, Kind | Literal["auto"]] = {kind: kind for kind in ORDER}
    return kinds.get(word, "auto"), int(index or 0)


def runs_on(capability: tuple[int, int], architectures: Sequence[str]) -> bool:
    """Whether code built for these (`sm_80`, `compute_90`) runs on a GPU of this capability.

    `sm_XY` runs on the same major version from minor Y on, `compute_XY` is compiled by the driver
    for anything newer (CUDA C++ programming guide, "Application compatibility").
    """
    for architecture in architectures:
        kind, _, digits = architecture.partition("_")
        if not digits.isdecimal():
            continue
        built = divmod(int(digits), 10)
        same_major = built[0] == capability[0] and built <= capability
        if same_major if kind == "sm" else built <= capability:
            return True
    return False


def without_torch(resources: Resources) -> str:
    """The device for a script of the user's own, guessed by the driver alone.

    Raises JobFailedError when a GPU was asked for in `resources.gpu` and the driver shows none.
    """
    if resources.device != "auto":
        return resources.device
    if nvml.gpus():
        return "cuda"
    if resources.gpu and not resources.allow_cpu:
        raise JobFailedError(
            f"a GPU ({resources.gpu}) was asked for and the driver shows none",
            "set resources.allow_cpu to go on without it",
        )
    return "cpu"


def _refuse_index(asked: str, index: int, count: int) -> None:
    if count and index >= count:
        raise ConfigError(
            f"GPU {index} not available. Only {count} GPU(s) detected",
            where=f"resources.device: {asked}",
        )


def _why_not(kind: str, found: Sequence[Device]) -> str:
    faults = [f"{device.name}: {device.fault}" for device in found if device.fault]
    return faults[0] if faults else f"no {'GPU' if kind == 'auto' else kind} was found"


def _unused(found: Sequence[Device]) -> str:
    """A GPU that is there and cannot be used is worth a word even when nobody asked for it."""
    has_faulty = any(device.fault for device in found)
    return f"training on the CPU: {_why_not('auto', found)}" if has_faulty else ""


def _accelerators() -> tuple[Device, ...]:
    if find_spec("torch") is None:
        return _unusable("torch is not installed")
    import torch

    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return _unusable(_cpu_build(torch.version.cuda))
    found = {"cuda": _cuda, "xpu": _xpu, "mps": _mps}.get(accelerator.type)
    return found() if found else ()


def _cpu_build(cuda: str | None) -> str:
    if cuda is None:
        return "this torch is built without CUDA"
    return f"torch cannot start CUDA {cuda}: the driver is too old, or the container has no access"


def _unusable(fault: str) -> tuple[Device, ...]:
    return tuple(
        Device("cuda", gpu.index, gpu.name, gpu.memory, gpu.capability, gpu.driver, fault)
        for gpu in nvml.gpus()
    )


def _cuda() -> tuple[Device, ...]:
    import torch

    driver = next((gpu.driver for gpu in nvml.gpus()), "")
    built = torch.cuda.get_arch_list()
    return tuple(_cuda_device(index, driver, built) for index in range(torch.cuda.device_count()))


def _cuda_device(index: int, driver: str, built: Sequence[str]) -> Device:
    import torch

    seen = torch.cuda.get_device_properties(index)
    capability = (seen.major, seen.minor)
    fault = "" if runs_on(capability, built) else f"this torch is built for {', '.join(built)} only"
    return Device("cuda", index, seen.name, seen.total_memory, capability, driver, fault)


def _xpu() -> tuple[Device, ...]:
    import torch

    seen = [torch.xpu.get_device_properties(index) for index in range(torch.xpu.device_count())]
    return tuple(
        Device("xpu", index, one.name, one.total_memory, driver=one.driver_version)
        for index, one in enumerate(seen)
    )


def _mps() -> tuple[Device, ...]:
    import torch

    return (Device("mps", name="Apple GPU", memory=torch.mps.recommended_max_memory()),)


def _torch_version() -> str | None:
    if find_spec("torch") is None:
        return None
    import torch

    return str(torch.__version__)


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def pin(asked: str, environ: MutableMapping[str, str]) -> None:
    """Show this process only the GPU asked for, as number 0; call it before torch is loaded.

    Trainer spreads a model over every GPU it sees (nn.DataParallel), which is slower than one.
    Raises ConfigError for an index beyond the GPUs the driver has.
    """
    kind, index = parse(asked)
    if kind == "xpu":
        environ["ZE_AFFINITY_MASK"] = str(index)
    if kind not in ("auto", "cuda"):
        return
    # Else CUDA would count the fastest first, and the driver by their place on the bus.
    environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    names = environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    visible = [name for name in names if name] or [str(gpu.index) for gpu in nvml.gpus()]
    if visible:
        _refuse_index(asked, index, len(visible))
        environ["CUDA_VISIBLE_DEVICES"] = visible[index]
