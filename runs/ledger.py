"""The record of every run and machine: one SQLite file, written before anything is started.

WAL with `synchronous = FULL`: an intent is on the disk before its create call is sent, so that
any later command can find what an earlier one left behind.
"""

import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

from ..configs import folders, jobfile
from ..configs.spec import JobSpec
from ..errors import LedgerError, NotFoundError, did_you_mean
from ..providers.base import Offer, State
from .records import ENDED, Attempt, Moment, Run, Status

Row = dict[str, str | float | int]
Fields = dict[str, str | float | int | None]

VERSION = 2
SCHEMA = """
CREATE TABLE runs (
  id TEXT PRIMARY KEY, spec TEXT NOT NULL, project TEXT NOT NULL, status TEXT NOT NULL,
  created REAL NOT NULL, ended REAL, code INTEGER, reason TEXT NOT NULL DEFAULT '',
  resumed_from TEXT NOT NULL DEFAULT ''
);
CREATE TABLE attempts (
  run TEXT NOT NULL REFERENCES runs (id), number INTEGER NOT NULL, provider TEXT NOT NULL,
  instance TEXT NOT NULL, usd_per_hour TEXT NOT NULL, state TEXT NOT NULL,
  requested REAL NOT NULL, machine TEXT NOT NULL DEFAULT '', gone REAL, billed TEXT,
  PRIMARY KEY (run, number)
);
CREATE TABLE moments (
  run TEXT NOT NULL REFERENCES runs (id), at REAL NOT NULL, phase TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT ''
);
"""


MIGRATIONS = {1: "ALTER TABLE attempts ADD COLUMN billed TEXT"}
"""By the version that a file has, the step to the next one."""


class DamagedLedgerError(LedgerError):
    """What the file holds is no ledger any more."""


