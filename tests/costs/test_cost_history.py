"""Rules of the record of finished runs: what is written is read, what is broken is skipped."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from longshore.costs.history import VERSION, Perf, history, path, record
from longshore.errors import LedgerError

RUN = Perf("tiny", "cpu", 2, 10**12, 60.0, 75.5, "lora", 109_632, "2026-11-20T12:00:00+00:00")


def test_what_is_recorded_is_read() -> None:
    """Runs come back as they were, oldest first, from the user's state folder."""
    later = replace(RUN, device="L40S", count=1)
    record(RUN)
    record(later)
    assert history() == ([RUN, later], [])
    assert path().name == "perf.jsonl"


def test_nothing_recorded(tmp_path: Path) -> None:
    """No file is no evidence, and no fault."""
    assert history(tmp_path / "none.jsonl") == ([], [])


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """One clear line, our error."""
    (tmp_path / "file").touch()
    with pytest.raises(LedgerError, match="cannot be written"):
        record(RUN, tmp_path / "file" / "perf.jsonl")


def line(**changes: Any) -> str:
    return json.dumps({"version": VERSION, **asdict(RUN), **changes})


@pytest.mark.parametrize(
    "bad",
    [
        "not json",
        "[]",
        "null",
        '{"version": 1}',
        line(version=99),
        line(seconds=0),
        line(seconds=-5),
        line(seconds="60"),
        line(seconds=float("nan")),
        line(total_seconds=float("inf")),
        line(flops=-1),
        line(count=0),
        "\xff",
    ],
)
def test_a_bad_line_is_skipped_with_a_warning(tmp_path: Path, bad: str) -> None:
    """Broken, impossible and of another version: left out, counted in one line."""
    file = tmp_path / "perf.jsonl"
    file.write_bytes(f"{line()}\n{bad}\n{line(job='other')}\n".encode("latin-1"))
    runs, warnings = history(file)
    assert [run.job for run in runs] == ["tiny", "other"]
    assert len(warnings) == 1
    assert "1 unreadable line" in warnings[0]
