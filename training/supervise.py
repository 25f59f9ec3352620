"""The entrypoint: starts the worker, watches over it, and says in `done.json` how it ended.

Safe as PID 1, and only the standard library is loaded here, so that it stands when the worker
falls. The first SIGTERM or SIGINT asks for a checkpoint, the second ends the job at once.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final, Literal

from ..configs import container, jobfile
from ..configs.spec import JobSpec
from ..errors import ConfigError, JobFailedError, LongshoreError
from . import checkpoint, devices, limits, manifest
from .events import Event, Events, Redactor, Tail
from .guards import Deadline, Lease
from .limits import Cgroup
from .process import SHELL_PREFIX, Process, signals_held
from .stop import EXIT_OUT_OF_MEMORY, SIGNALS
from .surroundings import MICRO_BATCH, environment, take_secrets
from .tee import Tee

Reason = Literal["done", "preempted", "deadline", "lease", "killed", "oom", "failed"]


@dataclass(frozen=True)
class Settings:
    """What a test may change. `grace`: seconds a worker has to save after deadline or lease."""

    worker: tuple[str, ...] = (sys.executable, "-m", "longshore.training.worker")
    cgroup: Cgroup = limits.HERE
    grace: float = 120.0
    tick: float = 0.1


@dataclass(frozen=True)
class Outcome:
    """How the job ended."""

    code: int
    reason: Reason


DEFAULT: Final = Settings()
_KILLED: Final = {128 + number for number in (signal.SIGKILL, *SIGNALS)}


def main(root: Path, settings: Settings = DEFAULT) -> int:
    """Run the job described in `root`/job.json to its end; the exit code.

    0 done, 75 stopped with a committed checkpoint, else failed. Call it from the main thread.
    """
    root = root.absolute()
    if _done_before(root):
        print("this job is done already")
        return container.EXIT_DONE
    try:
        (root / container.DONE).unlink(missing_ok=True)
        outcome = _run(root, settings)
        return _finish(root, outcome).code
    except LongshoreError as error:
        _show(error)
        return _finish(root, Outcome(error.exit_code, "failed")).code
    except OSError as error:
        fault = JobFailedError(f"cannot write in {root}: {error.strerror or error}")
        _show(fault)
        return fault.exit_code


def judge(code: int, asked: Reason | None, out_of_memory: bool) -> Outcome:
    """How a job ended, from its worker's exit code and from why it was asked to stop, if it was."""
    if code == container.EXIT_DONE:
        return Outcome(code, "done")
    if code == container.EXIT_PREEMPTED:
        return Outcome(code, asked or "preempted")
    if out_of_memory:
        return Outcome(JobFailedError.exit_code, "oom")
    # A shell says 128 + n for a command that signal n ended.
    status = 128 - code if code < 0 else code
    if asked in ("deadline", "lease"):
        return Outcome(status, asked)
    return Outcome(status, "killed" if status in _KILLED else "failed")


def _run(root: Path, settings: Settings) -> Outcome:
    if not root.is_dir():
        raise _no_job(root, "no such folder")
    for name in (container.OUTPUTS, container.CHECKPOINTS, container.CONTROL):
        (root / name).mkdir(exist_ok=True)
    redact = Redactor()
    with _reporting(root, redact) as (events, tee):
        spec = _read_job(root)
        secrets = take_secrets(root, spec.secrets, os.environ)
        redact.learn(secrets.values())
        supervisor = Supervisor(root, spec, settings, secrets, events, tee)
        with supervisor.listening():
            return supervisor.run()


@contextmanager
def _reporting(root: Path, redact: Redactor) -> Iterator[tuple[Events, Tee]]:
    """Open the log and the events; a known fault is told there too, and raised on."""
    events = Events(root / container.EVENTS, redact)
    tee = Tee(root / container.LOG, sys.stdout, redact)
    try:
        yield events, tee
    except LongshoreError as error:
        events.emit("error", text=str(error), hint=error.hint, code=error.exit_code)
        events.emit("end", code=error.exit_code, reason="failed")
        tee.note(f"error: {error}")
        raise
    finally:
        tee.close()
        events.close()


