"""Bring a run's outputs home and verify every byte before its machine may go."""

import hashlib
import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..configs import folders
from ..configs.container import CHECKPOINTS, COMMITTED, MANIFEST, OUTPUTS
from ..environments.paths import in_project
from ..errors import SyncError
from ..providers.base import Host
from .records import Run


@dataclass(frozen=True)
class Collected:
    """What came home; `verified` is False when the job was killed before it wrote its manifest."""

    folder: Path
    files: int
    size: int
    verified: bool


def home(run: Run) -> Path:
    """Where the run's outputs go: a folder of its own below `sync.outputs`."""
    return in_project(run.project, run.spec.sync.outputs) / run.id


def saved_checkpoints(run_id: str) -> Path:
    """Where an interrupted run's checkpoints wait for its resume."""
    return folders.state() / "runs" / run_id / CHECKPOINTS


def has_checkpoint(run_id: str) -> bool:
    """Whether a committed checkpoint of the run is here."""
    return any(saved_checkpoints(run_id).glob(f"*/{COMMITTED}"))


def prepare(run: Run) -> None:
    """Make the outputs folder, before anything is paid for.

    Raises:
        SyncError: it cannot be written.
    """
    folder = home(run)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".write-probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise SyncError(
            f"{folder} cannot be written: {error.strerror}",
            "choose another folder with sync.outputs",
        ) from error


def bring_home(host: Host, run: Run, is_done: bool) -> Collected:
    """Copy outputs (and, unless the job is done, its checkpoints) home and verify them.

    Raises:
        SyncError: something did not arrive whole, twice.
    """
    folder = home(run)
    if is_done:
        host.get(OUTPUTS, folder)
    else:
        copy_home(host, run)
    faults = check(folder)
    if faults:
        host.get(OUTPUTS, folder)
        faults = check(folder)
    if faults:
        raise SyncError(f"{folder / faults[0]} did not arrive whole", "the machine is kept")
    if is_done:
        _point_latest(run, folder)
        shutil.rmtree(saved_checkpoints(run.id), ignore_errors=True)
    return counted(folder)


def copy_home(host: Host, run: Run) -> None:
    """Copy checkpoints and outputs home as they are now, the job still going on or not.

    Raises:
        SyncError: something did not arrive.
    """
    saved = saved_checkpoints(run.id)
    host.get(CHECKPOINTS, saved)
    for old in beyond(saved, run.spec.train.keep_checkpoints if run.spec.train else None):
        shutil.rmtree(old, ignore_errors=True)
    host.get(OUTPUTS, home(run))


def beyond(checkpoints: Path, keep: int | None) -> list[Path]:
    """The committed checkpoints that are older than the newest `keep`; None keeps all."""
    whole = sorted(mark.parent for mark in checkpoints.glob(f"*/{COMMITTED}"))
    return [] if keep is None else whole[: max(0, len(whole) - keep)]


def rescue(host: Host, run_id: str) -> Path:
    """Copy everything a machine holds into the state folder, for a run that nobody knows."""
    folder = folders.state() / "runs" / run_id
    for part in (OUTPUTS, CHECKPOINTS):
        host.get(part, folder / part)
    return folder


def check(folder: Path) -> list[str]:
    """The files that differ from the folder's manifest; none when there is no manifest."""
    manifest = folder / Path(MANIFEST).name
    if not manifest.is_file():
        return []
    try:
        files = json.loads(manifest.read_text())["files"]
        return [name for name, facts in files.items() if not _is_whole(folder / name, facts)]
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return [manifest.name]


def counted(folder: Path) -> Collected:
    """What is in a run's outputs folder now."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    verified = (folder / Path(MANIFEST).name).is_file()
    return Collected(folder, len(files), sum(path.stat().st_size for path in files), verified)


def _is_whole(path: Path, facts: dict[str, str | int]) -> bool:
    if not path.is_file() or path.stat().st_size != facts["bytes"]:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == facts["sha256"]


def _point_latest(run: Run, folder: Path) -> None:
    """`outputs/<job>` is a link to the newest finished run, so that a later job can name it.

    A disk that knows no links has none; the outputs are home all the same.
    """
    link = folder.parent / run.job
    if link.is_symlink() or not link.exists():
        fresh = link.with_name(f".{run.id}.link")
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(folder.name)
            os.replace(fresh, link)
