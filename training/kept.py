"""Long-lived helpers of a pod as child processes: one that dies is started again."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0


@dataclass(frozen=True)
class Command:
    """A helper to run: its words, its whole environment, and the file its output goes to."""

    name: str
    argv: tuple[str, ...]
    cwd: Path
    log: Path
    env: Mapping[str, str] = field(repr=False, default_factory=dict)


class Kept:
    """One helper, started by `keep` and again after each death, at most `restarts` times.

    The pause before a start doubles with each death, and is short again after a long life.
    """

    def __init__(
        self,
        command: Command,
        note: Callable[[str], None],
        restarts: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.command = command
        self._note = note
        self._left = restarts
        self._clock = clock
        self._child: subprocess.Popen[bytes] | None = None
        self._pause = FIRST_PAUSE
        self._next: float | None = clock()
        self._began = 0.0

    @property
    def pid(self) -> int | None:
        """The process while it runs."""
        return self._child.pid if self._child else None

    def keep(self) -> None:
        """Look after it once; call this every now and then."""
        if self._child and self._child.poll() is not None:
            self._died(f"ended with code {self._child.returncode}")
        if self._child is None and self._next is not None and self._clock() >= self._next:
            self._start()

    def end(self) -> None:
        """Ask it to end, and start it no more."""
        self._next = None
        self._left = 0
        if self._child:
            with suppress(ProcessLookupError):
                self._child.send_signal(signal.SIGTERM)

    def _start(self) -> None:
        self._began = self._clock()
        try:
            self._child = started(self.command)
        except OSError as error:
            self._died(f"cannot be started: {error.strerror}")

    def _died(self, how: str) -> None:
        self._child = None
        if self._clock() - self._began > LONGEST_PAUSE:
            self._pause = FIRST_PAUSE
        if self._left == 0:
            self._next = None
            self._note(f"warning: {self.command.name} {how}: see {self.command.log}")
            return
        self._left = None if self._left is None else self._left - 1
        self._next = self._clock() + self._pause
        self._note(f"warning: {self.command.name} {how}: trying again in {self._pause:.0f} s")
        self._pause = min(2 * self._pause, LONGEST_PAUSE)


def started(command: Command) -> "subprocess.Popen[bytes]":
    """Run a command in a session of its own, its output added to its log."""
    with command.log.open("ab") as log:
        return subprocess.Popen(
            command.argv,
            cwd=command.cwd,
            env=command.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