class Ledger:
    """Every method raises LedgerError when the file cannot be read or written."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or folders.state() / "ledger.db"

    def open_run(self, spec: JobSpec, project: Path, resumed_from: str = "") -> Run:
        """A new run, on the disk before this returns."""
        row: Row = {
            "id": self._fresh_id(spec.name),
            "spec": jobfile.dump(spec),
            "project": str(project),
            "status": Status.STARTING.value,
            "created": time.time(),
            "resumed_from": resumed_from,
        }
        self._insert("runs", row)
        return self.run(str(row["id"]))

    def intend(self, run: str, offer: Offer) -> Attempt:
        """An attempt, written before its machine is asked for."""
        number = len(self.attempts(run)) + 1
        row: Row = {
            "run": run,
            "number": number,
            "provider": offer.provider,
            "instance": offer.instance,
            "usd_per_hour": str(offer.usd_per_hour),
            "state": State.REQUESTED.name,
            "requested": time.time(),
        }
        self._insert("attempts", row)
        return self.attempts(run)[-1]

    def adopt(self, attempt: Attempt, machine: str) -> None:
        """The provider's id for the attempt's machine."""
        self._update_attempt(attempt, machine=machine)

    def runs_at(self, attempt: Attempt, usd_per_hour: Decimal) -> None:
        """The attempt's machine runs, at this price."""
        self._update_attempt(attempt, state=State.RUNNING.name, usd_per_hour=str(usd_per_hour))

    def bill(self, attempt: Attempt, usd: Decimal) -> None:
        """What the provider says that the attempt's machine has cost."""
        self._update_attempt(attempt, billed=str(usd))

    def move(self, attempt: Attempt, state: State) -> None:
        """The attempt's machine was seen in this state."""
        ended = {"gone": time.time()} if state in (State.GONE, State.REFUSED) else {}
        self._update_attempt(attempt, state=state.name, **ended)

    def mark(self, run: str, status: Status) -> None:
        """Where the run stands now."""
        self._write("UPDATE runs SET status = ? WHERE id = ?", (status.value, run))

    def close_run(self, run: str, status: Status, code: int, reason: str) -> None:
        """The run's end: its last status, the exit code of its job, and why."""
        self._write(
            "UPDATE runs SET status = ?, code = ?, reason = ?, ended = ? WHERE id = ?",
            (status.value, code, reason, time.time(), run),
        )

    def note(self, run: str, phase: str, detail: str = "") -> None:
        """The run enters a phase now."""
        row: Row = {"run": run, "at": time.time(), "phase": phase, "detail": detail}
        self._insert("moments", row)

    def run(self, run: str) -> Run:
        """The run with exactly this id."""
        rows = self._rows("SELECT * FROM runs WHERE id = ?", run)
        if not rows:
            raise NotFoundError(f"no run {run!r}", "`longshore ps --all` lists them")
        return self._run(rows[0])

    def find(self, text: str) -> Run:
        """The run a user means: `last`, an id, its last four signs, or a job's newest run."""
        runs = self.runs()
        if text == "last" and runs:
            return runs[0]
        hits = [run for run in runs if text in (run.id, run.id[-4:], run.job)]
        if hits:
            return hits[0]
        hint = did_you_mean(text, [run.id for run in runs]) if runs else "nothing has run here yet"
        raise NotFoundError(f"no run {text!r}", hint)

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        return [self._run(row) for row in self._rows("SELECT * FROM runs ORDER BY rowid DESC")]

    def unfinished(self) -> list[Run]:
        """Runs that have not ended, or whose machine is not proven gone; newest first."""
        return [run for run in self.runs() if run.status not in ENDED or self._has_machine(run.id)]

    def attempts(self, run: str) -> list[Attempt]:
        """The run's attempts, first to last."""
        rows = self._rows("SELECT * FROM attempts WHERE run = ? ORDER BY number", run)
        return [Attempt.from_row(row) for row in rows]

    def moments(self, run: str) -> list[Moment]:
        """The run's phases, first to last."""
        rows = self._rows("SELECT at, phase, detail FROM moments WHERE run = ? ORDER BY rowid", run)
        return [
            Moment(float(row["at"] or 0), str(row["phase"]), str(row["detail"])) for row in rows
        ]

    def set_aside(self) -> Path:
        """Move a damaged file out of the way, so that a new ledger can be begun."""
        aside = self.path.with_name(f"{self.path.name}.damaged-{int(time.time())}")
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        return aside

    def _fresh_id(self, job: str) -> str:
        while True:
            run = f"{job}-{secrets.token_hex(2)}"
            if not self._rows("SELECT id FROM runs WHERE id = ?", run):
                return run

    def _run(self, row: Fields) -> Run:
        try:
            return Run.from_row(row)
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(self.path, f"run {row['id']} cannot be read: {error!r}") from error

    def _has_machine(self, run: str) -> bool:
        return any(attempt.gone is None for attempt in self.attempts(run))

    def _insert(self, table: str, row: Row) -> None:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        self._write(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))

    def _update_attempt(self, attempt: Attempt, **fields: str | float) -> None:
        names = ", ".join(f"{name} = ?" for name in fields)
        self._write(
            f"UPDATE attempts SET {names} WHERE run = ? AND number = ?",
            (*fields.values(), attempt.run, attempt.number),
        )

    def _rows(self, sql: str, *values: str) -> list[Fields]:
        with self._open() as connection:
            return [dict(row) for row in connection.execute(sql, values)]

    def _write(self, sql: str, values: tuple[str | float | int, ...]) -> None:
        with self._open() as connection, connection:
            connection.execute(sql, values)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self.path, timeout=10)) as connection:
                connection.row_factory = sqlite3.Row
                _prepare(connection)
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise _explained(self.path, error) from error


def _prepare(connection: sqlite3.Connection) -> None:
    """Make the tables of a new file; refuse one that a newer Longshore wrote."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute("PRAGMA synchronous = FULL")
    if version == 0:
        connection.execute("PRAGMA journal_mode = WAL")
        _create(connection)
    elif version < VERSION:
        _migrate(connection)
    elif version > VERSION:
        raise LedgerError(
            f"the ledger has version {version}, this Longshore knows {VERSION}",
            "update Longshore, or name another folder by LONGSHORE_STATE",
        )


def _create(connection: sqlite3.Connection) -> None:
    """One exclusive transaction: of two first commands at once, the second finds it made."""
    connection.execute("BEGIN EXCLUSIVE")
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring an older file up to date, as exclusively as it was made."""
    connection.execute("BEGIN EXCLUSIVE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for step in range(version, VERSION):
        connection.execute(MIGRATIONS[step])
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _explained(path: Path, error: Exception) -> LedgerError:
    damaged = ("not a database", "malformed", "no such table", "no such column")
    if path.is_dir() or any(word in str(error) for word in damaged):
        return _damaged(path, str(error))
    return LedgerError(f"{path}: {error}", "LONGSHORE_STATE can name another folder")


def _damaged(path: Path, what: str) -> DamagedLedgerError:
    hint = "`longshore gc --repair` sets it aside and finds what still runs by its labels"
    return DamagedLedgerError(f"{path}: {what}", hint)
