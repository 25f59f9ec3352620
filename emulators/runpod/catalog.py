"""What this RunPod has: GPU types with prices, kinds of CPU, data centers.

gpus.csv and datacenters.csv name the sources of their columns.
"""

import csv
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

CLOUDS = ("SECURE", "COMMUNITY")
CUDA_VERSIONS = ("12.8", "13.0")
HOST_CUDA = "13.0"
MAX_COUNT = 8


@dataclass(frozen=True)
class Price:
    """USD per GPU-hour in one cloud; beside a false flag (`offered`) it is a placeholder."""

    offered: bool
    amount: Decimal
    spot: Decimal | None


@dataclass(frozen=True)
class GpuType:
    id: str
    name: str
    memory: int
    """GB of VRAM, as RunPod counts them."""
    pool: str | None
    prices: dict[str, Price]
    homes: dict[str, tuple[str, ...]]

    @property
    def manufacturer(self) -> str:
        first = self.id.split()[0]
        return {"AMD": "AMD", "NVIDIA": "NVIDIA", "Tesla": "NVIDIA"}.get(first, "UNKNOWN")


@dataclass(frozen=True)
class CpuType:
    """USD per vCPU-hour; RunPod documentation, REST v2 catalog, 2026-08 (prices are made up)."""

    id: str
    name: str
    group: str
    ram_gb_per_vcpu: int
    price: Decimal


@dataclass(frozen=True)
class DataCenter:
    id: str
    name: str
    region: str
    volumes: bool
    """Whether network volumes can be made there."""


CPUS = (
    CpuType("cpu3c", "Compute-Optimized", "CPU3", 2, Decimal("0.03")),
    CpuType("cpu3g", "General Purpose", "CPU3", 4, Decimal("0.04")),
    CpuType("cpu3m", "Memory-Optimized", "CPU3", 8, Decimal("0.05")),
    CpuType("cpu5c", "Compute-Optimized", "CPU5", 2, Decimal("0.035")),
    CpuType("cpu5g", "General Purpose", "CPU5", 4, Decimal("0.045")),
    CpuType("cpu5m", "Memory-Optimized", "CPU5", 8, Decimal("0.06")),
)


@cache
def gpu_types() -> dict[str, GpuType]:
    """All of them by id; "unknown" is among them, as it is in the live catalog."""
    return {row["id"]: _gpu_type(row) for row in _rows("gpus.csv")}


@cache
def data_centers() -> dict[str, DataCenter]:
    return {row["id"]: _data_center(row) for row in _rows("datacenters.csv")}


@cache
def cpu_types() -> dict[str, CpuType]:
    return {cpu.id: cpu for cpu in CPUS}


def _gpu_type(row: dict[str, str]) -> GpuType:
    return GpuType(
        id=row["id"],
        name=row["name"],
        memory=int(row["memory_gb"]),
        pool=row["pool"] or None,
        prices={cloud: _price(row, cloud.lower()) for cloud in CLOUDS},
        homes={cloud: tuple(row[f"{cloud.lower()}_homes"].split()) for cloud in CLOUDS},
    )


def _price(row: dict[str, str], cloud: str) -> Price:
    text, spot = row[cloud], row[f"{cloud}_spot"]
    offered = bool(text) and not text.startswith("!")
    return Price(offered, Decimal(text.lstrip("!") or 0), Decimal(spot) if spot else None)


def _data_center(row: dict[str, str]) -> DataCenter:
    return DataCenter(row["id"], row["name"], row["region"], row["volumes"] == "yes")


def _rows(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open() as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))
