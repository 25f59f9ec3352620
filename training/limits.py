"""What this process may use of the machine: cgroup v2, then v1, never more than the limit.

The Python and torch calls for this (os.cpu_count, torch.get_num_threads, psutil) tell the
host's numbers inside a container with `--cpus` or `--memory`.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_V1_UNLIMITED: Final = 2**60
"""cgroup v1 writes about 2**63 for "no limit"; no machine has an exbibyte."""


@dataclass(frozen=True)
class Cgroup:
    """The cgroup tree as one process sees it; a test gives the paths of a tree of its own."""

    mount: Path = Path("/sys/fs/cgroup")
    membership: Path = Path("/proc/self/cgroup")

    def folders(self, controller: str) -> Iterator[Path]:
        """The folder of this process for a controller, then its parents: each may set a limit.

        Without a cgroup namespace the path in `membership` is the host's and is not below the
        container's own mount; then only the mount itself is left.
        """
        base, inner = self._place(controller)
        folder = base / inner.strip("/")
        while folder != base and base in folder.parents:
            if folder.is_dir():
                yield folder
            folder = folder.parent
        if base.is_dir():
            yield base

    def numbers(self, controller: str, file: str) -> Iterator[list[str]]:
        """The words of `file` in each of `folders` that has it."""
        for folder in self.folders(controller):
            words = _words(folder / file)
            if words:
                yield words

    def _place(self, controller: str) -> tuple[Path, str]:
        for line in _lines(self.membership):
            _, names, path = line.split(":", 2)
            if controller in names.split(","):
                return self._v1_base(names, controller), path
        return self.mount, self._unified_path()

    def _v1_base(self, names: str, controller: str) -> Path:
        joined = self.mount / names
        return joined if joined.is_dir() else self.mount / controller

    def _unified_path(self) -> str:
        unified = (line for line in _lines(self.membership) if line.startswith("0::"))
        return next(unified, "0::/").removeprefix("0::")


HERE: Final = Cgroup()


def cpus(cgroup: Cgroup = HERE) -> float:
    """CPUs this process may use at once: the least of affinity (cpuset) and every CPU quota."""
    return min([float(_affinity()), *_quotas(cgroup)])


def threads(cgroup: Cgroup = HERE) -> int:
    """Compute threads worth starting: whole CPUs, at least one."""
    return max(1, int(cpus(cgroup)))


def memory(cgroup: Cgroup = HERE) -> int:
    """Bytes of memory this process may use: the least of the machine's and every limit."""
    return min([_physical_memory(), *_memory_limits(cgroup)])


def shared_memory(path: Path = Path("/dev/shm")) -> int | None:
    """Bytes of shared memory, which data loaders pass batches through; None where there is none."""
    if not path.is_dir():
        return None
    stat = os.statvfs(path)
    return stat.f_blocks * stat.f_frsize


def oom_kills(cgroup: Cgroup = HERE) -> int:
    """How many processes of this cgroup the kernel has killed for memory so far."""
    for file in ("memory.events", "memory.oom_control"):
        for words in cgroup.numbers("memory", file):
            if "oom_kill" in words:
                return int(words[words.index("oom_kill") + 1])
    return 0


def _quotas(cgroup: Cgroup) -> Iterator[float]:
    for quota, period, *_ in cgroup.numbers("cpu", "cpu.max"):
        if quota != "max":
            yield int(quota) / int(period)
    periods = cgroup.numbers("cpu", "cpu.cfs_period_us")
    for (quota, *_), (period, *_) in zip(
        cgroup.numbers("cpu", "cpu.cfs_quota_us"), periods, strict=False
    ):
        if int(quota) > 0:
            yield int(quota) / int(period)


def _memory_limits(cgroup: Cgroup) -> Iterator[int]:
    for file in ("memory.max", "memory.limit_in_bytes"):
        for limit, *_ in cgroup.numbers("memory", file):
            if limit != "max" and int(limit) < _V1_UNLIMITED:
                yield int(limit)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _physical_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _words(file: Path) -> list[str]:
    return [word for line in _lines(file) for word in line.split()]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []
