"""A container to be made, as a value: what the docker runtime asks of the engine."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from ...configs import container as paths
from ..base import Offer, Order
from ..records import Record
from ..work import making
from .kinds import DOCKER

MANAGED: Final = "longshore.managed"
RUN: Final = "longshore.run"
ATTEMPT: Final = "longshore.attempt"
OWNER: Final = "longshore.owner"
PRICE: Final = "longshore.usd_per_hour"
STATE: Final = "longshore.state"
"""Whose containers these are: several users, or ledgers, may share one engine."""

WRITABLE: Final = (
    paths.DATA,
    paths.OUTPUTS,
    paths.CHECKPOINTS,
    paths.CACHE,
    paths.CONTROL,
    paths.JOB,
)
NANO: Final = 1_000_000_000
ENVIRONMENT: Final = {
    paths.ROOT_VARIABLE: paths.ROOT,
    "HOME": "/tmp",
    "USER": "longshore",
    "XDG_CACHE_HOME": f"{paths.ROOT}/{paths.CACHE}",
}
"""The caller's number has no name and no home in the image, and libraries ask for both."""

LOG: Final = {"max-size": "10m", "max-file": "2"}
"""What the engine keeps of the output; the job keeps all of it in `outputs/train.log`."""


@dataclass(frozen=True)
class Mount:
    source: Path
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class Creation:
    """One container; memory and shm in bytes."""

    name: str
    image: str
    entrypoint: tuple[str, ...]
    user: str
    labels: dict[str, str]
    mounts: tuple[Mount, ...]
    nano_cpus: int | None
    memory: int | None
    shm: int | None
    gpus: int

    @classmethod
    def of(
        cls, offer: Offer, order: Order, image: str, folder: Path, entrypoint: Sequence[str]
    ) -> "Creation":
        need = order.need
        return cls(
            name=order.name,
            image=image,
            entrypoint=tuple(entrypoint),
            user=f"{os.getuid()}:{os.getgid()}",
            labels=labels(offer, order, folder.parent),
            mounts=mounts(order, folder),
            nano_cpus=int(need.cpus * NANO) if need.cpus else None,
            memory=need.memory,
            shm=need.shm,
            gpus=offer.gpu_count,
        )

    def arguments(self) -> dict[str, Any]:
        """The words of the Docker SDK's `containers.create`."""
        from docker import types

        gpus = [types.DeviceRequest(count=self.gpus, capabilities=[["gpu"]])] if self.gpus else None
        return {
            "name": self.name,
            "image": self.image,
            "entrypoint": list(self.entrypoint),
            "user": self.user,
            "labels": self.labels,
            "mounts": [
                types.Mount(f"{paths.ROOT}/{one.target}", str(one.source), "bind", one.read_only)
                for one in self.mounts
            ],
            "environment": ENVIRONMENT,
            "nano_cpus": self.nano_cpus,
            "mem_limit": self.memory,
            "memswap_limit": self.memory,
            "shm_size": self.shm,
            "device_requests": gpus,
            "init": True,
            "security_opt": ["no-new-privileges:true"],
            "log_config": types.LogConfig(type="json-file", config=LOG),
        }


def labels(offer: Offer, order: Order, state: Path) -> dict[str, str]:
    """The marks by which a container of ours is found again, even where its record was lost."""
    return {
        MANAGED: "true",
        STATE: str(state),
        RUN: order.run,
        ATTEMPT: str(order.attempt),
        OWNER: order.owner,
        PRICE: str(offer.usd_per_hour),
    }


def record_of(name: str, marks: dict[str, str]) -> Record:
    """The record that `labels` keep."""
    return Record(name, DOCKER, marks[RUN], int(marks[ATTEMPT]), Decimal(marks[PRICE]))


def mounts(order: Order, folder: Path) -> tuple[Mount, ...]:
    """What the container sees of this disk; links resolved, since the engine does not follow."""
    own = (Mount((folder / name).resolve(), name) for name in WRITABLE)
    shown = (Mount(bind.source.resolve(), bind.target, True) for bind in order.binds)
    return (*own, *shown)


def make_mount_points(order: Order, folder: Path) -> None:
    """Make the places where binds go: the engine would make them as root, and leave them."""
    with making(folder):
        for bind in order.binds:
            at = folder / bind.target
            at.parent.mkdir(parents=True, exist_ok=True)
            if bind.source.is_dir():
                at.mkdir(exist_ok=True)
            else:
                at.touch()
