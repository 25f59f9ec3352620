"""Committed checkpoints: a folder counts only when its manifest, written last, holds true.

checkpoints/step-000120/COMMITTED.json    {"step": 120, "files": {…}}
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..configs.container import COMMITTED
from . import manifest

_PREFIX: Final = "step-"
DRAFT_PREFIX: Final = "checkpoint-"
"""How transformers calls a folder it saves to: ours until it is committed under its own name."""


@dataclass(frozen=True)
class Checkpoint:
    """One committed checkpoint; `step` is the number of steps made before it."""

    path: Path
    step: int


def commit(draft: Path, step: int) -> Checkpoint:
    """Make a folder that holds a saved state a committed checkpoint beside it; sure on return.

    The name is given last: what is called `step-…` was whole once.
    """
    manifest.sync_tree(draft)
    files = manifest.of(draft, draft / COMMITTED)
    manifest.write(draft / COMMITTED, {"step": step, "files": files})
    final = draft.parent / f"{_PREFIX}{step:06d}"
    shutil.rmtree(final, ignore_errors=True)
    draft.rename(final)
    manifest.sync(final.parent)
    return Checkpoint(final, step)


def newest(folder: Path, warn: Callable[[str], None] = print) -> Checkpoint | None:
    """The newest checkpoint that is whole; `warn` hears about each newer one that is not."""
    for path in _newest_first(folder):
        found = _verified(path, warn)
        if found:
            return found
    return None


def prune(folder: Path, keep: int) -> None:
    """Remove all but the `keep` newest committed checkpoints, and drafts an earlier crash left."""
    for draft in folder.glob(f"{DRAFT_PREFIX}*"):
        shutil.rmtree(draft)
    committed = [path for path in _newest_first(folder) if (path / COMMITTED).is_file()]
    for path in committed[max(keep, 1) :]:
        # The manifest goes first: a removal cut short must not leave what looks committed.
        (path / COMMITTED).unlink()
        shutil.rmtree(path)


def _newest_first(folder: Path) -> list[Path]:
    return sorted(_steps(folder), key=_step, reverse=True)


def _steps(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob(f"{_PREFIX}*") if path.is_dir() and _step(path) >= 0)


def _step(path: Path) -> int:
    digits = path.name.removeprefix(_PREFIX)
    return int(digits) if digits.isdecimal() else -1


def _verified(path: Path, warn: Callable[[str], None]) -> Checkpoint | None:
    fault = _fault(path)
    if fault:
        warn(f"checkpoint {path.name} is not used: {fault}")
        return None
    return Checkpoint(path, _step(path))


def _fault(path: Path) -> str:
    try:
        committed = json.loads((path / COMMITTED).read_text())
        return manifest.fault(path, committed["files"])
    except FileNotFoundError:
        return "it was never committed"
    except (ValueError, KeyError, TypeError):
        return f"{COMMITTED} is damaged"
