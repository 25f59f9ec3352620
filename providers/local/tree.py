"""The processes of one job: who belongs to it, and how to end them all.

Linux tells by /proc, where even a child that went into a session of its own is known by the root
folder in its environment. Elsewhere `ps` tells by parent and group.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from ...configs.container import ROOT_VARIABLE

PROC = Path("/proc")
STATE, GROUP, SESSION, START = 0, 2, 3, 19
"""Places in /proc/PID/stat after the command's name, see proc(5)."""

KILL_SECONDS = 5.0


def birth(pid: int) -> str:
    """What tells this process from a later one of the same number; empty when it has ended."""
    return _linux_birth(pid) if _has_proc() else ps_birth(pid)


def members(leader: int | None, root: Path) -> set[int]:
    """The living processes of a job by its first process and its root folder."""
    return _linux_members(leader, root) if _has_proc() else ps_members(leader)


def kill(
    leader: int | None,
    root: Path,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> set[int]:
    """End all processes of a job at once; those that still live after KILL_SECONDS come back."""
    end = clock() + KILL_SECONDS
    while (left := members(leader, root)) and clock() < end:
        for pid in left:
            send(pid, signal.SIGKILL)
        sleep(0.02)
    return left


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process; one that has ended meanwhile is fine."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def ps_birth(pid: int) -> str:
    rows = _ps("-o", "stat=,lstart=", "-p", str(pid))
    return "" if not rows or rows[0][0].startswith("Z") else " ".join(rows[0][1:])


def ps_members(leader: int | None) -> set[int]:
    rows = [row for row in _ps("-A", "-o", "pid=,ppid=,pgid=,stat=") if not row[3].startswith("Z")]
    found = {int(pid) for pid, _, group, _ in rows if int(group) == leader}
    while more := {int(pid) for pid, parent, _, _ in rows if int(parent) in found} - found:
        found |= more
    return found


def _ps(*options: str) -> list[list[str]]:
    done = subprocess.run(["ps", *options], capture_output=True, text=True, check=False)
    return [line.split() for line in done.stdout.splitlines()]


def _has_proc() -> bool:
    return (PROC / "self" / "stat").exists()


def _linux_birth(pid: int) -> str:
    fields = _stat(pid)
    boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {fields[START]}" if fields else ""


def _linux_members(leader: int | None, root: Path) -> set[int]:
    mark = f"{ROOT_VARIABLE}={root}".encode()
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return {pid for pid in pids if pid != os.getpid() and _belongs(pid, str(leader), mark)}


def _belongs(pid: int, leader: str, mark: bytes) -> bool:
    fields = _stat(pid)
    if not fields:
        return False
    return leader in (fields[GROUP], fields[SESSION]) or mark in _environment(pid)


def _stat(pid: int) -> list[str]:
    """The fields of a living process; empty for one that has ended, waited for or not."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
    return [] if fields[STATE] in "ZX" else fields


def _environment(pid: int) -> list[bytes]:
    try:
        return (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
