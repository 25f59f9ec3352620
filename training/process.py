"""The worker as a child process: started, asked to stop, ended, and nothing of it left over."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
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
            _reap_orphans(self._child.pid)
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


def _listeners(pid: int) -> list[int]:
    """Whom to ask: the process itself; for a shell also the commands it runs, at any depth.

    Where there is no /proc to look at (macOS), the whole group.
    """
    if not _PROC.is_dir():
        return [-pid]
    return [pid, *_commands(pid)] if _name(pid) in _SHELLS else [pid]


def _commands(shell: int) -> Iterator[int]:
    """The nearest processes below a shell that are no shells; shells between just wait for them."""
    for child in _children(shell):
        if _name(child) in _SHELLS:
            yield from _commands(child)
        else:
            yield child


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


def _reap_orphans(worker: int) -> None:
    """Collect ended processes whose parent is gone, but leave the worker's exit code alone."""
    with suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid == worker:
                return
            os.waitpid(ended.si_pid, 0)
