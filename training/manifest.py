"""Lists of files with size and SHA-256: what says that a folder is whole.

{"files": {"relative/path": {"bytes": 12, "sha256": "…"}}}
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypedDict


class Entry(TypedDict):
    """One file's size in bytes and its SHA-256 in hex."""

    bytes: int
    sha256: str


def of(folder: Path, skip: Path) -> dict[str, Entry]:
    """Every regular file under `folder` except `skip`, by path, sorted; links are left out."""
    paths = sorted(path for path in _files(folder) if path != skip)
    return {path.relative_to(folder).as_posix(): entry(path) for path in paths}


def entry(path: Path) -> Entry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def fault(folder: Path, files: Mapping[str, Entry]) -> str:
    """What is wrong with the listed files under `folder`; empty when all are whole."""
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != expected["bytes"] or entry(path) != expected:
            return f"{name} is damaged"
    return ""


def write(path: Path, content: object) -> None:
    """Write JSON so that after a crash `path` holds either the old content or all of the new."""
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)


def sync(path: Path) -> None:
    """Have the kernel write a file or a folder's names to the disk now."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """`sync` every file and folder below, then the folder itself."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
