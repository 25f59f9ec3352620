"""What a container may use is read from its cgroup, v2 or v1, never from the host."""

from pathlib import Path

import pytest

from longshore.training import limits
from longshore.training.limits import Cgroup

GIB = 2**30

V2 = {"membership": "0::/", "cgroup.controllers": "cpu memory"}
V2_DEEP = {"membership": "0::/pod/box", "cgroup.controllers": "cpu memory"}
V1 = {"membership": "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/\n"}


def tree(folder: Path, files: dict[str, str]) -> Cgroup:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content + "\n")
    return Cgroup(folder, folder / "membership")


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        pytest.param(V2 | {"cpu.max": "50000 100000"}, 0.5, id="v2"),
        pytest.param(V2 | {"cpu.max": "max 100000"}, None, id="v2 without a limit"),
        pytest.param(
            V2_DEEP | {"pod/cpu.max": "20000 100000", "pod/box/cpu.max": "90000 100000"},
            0.2,
            id="v2, the parent's limit is less",
        ),
        pytest.param(
            V1
            | {"cpu,cpuacct/cpu.cfs_quota_us": "50000", "cpu,cpuacct/cpu.cfs_period_us": "100000"},
            0.5,
            id="v1, the container's own mount",
        ),
        pytest.param(
            V1
            | {
                "cpu/docker/abc/cpu.cfs_quota_us": "30000",
                "cpu/docker/abc/cpu.cfs_period_us": "100000",
            },
            0.3,
            id="v1, the host's mount",
        ),
        pytest.param(
            V1 | {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"},
            None,
            id="v1 without a limit",
        ),
        pytest.param({}, None, id="no cgroups at all"),
    ],
)
def test_cpus(files: dict[str, str], quota: float | None, tmp_path: Path) -> None:
    """The least CPU quota of the cgroup and its parents holds."""
    here = limits.cpus(Cgroup(tmp_path / "none", tmp_path / "none"))
    assert limits.cpus(tree(tmp_path, files)) == (quota or here)


def test_threads_are_at_least_one(tmp_path: Path) -> None:
    """Half a CPU still computes with one thread."""
    assert limits.threads(tree(tmp_path, V2 | {"cpu.max": "50000 100000"})) == 1


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        pytest.param(V2 | {"memory.max": str(GIB)}, GIB, id="v2"),
        pytest.param(V2 | {"memory.max": "max"}, None, id="v2 without a limit"),
        pytest.param(
            V2_DEEP | {"pod/memory.max": str(GIB), "pod/box/memory.max": "max"}, GIB, id="parent"
        ),
        pytest.param(V1 | {"memory/memory.limit_in_bytes": str(GIB)}, GIB, id="v1"),
        pytest.param(
            V1 | {"memory/memory.limit_in_bytes": "9223372036854771712"}, None, id="v1 unlimited"
        ),
    ],
)
def test_memory(files: dict[str, str], limit: int | None, tmp_path: Path) -> None:
    """The least memory limit of the cgroup and its parents holds, in bytes."""
    here = limits.memory(Cgroup(tmp_path / "none", tmp_path / "none"))
    assert limits.memory(tree(tmp_path, files)) == (limit or here)


@pytest.mark.parametrize(
    ("files", "kills"),
    [
        (V2 | {"memory.events": "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2"}, 2),
        (V1 | {"memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4"}, 4),
        ({}, 0),
    ],
)
def test_counts_kills_for_memory(files: dict[str, str], kills: int, tmp_path: Path) -> None:
    """The kernel's own count tells a kill for memory from any other."""
    assert limits.oom_kills(tree(tmp_path, files)) == kills


def test_no_shared_memory(tmp_path: Path) -> None:
    """A machine without /dev/shm has no figure for it."""
    assert limits.shared_memory(tmp_path / "none") is None
