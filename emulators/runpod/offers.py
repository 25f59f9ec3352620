"""REST v2: the catalog of GPUs, CPUs and data centers, with what is free now."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from .catalog import (
    CLOUDS,
    CUDA_VERSIONS,
    MAX_COUNT,
    CpuType,
    DataCenter,
    GpuType,
    cpu_types,
    data_centers,
    gpu_types,
)
from .hub import Hub, TheHub
from .problems import ProblemError, not_found
from .stock import Want, best, places

router = APIRouter(prefix="/v2/catalog")
Count = Annotated[int, Query(ge=1)]


@router.get("/gpus")
def list_gpus(
    hub: TheHub,
    include: str | None = None,
    product: str | None = None,
    count: Count = 1,
    cloud: str | None = None,
) -> dict[str, Any]:
    asked = _availability(include, product, cloud)
    found = [_gpu(hub, gpu) | (asked and _free(hub, gpu, count, cloud)) for gpu in _all_gpus()]
    return {"gpus": found}


@router.get("/gpus/{gpu_id}")
def get_gpu(
    hub: TheHub,
    gpu_id: str,
    include: str | None = None,
    product: str | None = None,
    count: Count = 1,
    cloud: str | None = None,
) -> dict[str, Any]:
    if gpu_id not in gpu_types():
        raise not_found()
    asked, gpu = _availability(include, product, cloud), gpu_types()[gpu_id]
    return _gpu(hub, gpu) | (asked and _free(hub, gpu, count, cloud))


@router.get("/cpus")
def list_cpus() -> dict[str, Any]:
    return {"cpus": [_cpu(cpu) for cpu in cpu_types().values()]}


@router.get("/cpus/{cpu_id}")
def get_cpu(cpu_id: str) -> dict[str, Any]:
    if cpu_id not in cpu_types():
        raise not_found()
    return _cpu(cpu_types()[cpu_id])


@router.get("/datacenters")
def list_data_centers(
    hub: TheHub,
    include: str = "",
    regions: str = "",
    networkVolumeTypes: str = "",
) -> dict[str, Any]:
    found = [
        _data_center(hub, center, include)
        for center in data_centers().values()
        if (not regions or center.region in regions.split(","))
        and (not networkVolumeTypes or center.volumes)
    ]
    return {"dataCenters": found}


@router.get("/datacenters/{name}")
def get_data_center(hub: TheHub, name: str, include: str = "") -> dict[str, Any]:
    if name not in data_centers():
        raise not_found()
    return _data_center(hub, data_centers()[name], include)


def _all_gpus() -> list[GpuType]:
    return list(gpu_types().values())


def _availability(include: str | None, product: str | None, cloud: str | None) -> dict[str, Any]:
    """Whether stock is asked for, as something true or an empty dict to merge."""
    if bool(include) != bool(product):
        raise ProblemError(400, "include and product require each other")
    if cloud not in (None, *CLOUDS):
        raise ProblemError(422, "Request validation failed.", ["$.cloud: no such cloud"])
    return {"include": include} if include else {}


def _gpu(hub: Hub, gpu: GpuType) -> dict[str, Any]:
    offered = {cloud: hub.world.stock.price(gpu.id, cloud) for cloud in CLOUDS}
    shown = {cloud: offered[cloud] or gpu.prices[cloud].amount for cloud in CLOUDS}
    return {
        "id": gpu.id,
        "name": gpu.name,
        "pool": gpu.pool,
        "manufacturer": gpu.manufacturer,
        "memory": gpu.memory,
        "secure": offered["SECURE"] is not None,
        "community": offered["COMMUNITY"] is not None,
        "price": {cloud.lower(): float(shown[cloud]) for cloud in CLOUDS},
        "maxCount": {cloud.lower(): MAX_COUNT if offered[cloud] else 0 for cloud in CLOUDS},
    }


def _free(hub: Hub, gpu: GpuType, count: int, cloud: str | None) -> dict[str, Any]:
    by_center: dict[str, list[str]] = {}
    for kind, center in places(gpu, (cloud,) if cloud else CLOUDS):
        level = hub.world.stock.level(Want(gpu.id, count, kind, center))
        if level != "NONE":
            by_center.setdefault(center, []).append(level)
    centers = [
        {"id": center, "name": data_centers()[center].name, "availability": best(levels)}
        for center, levels in by_center.items()
    ]
    free = bool(centers)
    return {
        "availability": best([str(center["availability"]) for center in centers]),
        "dataCenters": centers,
        "cudaVersions": [{"version": version, "available": free} for version in CUDA_VERSIONS],
    }


def _cpu(cpu: CpuType) -> dict[str, Any]:
    return {
        "id": cpu.id,
        "name": cpu.name,
        "group": cpu.group,
        "vcpu": {"min": 2, "max": 32},
        "ramGbPerVcpu": cpu.ram_gb_per_vcpu,
        "price": {"securePerVcpu": float(cpu.price), "serverlessPerVcpu": float(cpu.price)},
    }


def _data_center(hub: Hub, center: DataCenter, include: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": center.id,
        "name": center.name,
        "region": center.region,
        "globalNetwork": center.volumes,
        "networkVolumeTypes": ["STANDARD"] if center.volumes else [],
        "compliance": ["SOC_2_TYPE_2"] if center.volumes else [],
    }
    if "GPU_AVAILABILITY" in include.split(","):
        found["gpuAvailability"] = [
            {"id": gpu.id, "name": gpu.name, "availability": _level(hub, gpu, center)}
            for gpu in _all_gpus()
            if _level(hub, gpu, center) != "NONE"
        ]
    return found


def _level(hub: Hub, gpu: GpuType, center: DataCenter) -> str:
    stock = hub.world.stock
    return best([stock.level(Want(gpu.id, 1, cloud, center.id)) for cloud in CLOUDS])
