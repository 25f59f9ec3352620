"""A Host that is reached by ssh: files by rsync, short questions by an agent that stays there."""

import errno
import json
import os
import posixpath
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

from ...configs import container
from ...errors import SyncError
from ..base import Exit
from ..copying import explained, remove
from . import copies, links
from .client import AgentClient
from .connection import PARTIAL, Connection
from .line import Line
from .messages import AT_MOST, Answer, Question
from .transfers import Transfers

LISTING: Final = 120.0
"""Seconds that the list of a folder with very many files may take; a dead link shows sooner."""
EARLY: Final = 5.0
"""Seconds for which a signal waits for the entrypoint of a job that has just been started."""


class RemoteHost:
    """The way into a machine whose job lives below `root`; implements Host and Reaches.

    `find` gives the connection, at first and again after one has failed; it raises
    MachineLostError when the machine is gone or stopped, UnreachableError while nobody can say.
    """

    def __init__(
        self,
        find: Callable[[], Connection],
        root: str = container.ROOT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._root = root
        self._sleep = sleep
        self._line = Line(find)
        self._transfers = Transfers(self._line, sleep)
        self._agent = AgentClient(self._line)
        self._files = AgentClient(self._line, "files", LISTING)

    def put(self, source: Path, target: str, exclude: Sequence[str] = ()) -> None:
        with explained(source):
            passes = copies.inward(source, self._at(target), exclude)
        self._ask_for_files(*(Question.folder(one.folder) for one in passes))
        for one in passes:
            self._transfers.carry(one)

    def write(self, target: str, content: bytes, mode: int = 0o644) -> None:
        self._agent.ask(Question.write(self._at(target), content, mode))

    def start(self) -> None:
        self.write(container.START, b"")

    def poll(self) -> Exit | None:
        return ended(self.read(container.DONE))

    def read(self, path: str, offset: int = 0) -> bytes:
        content = bytearray()
        while True:
            (answer,) = self._agent.ask(Question.read(self._at(path), offset + len(content)))
            content += answer.content
            if len(answer.content) < AT_MOST:
                return bytes(content)

    def get(self, source: str, target: Path) -> None:
        at = self._at(source)
        (answer,) = self._ask_for_files(Question.tree(at, container.COMMITTED))
        facts = answer.facts
        try:
            if facts["is_folder"]:
                self._folder_home(at, target, facts)
            else:
                self._file_home(at, target)
        except SyncError:
            drop_parts(target)
            raise

    def signal(self, name: Literal["TERM", "KILL"]) -> None:
        words = {"pid": container.PID, "started": container.START, "done": container.DONE}
        question = Question(
            "signal", {"name": name, **{key: self._at(path) for key, path in words.items()}}
        )
        waited = 0.0
        while self._agent.ask(question)[0].facts["early"] and waited < EARLY:
            self._sleep(0.2)
            waited += 0.2

    def shell(self, words: Sequence[str] = ()) -> list[str]:
        return self._line.connection().shell_words(words)

    def tunnel(self, ports: Mapping[int, int]) -> list[str]:
        return self._line.connection().tunnel_words(ports)

    def close(self) -> None:
        """Hang up; whatever is asked next connects anew."""
        self._agent.close()
        self._files.close()
        self._line.close()

    def _ask_for_files(self, *questions: Question) -> list[Answer]:
        return self._transfers.patiently(lambda: self._files.ask(*questions))

    def _folder_home(self, source: str, target: Path, facts: dict[str, Any]) -> None:
        with explained(target):
            target.mkdir(parents=True, exist_ok=True)
        links.clear_way(target, facts["folders"])
        drop_stale(target, facts["marks"])
        names = [name for name, _, _ in facts["marks"]]
        files, marks = copies.home(source, target, names, links.led(target, facts["folders"]))
        for one in files:
            self._transfers.carry(one)
        out = links.make(target, facts["links"])
        for one in marks:
            self._transfers.carry(one)
        if out:
            raise SyncError(
                f"{source}: links that lead out of it were left: {', '.join(out)}",
                "let the job copy such files instead of linking them",
            )

    def _file_home(self, source: str, target: Path) -> None:
        with explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        self._transfers.carry(copies.file_home(source, target))

    def _at(self, path: str) -> str:
        return posixpath.join(self._root, path).rstrip("/")


def ended(done: bytes) -> Exit | None:
    """How a job ended by its own account; None while there is none, or half of one."""
    try:
        account = json.loads(done)
        return Exit(int(account["code"]), account["reason"] == "oom")
    except (ValueError, KeyError, TypeError):
        return None


def drop_stale(target: Path, marks: Sequence[tuple[str, int, int]]) -> None:
    """Remove what says that files here are whole, where others are about to take their place."""
    for name, size, modified in marks:
        at = target / name
        with explained(at), suppress(FileNotFoundError, NotADirectoryError):
            facts = at.lstat()
            if (facts.st_size, int(facts.st_mtime)) != (size, modified):
                at.unlink()


def drop_parts(target: Path) -> None:
    """Remove the parts of files that a copy, which will not go on, has left here."""
    for folder in (target.parent / PARTIAL, *target.rglob(PARTIAL)):
        with suppress(OSError):
            remove(folder)
