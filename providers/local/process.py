"""The process runtime: the entrypoint as a process of this Python, for a machine without Docker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from ...configs import container
from ...errors import MachineLostError, ProviderError
from ..base import Exit, Machine, Offer, Order, State
from ..copying import remove
from ..records import Record, Records
from ..work import WorkHost, make, making
from . import tree
from .kinds import NOTES, PROCESS

CONSOLE = "control/console.log"
"""What the entrypoint printed: the only trace of one that could not even begin."""


class Processes:
    """Machines that are a work folder and, once started, a tree of processes."""

    def __init__(self, records: Records, entrypoint: Sequence[str]) -> None:
        self._records = records
        # -P: a module of the user's own beside the job must not stand in for one of Python's.
        self._command = (sys.executable, "-P", *entrypoint[1:])
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def request(self, offer: Offer, order: Order) -> str:
        if self._records.load(order.name) is None:
            self._records.save(Record.of(PROCESS, offer, order))
        folder = self._records.work(order.name)
        make(folder, order)
        with making(folder):
            for bind in order.binds:
                _link(folder / bind.target, bind.source)
        return order.name

    def look(self, name: str) -> Machine | None:
        record = self._records.load(name)
        return record.machine(self._detail(record)) if record else None

    def list_owned(self) -> list[Machine]:
        return [record.machine(self._detail(record)) for record in self._records.all(PROCESS)]

    def tear_down(self, name: str) -> None:
        record = self._records.load(name)
        if record is None:
            return
        self._records.save(replace(record, state=State.TEARING_DOWN, detail=""))
        stuck = self._end(record)
        if stuck:
            self._records.save(replace(record, state=State.STUCK, detail=stuck))
        else:
            self._records.drop(name)

    def host(self, name: str) -> WorkHost:
        return WorkHost(self._records.work(name), ProcessJob(name, self))

    def start(self, name: str) -> None:
        """Start the entrypoint unless the record says that it has been."""
        record = self._known(name)
        if record.pid is not None:
            return
        folder = self._records.work(name)
        if not folder.is_dir():
            raise MachineLostError(f"the work folder {folder} is gone")
        child = _spawn(self._command, folder)
        self._children[name] = child
        self._records.save(replace(record, pid=child.pid, started=tree.birth(child.pid)))

    def poll(self, name: str) -> Exit | None:
        record = self._known(name)
        if record.pid is None or self._lives(record):
            return None
        child = self._children.get(name)
        return _exit(self._records.work(name), child.returncode if child else None)

    def signal(self, name: str, word: Literal["TERM", "KILL"]) -> None:
        record = self._known(name)
        if record.pid is None or not self._lives(record):
            return
        if word == "TERM":
            tree.send(record.pid, signal.SIGTERM)
        else:
            tree.kill(record.pid, self._records.work(name))

    def _known(self, name: str) -> Record:
        record = self._records.load(name)
        if record is None:
            raise MachineLostError(f"{name} is gone")
        return record

    def _lives(self, record: Record) -> bool:
        child = self._children.get(record.name)
        if child is not None:
            return child.poll() is None
        return tree.birth(record.pid or 0) == record.started != ""

    def _end(self, record: Record) -> str:
        """Kill the job's processes and remove its folder; says what would not go."""
        folder = self._records.work(record.name)
        leader = record.pid if record.pid and self._may_lead(record) else None
        left = tree.kill(leader, folder)
        if child := self._children.pop(record.name, None):
            child.poll()
        if left:
            return f"processes that do not end: {', '.join(map(str, sorted(left)))}"
        try:
            remove(folder)
        except OSError as error:
            return f"{error.filename or folder}: {error.strerror}"
        return ""

    def _may_lead(self, record: Record) -> bool:
        """Whether the recorded number is still the job's: no later process has taken it."""
        now = tree.birth(record.pid or 0)
        return now in ("", record.started)

    def _detail(self, record: Record) -> str:
        if record.pid is None:
            return f"not started; {NOTES[PROCESS]}"
        if self._lives(record):
            return f"process {record.pid} runs; {NOTES[PROCESS]}"
        return f"process {record.pid} has ended{_last_words(self._records.work(record.name))}"


class ProcessJob:
    """The entrypoint of one machine of the process runtime."""

    def __init__(self, name: str, runtime: Processes) -> None:
        self._name = name
        self._runtime = runtime

    def start(self) -> None:
        self._runtime.start(self._name)

    def poll(self) -> Exit | None:
        return self._runtime.poll(self._name)

    def signal(self, name: Literal["TERM", "KILL"]) -> None:
        self._runtime.signal(self._name, name)


def _spawn(command: Sequence[str], folder: Path) -> "subprocess.Popen[bytes]":
    try:
        with (folder / CONSOLE).open("ab") as console:
            return subprocess.Popen(
                command,
                cwd=folder,
                env=os.environ | {container.ROOT_VARIABLE: str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise ProviderError(f"cannot start {command[0]}: {error.strerror}") from error


def _exit(folder: Path, code: int | None) -> Exit:
    """How a dead entrypoint ended: by its own account, else by what the kernel told its parent."""
    try:
        done = json.loads((folder / container.DONE).read_text())
        return Exit(int(done["code"]), done["reason"] == "oom")
    except (OSError, ValueError, KeyError, TypeError):
        unknown = 128 + signal.SIGKILL
        return Exit(unknown if code is None else code if code >= 0 else 128 - code)


def _last_words(folder: Path) -> str:
    """The last line that an entrypoint printed which could not write its own account."""
    if (folder / container.DONE).exists():
        return ""
    try:
        lines = (folder / CONSOLE).read_text(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return f": {lines[-1]}" if lines else ""


def _link(at: Path, source: Path) -> None:
    at.parent.mkdir(parents=True, exist_ok=True)
    if not at.is_symlink():
        at.symlink_to(source.absolute())
