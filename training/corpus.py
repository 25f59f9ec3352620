"""Reads a data set: JSON lines or plain text, with the place of every fault."""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from ..errors import DataError, did_you_mean

_SUFFIXES: Final = (".jsonl", ".json", ".txt", ".text", ".md")


def files(path: Path) -> list[Path]:
    """The files of a data set: the file itself, or those in a folder, sorted by name.

    Raises DataError when there are none.
    """
    if path.is_file():
        return [path]
    if not path.exists():
        raise DataError(f"there is no data set at {path}", "set train.dataset to a file or folder")
    found = sorted(one for one in path.rglob("*") if one.suffix in _SUFFIXES and one.is_file())
    if not found:
        raise DataError(f"{path} holds no data", f"put {' or '.join(_SUFFIXES[:3])} files there")
    return found


def records(path: Path, column: str) -> list[str]:
    """Every text of a data set, in order, the empty ones left out.

    A JSON line is one text; of a plain text every paragraph is, or every line where no line is
    empty. Raises DataError with `file:line` for the first fault.
    """
    found = [text for file in files(path) for text in _texts(file, column) if text.strip()]
    if not found:
        raise DataError(f"{path} is empty", "there is nothing to train on")
    return found


def _texts(file: Path, column: str) -> Iterator[str]:
    lines = _lines(file)
    if file.suffix in (".jsonl", ".json"):
        return _json_texts(file, lines, column)
    return _paragraphs([line for _, line in lines])


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    with file.open("rb") as raw:
        for number, line in enumerate(raw, 1):
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{file}:{number}: not UTF-8 (byte {error.start + 1} of the line)",
                    "save the file as UTF-8",
                ) from None


def _json_texts(file: Path, lines: Iterator[tuple[int, str]], column: str) -> Iterator[str]:
    for number, line in lines:
        if line.strip():
            yield _text(f"{file}:{number}", line, column)


def _text(where: str, line: str, column: str) -> str:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where}: not JSON: {error}", "write one JSON object a line") from None
    if not isinstance(row, dict):
        raise DataError(f"{where}: not a JSON object", f'write {{"{column}": "…"}}')
    if column not in row:
        raise DataError(f"{where}: no column {column!r}", did_you_mean(column, row))
    text = row[column]
    if not isinstance(text, str):
        raise DataError(f"{where}: column {column!r} holds no text", "name another text_column")
    return text


def _paragraphs(lines: list[str]) -> Iterator[str]:
    if all(line.strip() for line in lines):
        yield from lines
        return
    for has_text, group in groupby(lines, key=lambda line: bool(line.strip())):
        if has_text:
            yield "".join(group)
