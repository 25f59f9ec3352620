"""The pod of an order as a value: what is sent to make it, whole."""

import base64
from dataclasses import dataclass
from math import ceil
from typing import Final

from ...configs import container
from ..base import Need, Offer, Order
from .disks import Disks
from .models import CreateGpu, CreatePod, Mounts, Network, Persistent
from .sales import ANYWHERE, min_cuda

VOLUME_PATH: Final = "/longshore-volume"
BOOT_ARGS: Final = f"""bash -c 'eval "${container.BOOT}"'"""


@dataclass(frozen=True)
class Given:
    """What an order does not say: keys, and what RunPod keeps for this account.

    `boot` is the script that makes a public image do our work, `volume` the id of a network
    volume, `registry` that of a login.
    """

    public_key: str
    host_key: str
    boot: str
    volume: str = ""
    registry: str | None = None


def pod(offer: Offer, order: Order, given: Given) -> CreatePod:
    """The pod to ask for. The count and the disk are always sent: RunPod's defaults are traps."""
    own = order.image
    return CreatePod(
        name=order.name,
        image=own or order.need.runpod.base,
        args=None if own else BOOT_ARGS,
        gpu=_gpu(offer, order.need),
        cloud=offer.zone.upper(),
        data_center_ids=None if offer.region == ANYWHERE else (offer.region,),
        disk=Disks.of(order.need).container,
        mounts=_mounts(order.need, given.volume),
        ports=("22/tcp",),
        env=_env(order, given) | ({} if own else {container.BOOT: given.boot}),
        registry=given.registry,
    )


def _gpu(offer: Offer, need: Need) -> CreateGpu:
    """The GPUs, and the least of CPUs and memory (GB) that a machine must have for each."""
    count = offer.gpu_count
    return CreateGpu(
        id=offer.instance,
        count=count,
        min_cuda_version=min_cuda(need),
        min_ram_per_gpu=ceil(need.memory / 10**9 / count) if need.memory else None,
        min_vcpu_count_per_gpu=ceil(need.cpus / count) if need.cpus else None,
    )


def _mounts(need: Need, volume: str) -> Mounts:
    if volume:
        return Mounts(network=(Network(volume_id=volume, path=VOLUME_PATH),))
    return Mounts(persistent=Persistent(size=Disks.of(need).volume, path=VOLUME_PATH))


def _env(order: Order, given: Given) -> dict[str, str]:
    return {
        container.POD: "1",
        container.NAME: order.name,
        container.OWNER: order.owner,
        container.HOST_KEY: base64.b64encode(given.host_key.encode()).decode(),
        container.LIFETIME: str(order.seconds),
        container.IDLE: str(order.idle),
        container.VOLUME: VOLUME_PATH,
        container.PUBLIC_KEY: given.public_key,
    }
