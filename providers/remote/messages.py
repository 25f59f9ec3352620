"""What is said between `client.py` here and `agent.py` there, as values."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from ...errors import UnreachableError

AT_MOST: Final = 1 << 20
"""Bytes of a file in one answer."""
_LONGEST_LINE: Final = 100
"""Bytes in which the first line of a message, two numbers, must have ended."""


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


def message(questions: Sequence[Question]) -> bytes:
    """A message as `agent.py` reads it."""
    head = [{"ask": one.ask, "bytes": len(one.content), **one.words} for one in questions]
    body = b"".join(one.content for one in questions)
    text = json.dumps(head).encode()
    return b"%d %d\n%b%b" % (len(text), len(body), text, body)


def parsed(heard: bytes | bytearray) -> list[Answer] | None:
    """The answers, once all of them are there; raises UnreachableError for what is none."""
    end = heard.find(b"\n", 0, _LONGEST_LINE)
    if end < 0 and len(heard) < _LONGEST_LINE:
        return None
    try:
        head, size = (int(word) for word in heard[: max(end, 0)].split())
        if len(heard) <= end + head + size:
            return None
        body = end + 1 + head
        return _answers(json.loads(heard[end + 1 : body]), bytes(heard[body:]))
    except ValueError:
        said = bytes(heard[:80]).decode(errors="replace")
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
