"""How much text a data set holds, without reading all of it."""

import json
from pathlib import Path
from typing import Final

from ..errors import DataError

SAMPLE: Final = 1024**2
"""Bytes read of each JSON Lines file: enough to tell which share of it is text."""


def text_bytes(path: Path, column: str) -> int | None:
    """Bytes of text in a file or in all files of a folder; None when there is nothing there.

    Of JSON Lines only `column` counts; its share is taken from the first MiB. Raises DataError
    for a file that cannot be read.
    """
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
    try:
        return sum(_text(file, column) for file in files) if files else None
    except OSError as fault:
        raise DataError(f"data set {path} cannot be read: {fault.strerror}") from fault


def tree_bytes(path: Path) -> int:
    """Bytes of a file, or of all files under a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _text(file: Path, column: str) -> int:
    whole = file.stat().st_size
    if file.suffix not in (".jsonl", ".json"):
        return whole
    with file.open("rb") as stream:
        sample = stream.read(SAMPLE)
    lines = sample.splitlines(keepends=True)
    if len(sample) < whole:
        lines = lines[:-1]
    seen = sum(len(line) for line in lines)
    return round(whole * sum(_column(line, column) for line in lines) / seen) if seen else whole


def _column(line: bytes, column: str) -> int:
    """Bytes of the column in one line; a line that is not as it should be counts nothing here."""
    try:
        row = json.loads(line)
    except ValueError:
        return 0
    value = row.get(column) if isinstance(row, dict) else None
    return len(value.encode("utf-8", "replace")) if isinstance(value, str) else 0
