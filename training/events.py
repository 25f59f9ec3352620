"""The job's story as JSON lines, one event each; kinds and fields are in `configs.container`."""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

Value = str | int | float | bool | None
Event = dict[str, Value]

_LINES: Final = {
    "phase": "--- {phase}",
    "hardware": "{name} ({device}), {cpus:g} CPUs, {ram_mib} MiB of memory, {precision}",
    "plan": "{params:,} parameters ({trainable:,} of them learn), {tokens:,} tokens, {steps} steps "
    "of {batch_size} x {sequence_length} tokens ({micro_batch} sequences at once)",
    "step": "step {step}/{steps}  loss {loss:.4f}  {tokens_per_s:,.0f} tokens/s",
    "eval": "held-out loss {loss:.4f}  (unigram baseline {baseline:.4f})",
    "checkpoint": "checkpoint at step {step} ({why})",
    "warning": "warning: {text}",
}


class Redactor:
    """Replaces secret values by `***`, wherever they turn up in a text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lines: list[str] = []
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Take in more values."""
        # Each line of a key file is a secret of its own, since output is read line by line. A very
        # short value would blank out half the log and protect nothing.
        lines = {line.strip() for secret in secrets for line in secret.splitlines()}
        long = {line for line in lines if len(line) >= 4}
        self._lines = sorted(long.union(self._lines), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for line in self._lines:
            text = text.replace(line, "***")
        return text


class Events:
    """Appends events to a file; each one is there, whole, when `emit` comes back."""

    def __init__(self, path: Path, redact: Redactor) -> None:
        self._redact = redact
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def emit(self, kind: str, **fields: Value) -> None:
        """Write one event; raises OSError when the disk is full."""
        safe = {name: self._safe(value) for name, value in fields.items()}
        line = json.dumps({"t": round(time.time(), 3), "kind": kind, **safe})
        # One write call with O_APPEND: supervisor and worker share the file without mixing lines.
        os.write(self._file, f"{line}\n".encode())

    def close(self) -> None:
        os.close(self._file)

    def _safe(self, value: Value) -> Value:
        return self._redact(value) if isinstance(value, str) else value


class Tail:
    """Reads the events another process appends, each once; a half-written line waits.

    Those that are there already come only when `whole` is asked for.
    """

    def __init__(self, path: Path, whole: bool = False) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() and not whole else 0

    def read(self) -> Iterator[Event]:
        """The whole events that came since the last call."""
        if not self._path.exists() or self._path.stat().st_size <= self._offset:
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for line in whole.splitlines():
            event = _parsed(line)
            if event is not None:
                yield event


def render(event: Mapping[str, Value]) -> str:
    """An event as one line for people; empty for the kinds that only machines read."""
    return _LINES.get(str(event["kind"]), "").format_map(event)


def _parsed(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "kind" in event else None
