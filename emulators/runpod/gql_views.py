"""Pods, GPU types and the account as GraphQL shows them."""

from typing import Any

from .catalog import CLOUDS, MAX_COUNT, GpuType, gpu_types
from .hub import Hub
from .inside import PUBLIC_IP
from .state import HOLDS_GPUS, Pod
from .stock import Want, best, places
from .views import RAM_GB_PER_GPU, VCPUS_PER_GPU

JSON = dict[str, Any]


def pod(hub: Hub, pod: Pod) -> JSON:
    """Its `desiredStatus` never says that it is being pulled: RUNNING is all that is known."""
    name, count = pod.gpu or ("unknown", 0)
    return {
        "id": pod.id,
        "name": pod.name,
        "imageName": pod.image,
        "env": [f"{key}={value}" for key, value in pod.env.items()],
        "machineId": f"m{pod.id[:11]}",
        "machine": {
            "podHostId": f"{pod.id}-{pod.key[-8:].lower()}",
            "gpuDisplayName": gpu_types()[name].name,
            "dataCenterId": pod.data_center,
        },
        "desiredStatus": "RUNNING" if pod.status in HOLDS_GPUS else "EXITED",
        "costPerHr": float(pod.rate.gpu),
        "containerDiskInGb": pod.disk,
        "dockerArgs": pod.args,
        "gpuCount": count,
        "lastStatusChange": pod.last_change,
        "memoryInGb": RAM_GB_PER_GPU * count,
        "podType": "INTERRUPTABLE" if pod.bid is not None else "RESERVED",
        "ports": ",".join(pod.ports),
        "uptimeSeconds": _uptime(hub, pod),
        "vcpuCount": VCPUS_PER_GPU * count,
        "volumeInGb": pod.volume_gb,
        "volumeMountPath": pod.mounts.get("persistent", {}).get("path"),
        "runtime": _runtime(hub, pod),
    }


def gpu_type(hub: Hub, gpu: GpuType) -> JSON:
    listed, stock = gpu.prices, hub.world.stock
    price = {cloud: stock.price(gpu.id, cloud) for cloud in CLOUDS}
    secure, community = (price[cloud] or listed[cloud].amount for cloud in CLOUDS)
    return {
        "id": gpu.id,
        "displayName": gpu.name,
        "memoryInGb": gpu.memory,
        "maxGpuCount": MAX_COUNT,
        "manufacturer": gpu.manufacturer,
        "secureCloud": price["SECURE"] is not None,
        "communityCloud": price["COMMUNITY"] is not None,
        "securePrice": float(secure),
        "communityPrice": float(community),
        "secureSpotPrice": _number(stock.floor(gpu.id, "SECURE")),
        "communitySpotPrice": _number(stock.floor(gpu.id, "COMMUNITY")),
        "lowestPrice": lambda info, input=None: _lowest(hub, gpu, input or {}),
    }


def myself(hub: Hub) -> JSON:
    world = hub.world
    pods = list(world.pods.values())
    balance = world.balance(hub.now())
    return {
        "id": "user_emulated",
        "pubKey": "\n".join(world.account.ssh_keys),
        "clientBalance": float(balance),
        "currentSpendPerHr": float(sum(each.rate.total for each in pods)),
        "spendLimit": int(world.account.spend_limit),
        "minBalance": 0.0,
        "underBalance": balance <= 0,
        "pods": [pod(hub, each) for each in pods],
        "networkVolumes": [
            {"id": each.id, "name": each.name, "size": each.size, "dataCenterId": each.data_center}
            for each in world.volumes.values()
        ],
    }


def _lowest(hub: Hub, gpu: GpuType, asked: JSON) -> JSON | None:
    """The cheapest cloud that has so many of them now, per GPU."""
    stock, count = hub.world.stock, asked.get("gpuCount", 1)
    wants = [
        Want(gpu.id, count, cloud, center)
        for cloud, center in places(gpu, _clouds(asked))
        if asked.get("dataCenterId") in (None, center)
    ]
    there = {want.cloud for want in wants if stock.has(want)}
    prices = [price for cloud in there if (price := stock.price(gpu.id, cloud)) is not None]
    floors = [floor for cloud in there if (floor := stock.floor(gpu.id, cloud)) is not None]
    return {
        "uninterruptablePrice": _number(min(prices, default=None)),
        "minimumBidPrice": _number(min(floors, default=None)),
        "stockStatus": best([stock.level(want) for want in wants]).capitalize() if there else None,
    }


def _clouds(asked: JSON) -> tuple[str, ...]:
    secure = asked.get("secureCloud")
    return CLOUDS if secure is None else ("SECURE",) if secure else ("COMMUNITY",)


def _runtime(hub: Hub, pod: Pod) -> JSON | None:
    """Null while it starts; a stopped pod keeps stale ports, and a climbing uptime, for a while."""
    stale = hub.now() - pod.spans[-1].start < hub.cloud.timeline.stale
    shown = pod.status == "RUNNING" or (pod.status == "EXITED" and stale)
    if not shown or pod.silent or not pod.shown:
        return None
    return {
        "uptimeInSeconds": _uptime(hub, pod),
        "ports": [_port(pod, private, public) for private, public in pod.shown.items()],
        "gpus": [],
    }


def _port(pod: Pod, private: int, public: int) -> JSON:
    tcp = f"{private}/tcp" in pod.ports
    return {
        "ip": PUBLIC_IP if tcp else "100.65.0.2",
        "isIpPublic": tcp,
        "privatePort": private,
        "publicPort": public,
        "type": "tcp" if tcp else "http",
    }


def _uptime(hub: Hub, pod: Pod) -> int:
    return int(hub.now() - pod.started) if pod.started else 0


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
