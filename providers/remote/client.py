"""The near side of `agent.py`: one ssh child that is asked, and replaced when it is gone."""

import json
import os
import select
import shlex
import subprocess
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any, Final

from ...errors import SyncError, UnreachableError
from . import faults, sockets
from .connection import Channel, Connection
from .line import Line

SILENCE: Final = 15.0
"""Seconds without a byte after which a link is taken for dead."""
AT_MOST: Final = 1 << 20
"""Bytes of a file in one answer."""
_CHUNK: Final = 1 << 16


@dataclass(frozen=True)
class Question:
    """One question to the agent; the words are the names of `agent.ANSWERS` and its arguments."""

    ask: str
    words: dict[str, Any]
    content: bytes = b""

    @classmethod
    def read(cls, path: str, offset: int = 0) -> "Question":
        return cls("read", {"path": path, "offset": offset, "most": AT_MOST})

    @classmethod
    def write(cls, path: str, content: bytes, mode: int = 0o644) -> "Question":
        return cls("write", {"path": path, "mode": mode}, content)

    @classmethod
    def folder(cls, path: str) -> "Question":
        return cls("folder", {"path": path})

    @classmethod
    def tree(cls, path: str, marks: str) -> "Question":
        return cls("tree", {"path": path, "marks": marks})


@dataclass(frozen=True)
class Answer:
    """What the agent found out, and the bytes of a file."""

    facts: dict[str, Any] = field(default_factory=dict)
    content: bytes = b""


class AgentClient:
    """Asks the agent of one machine; calls from several threads come one after another.

    Raises UnreachableError when nothing is heard for `silence` seconds or the connection breaks
    twice, SyncError with the path when the machine's system refuses, and what `Line` raises.
    """

    def __init__(self, line: Line, channel: Channel = "talk", silence: float = SILENCE) -> None:
        self._line = line
        self._channel = channel
        self._silence = silence
        self._lock = threading.Lock()
        self._talk: _Talk | None = None

    def ask(self, *questions: Question) -> list[Answer]:
        """Several questions in one round trip, answered in their order."""
        with self._lock:
            answers = self._through(message(questions))
        for question, answer in zip(questions, answers, strict=True):
            if "errno" in answer.facts:
                raise _refused(question, answer.facts)
        return answers

    def close(self) -> None:
        """End the child; the next question starts another."""
        with self._lock:
            self._hang_up()

    def _through(self, words: bytes) -> list[Answer]:
        """Ask; once more where the machine has moved, or where a link broke that had worked."""
        connection = self._line.connection()
        talk = self._to(connection)
        was_proven = talk.is_proven
        try:
            return talk.exchange(words, self._silence)
        except (UnreachableError, faults.ImpostorError) as fault:
            self._hang_up()
            moved = self._line.failed(connection, self._channel)
            if not moved and (not was_proven or isinstance(fault, _SilentError)):
                raise
        return self._again(words)

    def _again(self, words: bytes) -> list[Answer]:
        try:
            return self._to(self._line.connection()).exchange(words, self._silence)
        except BaseException:
            self._hang_up()
            raise

    def _to(self, connection: Connection) -> "_Talk":
        if self._talk and (self._talk.connection != connection or self._talk.has_ended):
            self._hang_up()
        self._talk = self._talk or _Talk(connection, self._channel)
        return self._talk

    def _hang_up(self) -> None:
        if self._talk:
            self._talk.end()
        self._talk = None


class _SilentError(UnreachableError):
    """The link is there and nothing comes through it."""


