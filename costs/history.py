"""What finished runs took: one JSON line each in `perf.jsonl`, the evidence of later estimates."""

import json
from dataclasses import asdict, dataclass, fields
from math import isfinite
from pathlib import Path
from typing import Final

from ..configs import folders
from ..errors import LedgerError

VERSION: Final = 1
"""Lines of another version are skipped: their numbers may mean something else."""


@dataclass(frozen=True)
class Perf:
    """One finished run: `seconds` of training alone on `count` of `device`.

    `device` is a name in `gpus.csv`, or "cpu", of which `count` is the cores; `flops` is 0
    for a command, whose work nobody can count; `total_seconds` is the whole run.
    """

    job: str
    device: str
    count: int
    flops: int
    seconds: float
    total_seconds: float
    recipe: str
    params: int
    at: str


def path() -> Path:
    """Where the evidence is kept."""
    return folders.state() / "perf.jsonl"


def record(run: Perf, file: Path | None = None) -> None:
    """Add one run. A single write of one line, so that two runs that end together do not mix.

    Raises LedgerError when the state folder cannot be written.
    """
    target = file or path()
    line = json.dumps({"version": VERSION, **asdict(run)}) + "\n"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab", buffering=0) as stream:
            stream.write(line.encode())
    except OSError as fault:
        raise LedgerError(f"{target} cannot be written: {fault.strerror}") from fault


def history(file: Path | None = None) -> tuple[list[Perf], list[str]]:
    """The runs on record, oldest first, and one warning when lines could not be read."""
    target = file or path()
    try:
        lines = target.read_bytes().splitlines()
    except OSError:
        return [], []
    runs = [_parse(line) for line in lines if line.strip()]
    good = [run for run in runs if run is not None]
    bad = len(runs) - len(good)
    return good, [f"{target}: {bad} unreadable line(s) skipped"] if bad else []


def _parse(line: bytes) -> Perf | None:
    try:
        raw = json.loads(line)
        run = Perf(**{field.name: raw[field.name] for field in fields(Perf)})
        sound = isfinite(run.seconds) and isfinite(run.total_seconds) and isfinite(run.flops)
        whole = sound and run.seconds > 0 and run.flops >= 0 and run.count > 0
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    return run if whole and raw["version"] == VERSION else None
