"""The ledger is written before anything is started, and read by whoever comes after."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from longshore.configs.spec import Guards, JobSpec, Train
from longshore.errors import LedgerError, NotFoundError
from longshore.providers.base import Offer, State
from longshore.runs.ledger import VERSION, DamagedLedgerError, Ledger
from longshore.runs.records import Run, Status

from .conftest import Bench

SPEC = JobSpec("demo", run="true", guards=Guards(max_cost=Decimal("1.10")))
OFFER = Offer(
    "fake", "r", "fake.cpu", None, 0, "on-demand", Decimal("0.12"), "bundled", date(2026, 1, 2)
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "folder" / "ledger.db")


def opened(ledger: Ledger, name: str = "demo") -> Run:
    return ledger.open_run(replace(SPEC, name=name), Path("/p"))


def test_a_run_is_kept_as_it_was_opened(ledger: Ledger) -> None:
    """The job with all its values, where it is from, and that it has not ended."""
    spec = replace(SPEC, run=None, train=Train("lora", "org/model", "data.jsonl"))
    run = ledger.open_run(spec, Path("/a b/ç"), "demo-0000")
    assert Ledger(ledger.path).run(run.id) == run
    assert (run.spec, run.project, run.resumed_from) == (spec, Path("/a b/ç"), "demo-0000")
    assert (run.status, run.is_over, run.code) == (Status.STARTING, False, None)


def test_attempts_are_numbered_and_keep_their_price(ledger: Ledger) -> None:
    """Each is written before its machine has an id; the price is exact."""
    run = opened(ledger)
    first, second = ledger.intend(run.id, OFFER), ledger.intend(run.id, OFFER)
    assert [first.number, second.number] == [1, 2]
    assert (first.usd_per_hour, first.machine, first.state) == (
        Decimal("0.12"),
        "",
        State.REQUESTED,
    )


def test_a_machine_is_adopted_by_its_attempt(ledger: Ledger) -> None:
    """The provider's id is kept with the attempt that asked, and with no other."""
    run = opened(ledger)
    first, _ = ledger.intend(run.id, OFFER), ledger.intend(run.id, OFFER)
    ledger.adopt(first, "m-1")
    assert [attempt.machine for attempt in ledger.attempts(run.id)] == ["m-1", ""]


@pytest.mark.parametrize("state", list(State))
def test_only_an_end_of_the_machine_closes_its_attempt(ledger: Ledger, state: State) -> None:
    """GONE and REFUSED have a time of their own; STUCK still costs money, so it has none."""
    attempt = ledger.intend(opened(ledger).id, OFFER)
    ledger.move(attempt, state)
    (kept,) = ledger.attempts(attempt.run)
    assert kept.state is state
    assert (kept.gone is not None) == (state in (State.GONE, State.REFUSED))


def test_a_closed_run_says_how_it_ended(ledger: Ledger) -> None:
    """Status, exit code, the reason, and when."""
    run = opened(ledger)
    ledger.close_run(run.id, Status.INTERRUPTED, 75, "preempted")
    kept = ledger.run(run.id)
    assert (kept.status, kept.code, kept.reason) == (Status.INTERRUPTED, 75, "preempted")
    assert kept.is_over
    assert kept.ended is not None


def test_a_run_is_unfinished_until_its_machine_is_gone(ledger: Ledger) -> None:
    """One that has ended with a machine that is not proven gone still needs somebody."""
    run = opened(ledger)
    attempt = ledger.intend(run.id, OFFER)
    ledger.close_run(run.id, Status.DONE, 0, "done")
    assert [one.id for one in ledger.unfinished()] == [run.id]
    ledger.move(attempt, State.GONE)
    assert ledger.unfinished() == []


def test_moments_stay_in_order(ledger: Ledger) -> None:
    """The phases of a run as they came."""
    run = opened(ledger)
    for phase in ("provision", "sync", "train"):
        ledger.note(run.id, phase, f"about {phase}")
    assert [(one.phase, one.detail) for one in ledger.moments(run.id)] == [
        ("provision", "about provision"),
        ("sync", "about sync"),
        ("train", "about train"),
    ]


def test_a_run_is_found_by_what_a_user_would_type(ledger: Ledger) -> None:
    """`last`, the id, its last four signs; a job's name means its newest run."""
    old, new, other = opened(ledger), opened(ledger), opened(ledger, "other")
    assert ledger.find("last").id == other.id
    assert ledger.find(old.id).id == old.id
    assert ledger.find(old.id[-4:]).id == old.id
    assert ledger.find("demo").id == new.id


