"""Answers short questions on the machine: this file's text is run there, over ssh.

Needs Python 3.8 and its standard library only. A message is a line with two lengths, then a JSON
head of so many bytes (a list of questions, or their answers in the same order), then a body: the
contents of files one after another, of which each entry of the head has as many as its `bytes`.
"""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer until the other side hangs up."""
    for line in iter(source.readline, b""):
        head, size = (int(word) for word in line.split())
        questions = json.loads(source.read(head))
        body = memoryview(source.read(size))
        answers, contents = [], []
        for question in questions:
            own = question.pop("bytes", 0)
            facts, content = answer(question, bytes(body[:own]))
            body = body[own:]
            answers.append({**facts, "bytes": len(content)})
            contents.append(content)
        reply = json.dumps(answers).encode()
        sink.write(b"%d %d\n" % (len(reply), sum(map(len, contents))))
        sink.write(reply + b"".join(contents))
        sink.flush()


def answer(question: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """Facts and bytes; what the system refuses is an answer too."""
    try:
        return ANSWERS[question.pop("ask")](content, **question)
    except OSError as error:
        said = error.strerror or str(error)
        return {"errno": error.errno or 0, "said": said, "path": error.filename}, b""


def read(content: bytes, path: str, offset: int, most: int) -> tuple[dict[str, Any], bytes]:
    """At most so many bytes from `offset` on; none when there is no such file."""
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            return {}, file.read(most)
    except FileNotFoundError:
        return {}, b""


def write(content: bytes, path: str, mode: int) -> tuple[dict[str, Any], bytes]:
    """The file with this content and mode, whole or not at all, and sure on return."""
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    new = os.path.join(folder, f".{name[:50]}.{os.urandom(4).hex()}.part")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError:
        if os.path.lexists(new):
            os.unlink(new)
        raise
    return {}, b""


def make_folder(content: bytes, path: str) -> tuple[dict[str, Any], bytes]:
    """The folder, and all above it."""
    os.makedirs(path, exist_ok=True)
    return {}, b""


def send_signal(
    content: bytes, name: str, pid: str, started: str, done: str
) -> tuple[dict[str, Any], bytes]:
    """Signal the process that a file names; `early` when it is about to be there.

    TERM is for that process, which passes it on as it sees fit; KILL is for all of its group.
    """
    if not os.path.exists(started) or os.path.exists(done):
        return {"early": False}, b""
    try:
        with open(pid) as file:
            number = int(file.read())
    except (FileNotFoundError, ValueError):
        return {"early": True}, b""
    if number > 0:
        _kill(number, getattr(signal, "SIG" + name))
    return {"early": False}, b""


def _kill(number: int, word: int) -> None:
    try:
        if word == signal.SIGKILL and os.getpgid(number) == number:
            os.killpg(number, word)
        else:
            os.kill(number, word)
    except ProcessLookupError:
        pass


def tree(content: bytes, path: str, marks: str) -> tuple[dict[str, Any], bytes]:
    """What a folder holds besides plain files: folders, links, and the files called `marks`.

    A link comes with the text that leads to the same place from where it lies, or with none when
    it leads out of the folder. Of what is no folder only that is told.
    """
    if not stat.S_ISDIR(os.stat(path).st_mode):
        return {"is_folder": False}, b""
    real = os.path.realpath(path)
    found: dict[str, list[Any]] = {"folders": [], "links": [], "marks": []}
    for relative, entry in _entries(path):
        if entry.is_symlink():
            found["links"].append([relative, _inner(os.path.join(path, relative), path, real)])
        elif entry.is_dir(follow_symlinks=False):
            found["folders"].append(relative)
        elif entry.name == marks:
            facts = entry.stat(follow_symlinks=False)
            found["marks"].append([relative, facts.st_size, int(facts.st_mtime)])
    return {"is_folder": True, **found}, b""


def _entries(top: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """All below a folder, each after the folder it lies in; what vanishes meanwhile is not told."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(os.path.join(top, folder)))
        except FileNotFoundError:
            continue
        for entry in entries:
            relative = os.path.join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                waiting.append(relative)
            yield relative, entry


def _inner(link: str, top: str, real: str) -> str | None:
    """A link's text anew, if it stays in `top` by its text and by what it resolves to."""
    leads = os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))
    for base in (top, real):
        if leads == base or leads.startswith(base + "/"):
            leads = os.path.normpath(os.path.join(top, os.path.relpath(leads, base)))
            resolved = os.path.realpath(leads)
            if resolved == real or resolved.startswith(real + "/"):
                return os.path.relpath(leads, os.path.dirname(link))
    return None


ANSWERS: dict[str, Callable[..., tuple[dict[str, Any], bytes]]] = {
    "read": read,
    "write": write,
    "folder": make_folder,
    "signal": send_signal,
    "tree": tree,
}

if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
