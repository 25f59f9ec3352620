"""The entrypoint of a fake machine: tells its script by the clock, each time somebody looks.

Nothing runs in between. All it knows is in files of the work folder, so that it goes on under the
eyes of another command after the first was killed.
"""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ...configs import container, jobfile
from ...configs.spec import JobSpec
from ...training import manifest
from ...training.events import Event, render
from ..atomic import write_whole
from ..base import Exit
from .faults import Faults
from .script import Beat, farewell, loss, step_of, story

PROGRESS = "control/fake.json"
LOCK = "control/fake.lock"
KILLED = 137


@dataclass(frozen=True)
class Progress:
    """When it started and was asked to stop, in clock seconds, and how many events it has told."""

    started: float | None = None
    resumed: int = 0
    told: int = 0
    asked: float | None = None
    killed: float | None = None


class ScriptedJob:
    """A job that follows a script; `faults` say how it ends."""

    def __init__(self, folder: Path, clock: Callable[[], float], faults: Faults) -> None:
        self._folder = folder
        self._clock = clock
        self._faults = faults

    def start(self) -> None:
        progress = self._load()
        if progress.started is None:
            self._save(Progress(self._clock(), _newest(self._folder / container.CHECKPOINTS)))
            self.advance()

    def poll(self) -> Exit | None:
        progress = self.advance()
        if progress.killed is not None:
            return Exit(KILLED)
        done = self._folder / container.DONE
        if done.exists():
            return Exit(json.loads(done.read_text())["code"])
        return Exit(KILLED) if self.is_stopped() else None

    def signal(self, name: Literal["TERM", "KILL"]) -> None:
        progress = self.advance()
        if progress.started is None or (self._folder / container.DONE).exists():
            return
        if name == "KILL":
            self._save(replace(progress, killed=self._clock()))
        elif progress.asked is None:
            self._save(replace(progress, asked=self._clock()))
            self.advance()

    def elapsed(self) -> float:
        """Seconds of the script since the start; 0 before it."""
        started = self._load().started
        return 0.0 if started is None else (self._clock() - started) / self._faults.pace

    def is_stopped(self) -> bool:
        """Whether its machine was stopped under it by now."""
        stop = self._faults.stop_after
        return stop is not None and 0 < stop <= self.elapsed()

    def advance(self) -> Progress:
        """Tell all that is due by now, once, however many commands look on."""
        with self._alone():
            return self._advance()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _advance(self) -> Progress:
        progress = self._load()
        if progress.started is None or progress.killed is not None:
            return progress
        beats = self._beats(progress)
        stop = self._faults.stop_after
        until = self.elapsed() if stop is None else min(self.elapsed(), stop)
        due = [beat for beat in beats if beat.at <= until]
        for beat in due[progress.told :]:
            self._tell(beat.event, progress.started + beat.at * self._faults.pace)
        progress = replace(progress, told=len(due))
        self._save(progress)
        return progress

    def _beats(self, progress: Progress) -> list[Beat]:
        beats = story(self._spec(), progress.resumed, self._faults.exit_code)
        notices = [self._faults.preempt_after, self._asked_at(progress)]
        known = [at for at in notices if at is not None]
        return farewell(beats, min(known)) if known and min(known) < beats[-1].at else beats

    def _asked_at(self, progress: Progress) -> float | None:
        if progress.asked is None or progress.started is None:
            return None
        return (progress.asked - progress.started) / self._faults.pace

    def _tell(self, event: Event, at: float) -> None:
        """Make what the event speaks of, then append it, and its line for people, to the files."""
        if event["kind"] == "checkpoint":
            _checkpoint(self._folder / container.CHECKPOINTS, step_of(event))
        if line := render(event):
            _append(self._folder / container.LOG, line)
        _append(self._folder / container.EVENTS, json.dumps({"t": round(at, 3), **event}))
        if event["kind"] == "end":
            self._finish(event, at)

    def _finish(self, event: Event, at: float) -> None:
        outputs = self._folder / container.OUTPUTS
        metrics = outputs / "metrics.json"
        write_whole(metrics, json.dumps({"loss": round(loss(self._last_step()), 4)}).encode())
        manifest.write(
            self._folder / container.MANIFEST,
            {"files": manifest.of(outputs, self._folder / container.MANIFEST)},
        )
        if self._faults.corrupt:
            write_whole(metrics, b"{}")
        done = {"code": event["code"], "reason": event["reason"], "at": at}
        write_whole(self._folder / container.DONE, json.dumps(done).encode())

    def _last_step(self) -> int:
        lines = (self._folder / container.EVENTS).read_text().splitlines()
        return max((step_of(json.loads(line)) for line in lines), default=0)

    def _spec(self) -> JobSpec:
        text = (self._folder / container.JOB).read_text()
        return jobfile.parse(text) if text else JobSpec("fake")

    def _load(self) -> Progress:
        path = self._folder / PROGRESS
        return Progress(**json.loads(path.read_text())) if path.exists() else Progress()

    def _save(self, progress: Progress) -> None:
        write_whole(self._folder / PROGRESS, json.dumps(vars(progress)).encode())


def _newest(checkpoints: Path) -> int:
    marks = checkpoints.glob(f"*/{container.COMMITTED}")
    return max((json.loads(mark.read_text())["step"] for mark in marks), default=0)


def _checkpoint(checkpoints: Path, step: int) -> None:
    folder = checkpoints / f"step-{step:06}"
    write_whole(folder / "weights.txt", f"the weights after step {step}\n".encode())
    mark = folder / container.COMMITTED
    content: dict[str, object] = {"step": step, "files": manifest.of(folder, mark)}
    manifest.write(mark, content)


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")
