"""What comes home is compared with the manifest, byte by byte."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from longshore.configs.container import COMMITTED, MANIFEST
from longshore.configs.spec import JobSpec, Sync
from longshore.errors import SyncError
from longshore.providers.base import Host
from longshore.providers.work import WorkHost
from longshore.runs import collect
from longshore.runs.records import Run, Status

from .conftest import NoJob

NAME = Path(MANIFEST).name


def facts(content: bytes) -> dict[str, str | int]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def outputs(folder: Path) -> Path:
    """Two files and the manifest that lists them."""
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"aaa")
    (folder / "sub" / "b.txt").write_bytes(b"bbb")
    files = {"a.txt": facts(b"aaa"), "sub/b.txt": facts(b"bbb")}
    (folder / NAME).write_text(json.dumps({"files": files}))
    return folder


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (lambda folder: None, []),
        (lambda folder: (folder / "a.txt").unlink(), ["a.txt"]),
        (lambda folder: (folder / "a.txt").write_bytes(b"aa"), ["a.txt"]),
        (lambda folder: (folder / "sub/b.txt").write_bytes(b"bbc"), ["sub/b.txt"]),
        (lambda folder: (folder / "more.txt").write_bytes(b"more"), []),
        (lambda folder: (folder / NAME).unlink(), []),
        (lambda folder: (folder / NAME).write_text("{"), [NAME]),
        (lambda folder: (folder / NAME).write_bytes(b"\xff\xfe"), [NAME]),
        (lambda folder: (folder / NAME).write_text("[]"), [NAME]),
        (lambda folder: (folder / NAME).write_text("{}"), [NAME]),
        (lambda folder: (folder / NAME).write_text('{"files": ["a.txt"]}'), [NAME]),
        (lambda folder: (folder / NAME).write_text('{"files": {"a.txt": 3}}'), [NAME]),
        (lambda folder: (folder / NAME).write_text('{"files": {"a.txt": {}}}'), [NAME]),
    ],
)
def test_the_manifest_is_held_against_the_files(
    tmp_path: Path, change: Callable[[Path], None], faults: list[str]
) -> None:
    """Missing, short and altered files are named; a file that nobody listed is welcome."""
    folder = outputs(tmp_path / "outputs")
    change(folder)
    assert collect.check(folder) == faults


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "project").mkdir()
    spec = JobSpec("demo", run="true")
    return Run("demo-1a2b", spec, tmp_path / "project", Status.COLLECTING, 0.0)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    outputs(tmp_path / "machine" / "outputs")
    mark = tmp_path / "machine" / "checkpoints" / "step-000001" / COMMITTED
    mark.parent.mkdir(parents=True)
    mark.write_text('{"step": 1, "files": {}}')
    return WorkHost(tmp_path / "machine", NoJob())


def test_outputs_are_counted_and_verified(host: Host, run: Run) -> None:
    """What is home, how much it is, and that it is what the job wrote."""
    home = collect.bring_home(host, run, is_done=True)
    assert (home.folder, home.files, home.verified) == (collect.home(run), 3, True)
    assert home.size == 6 + (home.folder / NAME).stat().st_size


def test_checkpoints_of_a_job_that_is_not_done_come_home(host: Host, run: Run) -> None:
    """They are what a resume goes on from; those of a finished job are in its way."""
    collect.bring_home(host, run, is_done=True)
    assert not collect.has_checkpoint(run.id)
    collect.bring_home(host, run, is_done=False)
    assert collect.has_checkpoint(run.id)


def test_what_does_not_arrive_whole_is_an_error(host: Host, run: Run, tmp_path: Path) -> None:
    """Tried twice, then named; the link to the newest outputs is not moved."""
    (tmp_path / "machine" / "outputs" / "a.txt").write_bytes(b"aab")
    with pytest.raises(SyncError, match=r"a\.txt did not arrive whole"):
        collect.bring_home(host, run, is_done=True)
    assert not (collect.home(run).parent / "demo").exists()


def test_the_link_leads_to_the_newest_run(host: Host, run: Run) -> None:
    """It is replaced, and relative, so that the folder may be moved."""
    for id_ in ("demo-1a2b", "demo-3c4d"):
        collect.bring_home(host, replace(run, id=id_), is_done=True)
    assert (run.project / "outputs" / "demo").readlink() == Path("demo-3c4d")


def test_a_real_file_in_the_links_place_is_left_alone(host: Host, run: Run) -> None:
    """It is the user's, who comes before our convenience."""
    mine = run.project / "outputs" / "demo"
    mine.mkdir(parents=True)
    (mine / "notes.txt").write_text("mine")
    collect.bring_home(host, run, is_done=True)
    assert (mine / "notes.txt").read_text() == "mine"


def test_a_folder_that_takes_no_link_does_not_fail_the_run(host: Host, run: Run) -> None:
    """The outputs are home: a missing convenience is no reason to keep a machine."""
    (run.project / "outputs" / ".demo-1a2b.link" / "x").mkdir(parents=True)
    assert collect.bring_home(host, run, is_done=True).verified


@pytest.mark.parametrize("text", ["outputs", "deep/er", "~/results"])
def test_outputs_go_where_the_job_says(
    run: Run, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Relative to the project, or to the user's home."""
    monkeypatch.setenv("HOME", str(run.project / "home"))
    run = replace(run, spec=replace(run.spec, sync=Sync(outputs=text)))
    collect.prepare(run)
    top = run.project / "home" / "results" if text.startswith("~") else run.project / text
    assert (top / run.id).is_dir()
    assert list((top / run.id).iterdir()) == []


def test_a_machine_that_no_run_knows_is_emptied_into_the_state_folder(host: Host) -> None:
    """Outputs and checkpoints, by the name of the run that it says it is of."""
    folder = collect.rescue(host, "demo-gone")
    assert (folder / "outputs" / "a.txt").read_bytes() == b"aaa"
    assert collect.has_checkpoint("demo-gone")
