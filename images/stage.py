"""Lay a context out in its folder: only what changed is written, what went away is removed."""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path

from ..errors import BuildError
from .context import Item
from .tag import Plan

MODES = {"file": 0o666, "program": 0o777, "secret": 0o600}


def stage(plan: Plan) -> int:
    """Make the folder hold exactly the plan's items; how many of them were written.

    Raises BuildError when the disk is full.
    """
    record = plan.folder.with_suffix(".staged.json")
    before = _read(record)
    wanted = {
        item.target: f"{item.kind} {digest}"
        for item, digest in zip(plan.items, plan.digests, strict=True)
    }
    # A stage that was cut short must not be believed.
    record.unlink(missing_ok=True)
    with full_disk(plan.folder):
        (plan.folder / "code").mkdir(parents=True, exist_ok=True)
        _remove(plan.folder, wanted)
        changed = [item for item in plan.items if _is_stale(plan.folder, item, before, wanted)]
        for item in changed:
            write(plan.folder / item.target, item)
        _open_folders(plan.folder)
        record.write_text(json.dumps(wanted))
    return len(changed)


@contextmanager
def exclusive(plan: Plan) -> Iterator[None]:
    """One build at a time for one context; a second one waits for the first."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    with plan.folder.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def _is_stale(folder: Path, item: Item, before: dict[str, str], wanted: dict[str, str]) -> bool:
    same = before.get(item.target) == wanted[item.target]
    return not (same and os.path.lexists(folder / item.target))


def write(target: Path, item: Item) -> None:
    """Lay out one item, over what is there; raises OSError when the disk says no."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target):
        target.unlink()
    if item.kind == "link":
        target.symlink_to(os.fsdecode(bytes(item.content)))
    elif isinstance(item.content, bytes):
        target.write_bytes(item.content)
    elif item.kind == "wheel":
        _link(item.content, target)
    else:
        shutil.copyfile(item.content, target)
    if item.kind in MODES:
        target.chmod(MODES[item.kind])


def _link(source: Path, target: Path) -> None:
    """A second name for a wheel, or a copy where the cache is on another disk."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _remove(folder: Path, wanted: dict[str, str]) -> None:
    for top, names, files in os.walk(folder, topdown=False):
        for name in [*files, *(one for one in names if os.path.islink(os.path.join(top, one)))]:
            path = Path(top, name)
            if str(path.relative_to(folder)) not in wanted:
                path.unlink()
        if Path(top) not in (folder, folder / "code"):
            with suppress(OSError):
                Path(top).rmdir()


def _open_folders(folder: Path) -> None:
    """Folders too belong to any uid in the container, whatever the caller's umask is."""
    for top, _, _ in os.walk(folder):
        os.chmod(top, 0o777)


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """Faults of the disk, while a folder is laid out, as a BuildError."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise BuildError(f"cannot write the build context: {error}") from error
        raise BuildError(
            f"no space left for the build context in {folder}",
            "free some space, or set LONGSHORE_CACHE to a folder on another disk",
        ) from error


def _read(record: Path) -> dict[str, str]:
    try:
        content = json.loads(record.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