def test_a_run_that_is_not_there_has_a_neighbour(ledger: Ledger) -> None:
    """A slip of the pen gets the id that was meant; an empty ledger says that it is empty."""
    with pytest.raises(NotFoundError, match="no run 'last'") as caught:
        ledger.find("last")
    assert caught.value.hint == "nothing has run here yet"
    run = opened(ledger)
    with pytest.raises(NotFoundError) as caught:
        ledger.find(f"{run.id}x")
    assert caught.value.hint == f"did you mean {run.id!r}?"


def test_ids_never_meet(ledger: Ledger) -> None:
    """Where most ids are taken, a run still gets one of its own."""
    opened(ledger)
    with sqlite3.connect(ledger.path) as connection:
        connection.executemany(
            "INSERT OR IGNORE INTO runs (id, spec, project, status, created)"
            " SELECT ?, spec, project, status, created FROM runs LIMIT 1",
            [(f"demo-{number:04x}",) for number in range(60_000)],
        )
    connection.close()
    assert len({opened(ledger).id for _ in range(10)}) == 10


def test_a_name_of_forty_signs_is_kept(ledger: Ledger) -> None:
    """The longest that a job may have."""
    name = "a" * 40
    assert ledger.find(opened(ledger, name).id).job == name


def _garbage(path: Path) -> None:
    path.write_bytes(os.urandom(8192))


def _truncated(path: Path) -> None:
    ledger = Ledger(path)
    for _ in range(30):
        opened(ledger)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    os.truncate(path, path.stat().st_size // 2)


def _folder(path: Path) -> None:
    path.mkdir()


def _another_schema(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE other (x)")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.close()


def _strange_row(path: Path) -> None:
    run = opened(Ledger(path))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE runs SET spec = '{}' WHERE id = ?", (run.id,))
    connection.close()


DAMAGES = [_garbage, _truncated, _folder, _another_schema, _strange_row]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_ledger_is_one_line_and_a_way_out(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    """Whatever happened to the file: its path, and the command that sets it aside."""
    path = tmp_path / "ledger.db"
    damage(path)
    with pytest.raises(DamagedLedgerError, match=r"ledger\.db: ") as caught:
        Ledger(path).runs()
    assert "gc --repair" in caught.value.hint


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_ledger_can_be_set_aside(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """It is kept under another name, with all its parts, and a new one begins."""
    path = tmp_path / "ledger.db"
    damage(path)
    aside = Ledger(path).set_aside()
    assert aside.exists()
    assert Ledger(path).runs() == []
    opened(Ledger(path))


def test_a_newer_ledger_is_not_damaged(ledger: Ledger) -> None:
    """It is refused with what to do, and never set aside."""
    opened(ledger)
    with sqlite3.connect(ledger.path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(LedgerError, match="version") as caught:
        ledger.runs()
    assert "update" in caught.value.hint
    assert not isinstance(caught.value, DamagedLedgerError)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """With the way to another folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError) as caught:
        Ledger(tmp_path / "file" / "ledger.db").runs()
    assert "LONGSHORE_STATE" in caught.value.hint


OPEN = """
import sys
from pathlib import Path
from longshore.configs.spec import JobSpec
from longshore.runs.ledger import Ledger
for _ in range(int(sys.argv[1])):
    print(Ledger().open_run(JobSpec("demo", run="true"), Path("/p")).id, flush=True)
"""


def test_first_commands_at_once_share_one_new_ledger() -> None:
    """None fails, and no run is lost."""
    command = [sys.executable, "-c", OPEN, "5"]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    ids = {line for child in children for line in child.communicate()[0].split()}
    assert {run.id for run in Ledger().runs()} == ids
    assert len(ids) == 15


def test_what_was_written_survives_kill_9() -> None:
    """Every id that was told before the kill is there after it."""
    command = [sys.executable, "-c", OPEN, "100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = [child.stdout.readline().strip() for _ in range(20)]
        child.send_signal(signal.SIGKILL)
    assert set(told) <= {run.id for run in Ledger().runs()}
    opened(Ledger())


def test_an_older_file_is_brought_up_to_date(bench: Bench) -> None:
    """What it holds stays, and what it did not know yet is empty."""
    run = bench.ledger.open_run(bench.launch().spec, bench.project)
    bench.ledger.intend(run.id, bench.launch().offer)
    with closing(sqlite3.connect(bench.ledger.path)) as older, older:
        older.execute("ALTER TABLE attempts DROP COLUMN billed")
        older.execute("PRAGMA user_version = 1")
    (attempt,) = bench.ledger.attempts(run.id)
    assert attempt.billed is None
    bench.ledger.bill(attempt, Decimal("0.25"))
    assert bench.ledger.attempts(run.id)[0].billed == Decimal("0.25")
    assert bench.ledger.run(run.id).spec == run.spec
