"""The local provider: chooses between its two runtimes and says what this machine costs."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING, ClassVar, Protocol

from ...configs import folders
from ...configs.container import ENTRYPOINT
from ...configs.gpus import matches
from ...configs.spec import Gpu
from ...errors import NoOfferError, ProviderError
from ...images.engine import address, available, refuse_silent
from ..base import Capabilities, Host, Machine, Need, Offer, Order
from .hardware import MIB, GpuHere, Here, gpus, look_around
from .kinds import DOCKER, NOTES, PROCESS

if TYPE_CHECKING:
    from ..records import Records

MACHINES = "machines"
WATTS_PER_KILOWATT = 1000
ELSEWHERE = "leave `resources.gpu` out to train on what is here, or choose another provider"


class Runtime(Protocol):
    """One way to run on this machine; the methods as in `Provider`."""

    def request(self, offer: Offer, order: Order) -> str: ...

    def look(self, name: str) -> Machine | None: ...

    def list_owned(self) -> list[Machine]: ...

    def tear_down(self, name: str) -> None: ...

    def host(self, name: str) -> Host: ...


class LocalProvider:
    """This machine. `state` is where its work folders lie; `entrypoint` is what a job starts."""

    name: ClassVar[str] = "local"
    capabilities: ClassVar[Capabilities] = Capabilities(shares_files=True)

    def __init__(self, state: Path | None = None, entrypoint: Sequence[str] = ENTRYPOINT) -> None:
        self._folder = (state or folders.state()).resolve() / MACHINES
        self._entrypoint = entrypoint

    @cached_property
    def _records(self) -> "Records":
        from ..records import Records

        return Records(self._folder)

    @cached_property
    def _runtimes(self) -> dict[str, Runtime]:
        """Both, loaded only when a machine is spoken of: offers, as in a dry run, need neither."""
        from .docker import Containers
        from .process import Processes

        return {
            DOCKER: Containers(self._records, self._entrypoint),
            PROCESS: Processes(self._records, self._entrypoint),
        }

    def offers(self, need: Need) -> list[Offer]:
        """One offer for each runtime that can be had, the container first.

        Raises NoEngineError when docker was asked for and does not answer.
        """
        here = look_around()
        gpu = _fitting(need, here, self._folder)
        if need.runtime == "docker":
            refuse_silent(address())
        wanted = (DOCKER, PROCESS) if need.runtime == "auto" else (need.runtime,)
        usable = [kind for kind in wanted if kind != DOCKER or available()]
        return [_offer(kind, need, here, gpu) for kind in usable]

    def needs_image(self, offer: Offer, need: Need) -> bool:
        return offer.instance == DOCKER

    def request(self, offer: Offer, order: Order) -> str:
        for bind in order.binds:
            if not bind.source.exists():
                raise ProviderError(f"cannot show {bind.source} to the job: it is not there")
        return self._runtimes[offer.instance].request(offer, order)

    def look(self, machine_id: str) -> Machine | None:
        return self._runtime_of(machine_id).look(machine_id)

    def list_owned(self) -> list[Machine]:
        return [machine for runtime in self._in_use() for machine in runtime.list_owned()]

    def tear_down(self, machine_id: str) -> None:
        self._runtime_of(machine_id).tear_down(machine_id)

    def host(self, machine: Machine) -> Host:
        return self._runtime_of(machine.id).host(machine.id)

    def _runtime_of(self, machine_id: str) -> Runtime:
        """By the record; without one only a container can be left, found by its labels."""
        record = self._records.load(machine_id)
        without = DOCKER if available() else PROCESS
        return self._runtimes[record.kind if record else without]

    def _in_use(self) -> list[Runtime]:
        """Both runtimes, but docker only where it can have machines: its SDK is slow to load."""
        with_docker = available() or self._records.all(DOCKER)
        return [run for kind, run in self._runtimes.items() if kind != DOCKER or with_docker]


def _offer(kind: str, need: Need, here: Here, gpu: GpuHere | None) -> Offer:
    kilowatts = Decimal(str(need.watts)) / WATTS_PER_KILOWATT
    return Offer(
        provider=LocalProvider.name,
        region="here",
        instance=kind,
        gpu=gpu.name if gpu else None,
        gpu_count=gpu.count if gpu else 0,
        market="own",
        usd_per_hour=kilowatts * need.usd_per_kwh,
        source="settings",
        as_of=date.today(),
        vram_mib=gpu.vram_mib if gpu else None,
        vcpus=float(here.cpus),
        memory_mib=here.memory_mib,
        note=NOTES[kind],
    )


def _fitting(need: Need, here: Here, state: Path) -> GpuHere | None:
    """The GPU for the job, if any; raises NoOfferError with what this machine has instead."""
    if need.cpus and need.cpus > here.cpus:
        raise NoOfferError(f"{need.cpus:g} CPUs asked for, this machine has {here.cpus}")
    if need.memory and need.memory > here.memory_mib * MIB:
        raise NoOfferError(f"{_mib(need.memory)} asked for, this machine has {here.memory_mib} MiB")
    free = disk_usage(_existing(state)).free
    if need.disk and need.disk > free:
        raise NoOfferError(f"{_mib(need.disk)} of disk asked for, {state} has {_mib(free)} free")
    return _asked(need.gpu) if need.gpu else _present(need.device)


def _present(device: str) -> GpuHere | None:
    """A job that may use a GPU gets those that are here, without asking for them by name."""
    may_use = device == "auto" or device.startswith("cuda") or device.isdecimal()
    return next(iter(gpus()), None) if may_use else None


def _asked(asked: Gpu) -> GpuHere:
    found = gpus()
    for gpu in found:
        if matches(asked.name, gpu.name) and gpu.count >= asked.count:
            return replace(gpu, count=asked.count)
    names = ", ".join(map(str, found)) or "no NVIDIA GPU"
    raise NoOfferError(f"{asked} asked for, this machine has {names}", ELSEWHERE)


def _mib(size: int) -> str:
    return f"{size // MIB} MiB"


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
