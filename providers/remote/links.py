"""The links of a folder that comes home: what a job wrote is not trusted to stay inside."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..atomic import replacing
from ..copying import explained


def clear_way(target: Path, folders: Iterable[str]) -> None:
    """Take away links of an earlier copy where a folder must be now; the user's own lead out."""
    top = _real(target)
    for folder in folders:
        at = target / folder
        if at.is_symlink() and _real(at).is_relative_to(top):
            with explained(at):
                at.unlink()


def led(target: Path, folders: Iterable[str]) -> list[str]:
    """The folders that the user's own links at home lead elsewhere, the topmost of each."""
    found: list[str] = []
    for folder in sorted(folders):
        is_inner = any(folder.startswith(f"{above}/") for above in found)
        if not is_inner and (target / folder).is_symlink():
            found.append(folder)
    return found


def make(target: Path, links: Sequence[tuple[str, str | None]]) -> list[str]:
    """Make the links that stay inside, whoever says so; the names of the others."""
    out = []
    for name, text in links:
        if text is None or not stays(name) or not stays(os.path.join(os.path.dirname(name), text)):
            out.append(name)
        else:
            _make(target / name, os.path.normpath(text))
    return sorted(out)


def stays(path: str) -> bool:
    """Whether a path leads to something inside the folder it is relative to, by its text."""
    plain = os.path.normpath(path)
    return not os.path.isabs(plain) and plain.split("/")[0] != ".."


def _make(at: Path, text: str) -> None:
    if at.is_symlink() and os.readlink(at) == text:
        return
    with explained(at), replacing(at) as new:
        new.symlink_to(text)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
