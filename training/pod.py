"""PID 1 of a pod, where the container is the machine: it stays when the job has ended.

The host starts a container again whenever it ends, so this one runs its job once, by marks that
lie on the volume (`configs.container`), and then waits to be torn down. Only the standard library
is loaded here.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from types import FrameType
from typing import Final

from ..configs import container, jobfile
from ..configs.spec import Service
from . import manifest, pod_ssh, services
from .guards import Clock, Deadline
from .kept import Kept
from .pod_end import Account, Ending, Switch
from .pod_volume import make_folders
from .process import kill_marked, reap_orphans, signals_held
from .stop import SIGNALS

MARK: Final = "LONGSHORE_JOB"
"""Set to a word of this boot's own, for the job and all that it starts: so all of it can end."""

PRIVATE: Final = (
    "RUNPOD_API_KEY",
    container.BOOT,
    container.PUBLIC_KEY,
    container.HOST_KEY,
    container.POD,
)
"""What the job does not see: the pod's own secrets, and that there is a pod."""

LOG: Final = "control/pod.log"
KILLED: Final = 128 + signal.SIGKILL
CANNOT_START: Final = 126
"""As a shell says it."""
FAULT_PAUSE: Final = 5.0


@dataclass(frozen=True)
class Settings:
    """What a test may change. `grace`: seconds a job has to save when its machine must end."""

    entrypoint: tuple[str, ...] = (sys.executable, "-m", "longshore.training")
    grace: float = 150.0
    tick: float = 0.1


DEFAULT: Final = Settings()


def main(root: Path) -> int:
    """Be the machine of the job in `root`; comes back, with 0, only when asked to stop."""
    root = root.absolute()
    faults = make_folders(root, os.environ)
    log = Log(root / LOG)
    for fault in faults:
        log.note(fault)
    pod = Pod(root, os.environ, log)
    for number in SIGNALS:
        signal.signal(number, pod.on_signal)
    pod.run()
    return 0


class Log:
    """Notes for the container's log and for a file of its own.

    Not for the job's log: that is one of the outputs, which are whole once their manifest is made.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def note(self, text: str) -> None:
        """Write a line; a full disk or a closed screen is no reason to fall."""
        with suppress(OSError):
            print(text, flush=True)
        with suppress(OSError), self._file.open("a") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")


class Pod:
    """One boot of the machine."""

    def __init__(
        self,
        root: Path,
        environ: Mapping[str, str],
        log: Log,
        settings: Settings = DEFAULT,
        clock: Clock = time.monotonic,
    ) -> None:
        self._root, self._environ, self._log, self._settings = root, environ, log, settings
        self._clock = clock
        self._switch = Switch(root / container.LEASE, environ, clock)
        self._ending = Ending(Account.of(environ), log.note, clock)
        self._sshd: Kept | None = None
        self._services: list[Kept] = []
        self._job: Popen[bytes] | None = None
        self._last_word: Deadline | None = None
        self._begun = self._stopping = False
        self._mark = os.urandom(8).hex()

    def run(self) -> None:
        """Live until a signal has ended it, and the job before it."""
        self._settle_the_past()
        self._open_ssh()
        while not (self._stopping and self._job is None):
            try:
                self.tick()
            except OSError as error:
                # A volume that fails for a while must not end the machine, and the job with it.
                self._log.note(f"warning: {error}")
                time.sleep(FAULT_PAUSE)
            time.sleep(self._settings.tick)
        for kept in self._helpers():
            kept.end()

    def tick(self) -> None:
        """Look at everything once."""
        for kept in self._helpers():
            kept.keep()
        self._mind_job()
        self._mind_life()
        if os.getpid() == 1:
            reap_orphans(self._own())

    def on_signal(self, number: int, _frame: FrameType | None) -> None:
        """The host takes the machine: the job must hear of it at once, its seconds are counted."""
        self._stopping = True
        if self._job and self._job.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._job.pid, number)

    def _settle_the_past(self) -> None:
        """A job that had begun before this boot was killed with it, and is never run again."""
        if self._exists(container.STARTED) and not self._exists(container.DONE):
            self._log.note("warning: the machine was restarted while its job ran")
            self._write_done(KILLED)

    def _open_ssh(self) -> None:
        try:
            command = pod_ssh.prepare(self._environ, self._root / container.CONTROL)
        except (ValueError, OSError) as error:
            self._log.note(f"warning: nobody can log in: {error}")
            return
        self._sshd = Kept(command, self._log.note)

    def _helpers(self) -> list[Kept]:
        if self._sshd is None or (self._sshd.pid is None and pod_ssh.running()):
            return self._services
        return [self._sshd, *self._services]

    def _own(self) -> set[int]:
        pids = {kept.pid for kept in (*self._services, self._sshd) if kept and kept.pid}
        return pids | ({self._job.pid} if self._job else set())

    def _mind_job(self) -> None:
        if self._job is None:
            if self._exists(container.START) and not self._exists(container.STARTED):
                self._begin()
            return
        code = self._job.poll()
        if code is not None:
            self._job = None
            self._ended(128 - code if code < 0 else code)

    def _begin(self) -> None:
        if self._stopping or self._begun or self._exists(container.DONE):
            return
        self._begun = True
        try:
            # Written first: a crash from here on must not run the job twice.
            manifest.write(self._root / container.STARTED, {"at": round(time.time(), 3)})
            self._start_services()
            with signals_held():
                self._job = self._start_job()
        except OSError as error:
            self._log.note(f"error: the job cannot be started: {error}")
            self._write_done(CANNOT_START)
            return
        (self._root / container.PID).write_text(f"{self._job.pid}\n")

    def _start_job(self) -> "Popen[bytes]":
        env = {**self._job_environ(), MARK: self._mark}
        return Popen(self._settings.entrypoint, env=env, start_new_session=True)

    def _ended(self, code: int) -> None:
        self._log.note(f"the job has ended with code {code}")
        kill_marked(f"{MARK}={self._mark}")
        if not self._exists(container.DONE):
            self._write_done(code)

    def _write_done(self, code: int) -> None:
        done = {"code": code, "reason": "killed", "at": round(time.time(), 3)}
        try:
            manifest.write(self._root / container.DONE, done)
        except OSError as error:
            self._log.note(f"error: cannot write {container.DONE}: {error.strerror}")

    def _start_services(self) -> None:
        tokens = services.read_tokens(self._root)
        env = self._job_environ()
        for command in services.commands(self._exposed(), self._root, env, tokens):
            self._services.append(Kept(command, self._log.note, services.RESTARTS))

    def _exposed(self) -> tuple[Service, ...]:
        try:
            return jobfile.parse((self._root / container.JOB).read_text()).expose
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
            # The job itself will say what is wrong with its file.
            return ()

    def _job_environ(self) -> dict[str, str]:
        return {name: value for name, value in self._environ.items() if name not in PRIVATE}

    def _mind_life(self) -> None:
        why = self._switch.why(self._job is not None)
        if why and self._job:
            self._end_job(self._job, why)
        elif why:
            self._ending.push("podStop" if self._exists(container.STARTED) else "podTerminate", why)

    def _end_job(self, job: "Popen[bytes]", why: str) -> None:
        """Ask the job to save, and end it when it does not."""
        if self._last_word is None:
            self._log.note(f"warning: the job must stop: {why}")
            self._last_word = Deadline(self._settings.grace, self._clock)
            os.kill(job.pid, signal.SIGTERM)
        elif self._last_word.passed():
            with suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)

    def _exists(self, name: str) -> bool:
        return os.path.exists(self._root / name)
