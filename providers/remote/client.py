"""The near side of `agent.py`: one ssh child that is asked, and replaced when it is gone."""

import os
import select
import subprocess
import threading
import weakref
from contextlib import suppress
from typing import IO, Any, Final

from ...errors import SyncError, UnreachableError
from . import faults, sockets
from .connection import Channel, Connection
from .line import Line
from .messages import Answer, Question, agent_command, message, parsed, source

SILENCE: Final = 15.0
"""Seconds without a byte after which a link is taken for dead."""
_CHUNK: Final = 1 << 16


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
        had_worked = self._to(connection).is_proven
        try:
            return self._exchange(connection, words)
        except (UnreachableError, faults.ImpostorError) as fault:
            moved = self._line.failed(connection, self._channel)
            if not moved and (not had_worked or isinstance(fault, _SilentError)):
                raise
        return self._exchange(self._line.connection(), words)

    def _exchange(self, connection: Connection, words: bytes) -> list[Answer]:
        """Ask; what ends early, Ctrl-C too, leaves nobody to whom half a question was put."""
        try:
            return self._to(connection).exchange(words, self._silence)
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
