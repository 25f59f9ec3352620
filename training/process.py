"""The worker as a child process: started, asked to stop, ended, and nothing of it left over."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from .stop import SIGNALS

_PROC: Final = Path("/proc")
_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh"})

SHELL_PREFIX: Final = (
    "trap 'code=$?; [ $code -eq 0 ] && code=143; exit $code' TERM INT\n"  # 143 = 128 + SIGTERM
)
"""Makes `sh -c` wait for its command when asked to stop, and end with the command's own code.

Without it the shell dies at once and the code 75 of a script that has just saved is lost. A command
that ends with 0 then may be the first of several, so the job does not count as done.
"""


class Process:
    """One run of the worker, in its own session; its output and errors come through one pipe."""

    def __init__(self, argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._child = subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def read(self, timeout: float) -> bytes:
        """What came in the next `timeout` seconds; empty if nothing did, or after the end."""
        assert self._child.stdout is not None
        handle = self._child.stdout.fileno()
        ready, _, _ = select.select([handle], [], [], timeout)
        chunk = os.read(handle, 64 * 1024) if ready else b""
        if ready and not chunk:
            time.sleep(timeout)
        return chunk

    def poll(self) -> int | None:
        """The exit code (negative: the signal), or None while it runs; reaps orphans as PID 1."""
        if os.getpid() == 1:
            reap_orphans({self._child.pid})
        return self._child.poll()

    def ask(self) -> None:
        """SIGTERM to the worker itself, not to the helpers it started.

        Data loading processes that die at once would break the very step that is to be saved.
        """
        for pid in _listeners(self._child.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the worker and everything it started."""
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)

    def close(self) -> Iterator[bytes]:
        """End what the worker left running, and give the output that is still in the pipe."""
        self.kill()
        while chunk := self.read(0.05):
            yield chunk
        assert self._child.stdout is not None
        self._child.stdout.close()


@contextmanager
def signals_held() -> Iterator[None]:
    """A child started in here gets the stop signals only once it is ready for them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def reap_orphans(own: Collection[int]) -> None:
    """Collect ended processes whose parent is gone, but leave the exit codes of `own` alone."""
    with suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in own:
                return
            os.waitpid(ended.si_pid, 0)


def kill_marked(mark: str) -> None:
    """SIGKILL to every process that was started with this `NAME=value` in its environment."""
    for entry in _PROC.glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                os.kill(int(entry.name), signal.SIGKILL)


def _listeners(pid: int) -> list[int]:
    """Whom to ask: the process itself; for a shell also what listens below it, at any depth.

    Where there is no /proc to look at (macOS), the whole group.
    """
    if not _PROC.is_dir():
        return [-pid]
    return [pid, *_below(pid)] if _name(pid) in _SHELLS else [pid]


def _below(shell: int) -> Iterator[int]:
    """The commands a shell runs; a shell among them only if it has a trap, else it would just die.

    A shell's trap waits for the command in the foreground, so that one is asked too.
    """
    for child in _children(shell):
        is_shell = _name(child) in _SHELLS
        if not is_shell or _catches_sigterm(child):
            yield child
        if is_shell:
            yield from _below(child)


def _catches_sigterm(pid: int) -> bool:
    """By the mask of caught signals in proc(5), bit 0 being signal 1."""
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return False
    caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt")), 0)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def _children(pid: int) -> list[int]:
    stats = (_stat(Path(entry.path)) for entry in os.scandir(_PROC) if entry.name.isdecimal())
    return [child for child, _, parent in stats if parent == pid]


def _name(pid: int) -> str:
    return _stat(_PROC / str(pid))[1]


def _stat(folder: Path) -> tuple[int, str, int]:
    """(pid, name, parent) by proc(5); the name stands in brackets and may hold any character."""
    try:
        before, _, after = (folder / "stat").read_text().rpartition(")")
    except OSError:
        return 0, "", 0
    pid, _, name = before.partition(" (")
    return int(pid), name, int(after.split()[1])
