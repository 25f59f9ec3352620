"""What this machine has: processors, memory and NVIDIA GPUs, asked without torch."""

import os
import shutil
from collections import Counter
from dataclasses import dataclass

from ...configs.gpus import candidates

MIB = 1024**2
QUERY = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
PATIENCE = 20.0
"""Seconds for nvidia-smi: without the persistence mode it wakes the driver first."""


@dataclass(frozen=True)
class Here:
    """This machine's processors and memory."""

    cpus: int
    memory_mib: int


@dataclass(frozen=True)
class GpuHere:
    """GPUs of one kind: its name in `gpus.csv`, or the driver's where that does not know it."""

    name: str
    count: int
    vram_mib: int

    def __str__(self) -> str:
        return self.name if self.count == 1 else f"{self.name}:{self.count}"


def look_around() -> Here:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Here(os.cpu_count() or 1, pages // MIB)


def gpus() -> tuple[GpuHere, ...]:
    """The NVIDIA GPUs that the driver's own tool lists; none where there is no such tool."""
    return gpus_in(_nvidia_rows())


def gpus_in(rows: str) -> tuple[GpuHere, ...]:
    """The GPUs in nvidia-smi's answer to QUERY; rows that are none are passed over."""
    parted = (row.rpartition(",") for row in rows.splitlines())
    cards = [(_known(name.strip()), int(mib)) for name, _, mib in parted if mib.strip().isdigit()]
    return tuple(GpuHere(name, count, mib) for (name, mib), count in Counter(cards).items())


def _nvidia_rows() -> str:
    if shutil.which(QUERY[0]) is None:
        return ""
    import subprocess

    try:
        done = subprocess.run(QUERY, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _known(name: str) -> str:
    """The one name in `gpus.csv` that the driver's word can mean, else that word."""
    kinds = candidates(name)
    return kinds[0].name if len(kinds) == 1 else name
