"""A bare run's folder: all that the entrypoint needs, linked and not copied."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from longshore.configs import jobfile
from longshore.configs.container import JOB, SECRETS
from longshore.configs.spec import JobSpec, Sync, Train
from longshore.errors import ConfigError, SyncError
from longshore.runs.bare import prepare

SPEC = JobSpec("demo", "fake", Train("lora", "model", "train.jsonl"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "model").mkdir(parents=True)
    (project / "model" / "config.json").write_text("{}")
    (project / "train.jsonl").write_text("x\n")
    return project


def test_data_model_and_code_are_linked(project: Path) -> None:
    """Nothing is copied, however large it is."""
    root = prepare(SPEC, project, None)
    assert (root / "code").resolve() == project.resolve()
    assert (root / "data" / "train.jsonl").read_text() == "x\n"
    assert (root / "data" / "model" / "config.json").is_file()
    assert (root / "data" / "train.jsonl").is_symlink()


def test_the_job_is_written_as_the_entrypoint_reads_it(project: Path) -> None:
    """Its paths are those inside, and it runs here, whatever provider it was made for."""
    job = jobfile.parse((prepare(SPEC, project, None) / JOB).read_text())
    assert job.provider == "local"
    assert job.train is not None
    assert (job.train.model, job.train.dataset) == ("data/model", "data/train.jsonl")


def test_each_call_has_a_folder_of_its_own(project: Path) -> None:
    """Where the outputs go, so that no run writes over another."""
    first, second = prepare(SPEC, project, None), prepare(SPEC, project, None)
    assert first != second
    assert first.parent == second.parent == project / "outputs"


def test_outputs_may_go_home(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` in sync.outputs is the user's home, as for a deploy."""
    monkeypatch.setenv("HOME", str(project / "home"))
    root = prepare(replace(SPEC, sync=Sync(outputs="~/results")), project, None)
    assert root.parent == project / "home" / "results"


def test_a_folder_of_the_users_own_is_used_again(project: Path, tmp_path: Path) -> None:
    """What an earlier call left there stays; its links follow the job as it is now."""
    folder = tmp_path / "again"
    prepare(SPEC, project, folder)
    (folder / "checkpoints").mkdir()
    (project / "better").mkdir()
    train = Train("lora", "better", "train.jsonl")
    assert prepare(replace(SPEC, train=train), project, folder) == folder
    assert (folder / "checkpoints").is_dir()
    assert (folder / "data" / "model").resolve() == (project / "better").resolve()


def test_secrets_are_for_the_user_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file that nobody else can read, and not in the job."""
    monkeypatch.setenv("TOKEN", "the-value")
    root = prepare(replace(SPEC, secrets=("TOKEN",)), project, None)
    assert json.loads((root / SECRETS).read_text()) == {"TOKEN": "the-value"}
    assert stat.S_IMODE((root / SECRETS).stat().st_mode) == 0o600
    assert "the-value" not in (root / JOB).read_text()


def test_a_job_without_secrets_has_no_such_file(project: Path) -> None:
    """Nothing to read, nothing to delete."""
    assert not (prepare(SPEC, project, None) / SECRETS).exists()


def test_a_missing_secret_is_found_before_anything_is_made(project: Path) -> None:
    """No half-made folder is left behind."""
    with pytest.raises(ConfigError, match="SECRET_OF_NOBODY"):
        prepare(replace(SPEC, secrets=("SECRET_OF_NOBODY",)), project, None)
    assert not (project / "outputs").exists()


def test_a_folder_that_cannot_be_written_is_said(project: Path) -> None:
    """One line with the path at fault."""
    (project / "outputs").write_text("a file in the way")
    with pytest.raises(SyncError, match="cannot be written"):
        prepare(SPEC, project, None)
