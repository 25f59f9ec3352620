"""What the NVIDIA driver tells about its GPUs; nothing where there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class DriverGpu:
    """A GPU as the driver sees it, whether torch can use it or not; memory in bytes."""

    index: int
    name: str
    memory: int
    capability: tuple[int, int]
    driver: str


class Gauge(Protocol):
    """Reads (utilisation in percent, used memory in MiB) of one GPU; None where unknown."""

    def read(self) -> tuple[int | None, int | None]: ...


class NoGauge:
    """The gauge of a device that has none."""

    def read(self) -> tuple[int | None, int | None]:
        return None, None


class NvmlGauge:
    """The gauge of one NVIDIA GPU, found by its UUID since CUDA may number GPUs otherwise."""

    def __init__(self, uuid: str) -> None:
        import pynvml

        pynvml.nvmlInit()
        self._handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")

    def read(self) -> tuple[int | None, int | None]:
        import pynvml

        try:
            use = pynvml.nvmlDeviceGetUtilizationRates(self._handle).gpu
            memory = pynvml.nvmlDeviceGetMemoryInfo(self._handle).used
        except pynvml.NVMLError:
            # A slice of a GPU (MIG) does not tell its utilisation.
            return None, None
        return int(use), int(memory) // 2**20


def gauge(uuid: str) -> Gauge:
    """The gauge of the GPU with this UUID; one that reads nothing when the driver knows none."""
    with _driver() as works:
        return NvmlGauge(uuid) if works else NoGauge()


def gpus() -> list[DriverGpu]:
    """All GPUs of the driver; empty without NVIDIA's driver or its Python package."""
    with _driver() as works:
        return list(_gpus()) if works else []


def _gpus() -> Iterator[DriverGpu]:
    import pynvml

    driver = str(pynvml.nvmlSystemGetDriverVersion())
    for index in range(pynvml.nvmlDeviceGetCount()):
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
        yield DriverGpu(
            index=index,
            name=str(pynvml.nvmlDeviceGetName(handle)),
            memory=int(pynvml.nvmlDeviceGetMemoryInfo(handle).total),
            capability=(major, minor),
            driver=driver,
        )


@contextmanager
def _driver() -> Iterator[bool]:
    """Whether the driver answers, for as long as it is asked."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except (ImportError, OSError):
        yield False
        return
    except pynvml.NVMLError:
        yield False
        return
    try:
        yield True
    finally:
        pynvml.nvmlShutdown()