class Supervisor:
    """One job's life: its runs of the worker, and what it was asked meanwhile."""

    def __init__(
        self,
        root: Path,
        spec: JobSpec,
        settings: Settings,
        secrets: dict[str, str],
        events: Events,
        tee: Tee,
    ) -> None:
        self._root, self._spec, self._settings = root, spec, settings
        self._secrets, self._events, self._tee = secrets, events, tee
        self._deadline = Deadline(spec.guards.max_time)
        self._lease = Lease(root / container.LEASE, spec.guards.idle)
        self._signals = 0
        self._asked: Reason | None = None
        self._last_word: Deadline | None = None
        self._plan: Event = {}
        self._told = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the stop signals in here; as PID 1 the kernel drops those without a handler."""
        before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        # A pod holds them back until there is somebody to hear them.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self) -> Outcome:
        """Run the worker, again with less at once when memory ran out; how the job ended."""
        wish: int | None = None
        while True:
            kills = limits.oom_kills(self._settings.cgroup)
            code = self._attend(self._start(wish))
            out_of_memory = self._was_out_of_memory(code, kills)
            if not out_of_memory or self._asked or not self._can_shrink():
                break
            wish = self._shrunk()
        outcome = judge(code, self._asked, out_of_memory)
        self._say_why(outcome)
        self._events.emit("end", code=outcome.code, reason=outcome.reason)
        return outcome

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _start(self, micro_batch: int | None) -> Process:
        self._plan = {}
        env = environment(self._spec, self._root, self._secrets, os.environ)
        if micro_batch:
            env[MICRO_BATCH] = str(micro_batch)
        if self._spec.run is None:
            with signals_held():
                return Process(self._settings.worker, self._root, env)
        return self._start_script(self._spec.run, env)

    def _start_script(self, script: str, env: dict[str, str]) -> Process:
        found = checkpoint.newest(self._root / container.CHECKPOINTS, self._warn)
        env["LONGSHORE_RESUME_FROM"] = str(found.path) if found else ""
        env["LONGSHORE_DEVICE"] = devices.without_torch(self._spec.resources)
        code = self._root / container.CODE
        cwd = code if code.is_dir() else self._root
        return Process(("sh", "-c", SHELL_PREFIX + script), cwd, env)

    def _attend(self, process: Process) -> int:
        """Stand by until the worker has ended; its exit code."""
        tail = Tail(self._root / container.EVENTS)
        while (code := process.poll()) is None:
            self._pass_on(process.read(self._settings.tick))
            self._hear(tail)
            self._obey(process)
        for chunk in process.close():
            self._tee.feed(chunk)
        self._hear(tail)
        return code

    def _pass_on(self, output: bytes) -> None:
        if output:
            self._tee.feed(output)
        if output and self._spec.run:
            # A plain script writes no events: what it prints is its only sign of life.
            self._lease.progress()

    def _hear(self, tail: Tail) -> None:
        for event in tail.read():
            self._lease.progress()
            if event["kind"] == "plan":
                self._plan = event
            if event["kind"] == "error":
                self._told = True
                text, hint = event.get("text", "the job failed"), event.get("hint", "")
                self._tee.note(_show(JobFailedError(str(text), str(hint))))

    def _obey(self, process: Process) -> None:
        """Do what signals, deadline and lease ask for, each asked for once."""
        if self._signals >= 2 or (self._last_word and self._last_word.passed()):
            process.kill()
        elif self._signals and self._asked is None:
            self._ask(process, "preempted")
        elif self._asked in (None, "preempted") and self._deadline.passed():
            self._ask_firmly(process, "deadline")
        elif self._asked is None and self._lease.lapsed():
            self._ask_firmly(process, "lease")

    def _ask(self, process: Process, reason: Reason) -> None:
        self._asked = reason
        process.ask()

    def _ask_firmly(self, process: Process, reason: Reason) -> None:
        """Ask, and end the worker when it does not save in time: what is running costs money."""
        what = "the time limit" if reason == "deadline" else "the end of the lease"
        self._warn(f"stopping with a checkpoint: {what} was reached")
        self._last_word = Deadline(self._settings.grace)
        self._ask(process, reason)

    def _was_out_of_memory(self, code: int, kills_before: int) -> bool:
        if self._spec.run is None and code == EXIT_OUT_OF_MEMORY:
            return True
        was_killed = code in (-signal.SIGKILL, 128 + signal.SIGKILL)
        return was_killed and limits.oom_kills(self._settings.cgroup) > kills_before

    def _can_shrink(self) -> bool:
        return self._spec.run is None and self._at_once() > 1

    def _at_once(self) -> int:
        micro_batch = self._plan.get("micro_batch")
        return micro_batch if isinstance(micro_batch, int) else 0

    def _shrunk(self) -> int:
        half = self._at_once() // 2
        self._warn(
            f"out of memory with {self._at_once()} sequences at once: trying {half}, "
            f"the batch stays {self._plan['batch_size']}"
        )
        return half

    def _warn(self, text: str) -> None:
        self._events.emit("warning", text=text)
        self._tee.feed(f"warning: {text}\n".encode())

    def _say_why(self, outcome: Outcome) -> None:
        """Tell of an end that the worker could not tell of itself."""
        if self._told or outcome.reason not in ("oom", "killed", "failed"):
            return
        error = self._why(outcome)
        self._events.emit("error", text=str(error), hint=error.hint, code=outcome.code)
        self._tee.note(_show(error))

    def _why(self, outcome: Outcome) -> LongshoreError:
        if outcome.reason == "killed":
            return JobFailedError("the job was killed before it could save a checkpoint")
        if outcome.reason == "failed":
            return JobFailedError(f"the job ended with code {outcome.code}", f"see {container.LOG}")
        what = "a single sequence" if self._at_once() == 1 else "the job"
        less = "train.sequence_length" if self._spec.train else "the job's own batch size"
        return JobFailedError(
            f"out of memory: {what} does not fit on this machine",
            f"take a machine with more memory, or lower {less}",
        )


def _read_job(root: Path) -> JobSpec:
    file = root / container.JOB
    try:
        return jobfile.parse(file.read_text())
    except OSError as error:
        raise _no_job(root, str(error.strerror)) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"is not a job: {error!r}", where=str(file)) from None


def _no_job(root: Path, why: str) -> ConfigError:
    return ConfigError(
        f"there is no job to run: {why}",
        f"set {container.ROOT_VARIABLE} to the folder that holds {container.JOB}",
        where=str(root / container.JOB),
    )


def _done_before(root: Path) -> bool:
    """Whether this very job ended well here: a restarted container must not run it again."""
    done, job = root / container.DONE, root / container.JOB
    try:
        is_newer = done.stat().st_mtime_ns >= job.stat().st_mtime_ns
        return is_newer and '"reason": "done"' in done.read_text()
    except OSError:
        return False


def _finish(root: Path, outcome: Outcome) -> Outcome:
    """Write the manifest of the outputs, then `done.json`, the last thing of all."""
    final = outcome
    try:
        outputs = root / container.OUTPUTS
        if outputs.is_dir():
            path = root / container.MANIFEST
            manifest.write(path, {"files": manifest.of(outputs, path)})
    except OSError as error:
        fault = JobFailedError(f"cannot list the outputs: {error.strerror}", "free some disk space")
        _show(fault)
        final = Outcome(fault.exit_code, "failed") if outcome.code == 0 else outcome
    if (root / container.CONTROL).is_dir():
        done = {"code": final.code, "reason": final.reason, "at": round(time.time(), 3)}
        manifest.write(root / container.DONE, done)
    return final


def _show(error: LongshoreError) -> str:
    """Print a fault as one line and its hint; what was printed."""
    lines = f"error: {error}" + (f"\n  hint: {error.hint}" if error.hint else "")
    print(lines, file=sys.stderr, flush=True)
    return lines