class _Talk:
    """One ssh child with the agent at its other end."""

    def __init__(self, connection: Connection, channel: Channel) -> None:
        sockets.prepare()
        self.connection = connection
        self.is_proven = False
        self._waiting = source()
        self._child = subprocess.Popen(
            connection.ssh_words(agent_command(), channel),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            # Ctrl-C is for the watch to act on, not for the link it acts through.
            start_new_session=True,
        )
        self.end = weakref.finalize(self, _end, self._child)
        streams = (self._child.stdin, self._child.stdout, self._child.stderr)
        self._into, self._out_of, self._said = map(_number, streams)
        for number in (self._into, self._said):
            os.set_blocking(number, False)

    @property
    def has_ended(self) -> bool:
        return self._child.poll() is not None

    def exchange(self, words: bytes, silence: float) -> list[Answer]:
        """Send a message and wait for its answer."""
        left, self._waiting = memoryview(self._waiting + words), b""
        heard = bytearray()
        while (answers := parsed(heard)) is None:
            readable, writable = self._ready(bool(left), silence)
            if writable:
                left = left[self._send(left) :]
            if readable:
                heard += self._receive()
        self.is_proven = True
        return answers

    def _ready(self, is_sending: bool, silence: float) -> tuple[bool, bool]:
        poller = select.poll()
        poller.register(self._out_of, select.POLLIN)
        if is_sending:
            poller.register(self._into, select.POLLOUT)
        ready = {number for number, _ in poller.poll(silence * 1000)}
        if not ready:
            where = self.connection.address
            raise _SilentError(f"the machine at {where} has been silent for {silence:.0f} s")
        return self._out_of in ready, self._into in ready

    def _send(self, left: memoryview) -> int:
        try:
            return os.write(self._into, left[:_CHUNK])
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            raise self._fault() from None

    def _receive(self) -> bytes:
        chunk = os.read(self._out_of, _CHUNK)
        if not chunk:
            raise self._fault()
        return chunk

    def _fault(self) -> Exception:
        """Why the child has hung up."""
        try:
            status = self._child.wait(5)
        except subprocess.TimeoutExpired:
            status = faults.SSH
        with suppress(BlockingIOError):
            said = os.read(self._said, _CHUNK).decode(errors="replace")
            return faults.of_ssh(status, said, self.connection.address)
        return faults.of_ssh(status, "", self.connection.address)


def message(questions: Sequence[Question]) -> bytes:
    """A message as `agent.py` reads it."""
    head = [{"ask": one.ask, "bytes": len(one.content), **one.words} for one in questions]
    body = b"".join(one.content for one in questions)
    text = json.dumps(head).encode()
    return b"%d %d\n%b%b" % (len(text), len(body), text, body)


def parsed(heard: bytes | bytearray) -> list[Answer] | None:
    """The answers, once all of them are there; raises UnreachableError for what is none."""
    line, newline, rest = heard.partition(b"\n")
    if not newline and len(line) < _CHUNK:
        return None
    try:
        head, size = (int(word) for word in line.split())
        if len(rest) < head + size:
            return None
        return _answers(json.loads(rest[:head]), bytes(rest[head:]))
    except ValueError:
        said = bytes(line[:80]).decode(errors="replace")
        raise UnreachableError(f"instead of our agent the machine answered {said!r}") from None


def agent_command() -> str:
    """What the machine's shell is told; the program itself follows on its stdin."""
    program = f"import sys;exec(sys.stdin.buffer.read({len(source())}))"
    return "exec " + shlex.join(["python3", "-ISu", "-X", "utf8", "-c", program])


@cache
def source() -> bytes:
    """The text of `agent.py`."""
    return Path(__file__).with_name("agent.py").read_bytes()


def _answers(heads: list[dict[str, Any]], body: bytes) -> list[Answer]:
    answers, at = [], 0
    for facts in heads:
        size = facts.pop("bytes")
        answers.append(Answer(facts, body[at : at + size]))
        at += size
    return answers


def _refused(question: Question, facts: dict[str, Any]) -> SyncError:
    path = question.words.get("path") or facts["path"]
    return SyncError(f"{path}: {facts['said']}", faults.there(facts["errno"]))


def _number(stream: IO[bytes] | None) -> int:
    assert stream is not None
    return stream.fileno()


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream:
            stream.close()
