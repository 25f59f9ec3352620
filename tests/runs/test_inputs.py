"""What travels in, and under which names the job finds it there."""

from dataclasses import replace
from pathlib import Path

import pytest

from longshore.configs.spec import JobSpec, Sync, Train
from longshore.errors import ConfigError
from longshore.runs.inputs import Upload, pack, secrets

COMMAND = JobSpec("demo", run="true")
TRAINING = JobSpec("demo", train=Train("lora", "model", "corpus/train.jsonl"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with data of each kind; its own path is as awkward as paths get."""
    project = tmp_path / "my project ü"
    for folder in ("corpus", "model", "other"):
        (project / folder).mkdir(parents=True)
    for file in ("corpus/train.jsonl", "other/train.jsonl", "table.csv"):
        (project / file).write_text("x\n")
    (project / "linked").symlink_to("corpus")
    return project


@pytest.mark.parametrize(
    ("data", "targets"),
    [
        ((), {}),
        (("table.csv",), {"data/table.csv": "table.csv"}),
        (("corpus", "table.csv"), {"data/corpus": "corpus", "data/table.csv": "table.csv"}),
        (("corpus/",), {"data/corpus": "corpus"}),
        (("./corpus/../table.csv",), {"data/table.csv": "table.csv"}),
        (("table.csv", "./table.csv"), {"data/table.csv": "table.csv"}),
        (("linked",), {"data/linked": "linked"}),
    ],
)
def test_data_lands_under_its_own_name(
    project: Path, data: tuple[str, ...], targets: dict[str, str]
) -> None:
    """Below data/, a link to a folder under the link's name; named twice, it travels once."""
    cargo = pack(replace(COMMAND, sync=Sync(data=data)), project)
    assert {one.target: one.source for one in cargo.uploads} == {
        target: project / source for target, source in targets.items()
    }


def test_a_training_finds_its_data_set_and_its_model(project: Path) -> None:
    """The job's paths become those inside; nothing else of it changes."""
    cargo = pack(TRAINING, project)
    assert cargo.uploads == (
        Upload(project / "corpus/train.jsonl", "data/train.jsonl"),
        Upload(project / "model", "data/model"),
    )
    train = replace(
        TRAINING.train or Train("lora", "", ""), dataset="data/train.jsonl", model="data/model"
    )
    assert cargo.spec == replace(TRAINING, train=train)


@pytest.mark.parametrize("model", ["org/name", "gpt2"])
def test_a_name_on_the_hub_does_not_travel(project: Path, model: str) -> None:
    """It stays as it is: the job fetches it itself."""
    spec = replace(TRAINING, train=Train("lora", model, "table.csv"))
    cargo = pack(spec, project)
    assert cargo.spec.train is not None
    assert cargo.spec.train.model == model
    assert [one.target for one in cargo.uploads] == ["data/table.csv"]


def test_a_path_may_begin_at_home(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is the user's home, and not a folder of the project."""
    monkeypatch.setenv("HOME", str(project / "other"))
    cargo = pack(replace(COMMAND, sync=Sync(data=("~/train.jsonl",))), project)
    assert cargo.uploads == (Upload(project / "other/train.jsonl", "data/train.jsonl"),)


@pytest.mark.parametrize(
    "spec",
    [
        replace(COMMAND, sync=Sync(data=("corpus/train.jsonl", "other/train.jsonl"))),
        replace(TRAINING, sync=Sync(data=("other/train.jsonl",))),
    ],
)
def test_two_files_of_one_name_are_refused(project: Path, spec: JobSpec) -> None:
    """Neither would silently take the other's place."""
    with pytest.raises(ConfigError, match=r"both become data/train\.jsonl"):
        pack(spec, project)


@pytest.mark.parametrize("path", ["missing", "corpus/missing.jsonl", "/missing"])
def test_a_missing_file_is_named_as_it_was_written(project: Path, path: str) -> None:
    """With the folder that paths are relative to."""
    with pytest.raises(ConfigError, match=f"{path} does not exist") as caught:
        pack(replace(COMMAND, sync=Sync(data=(path,))), project)
    assert str(project) in caught.value.hint


def test_secrets_are_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that the job names, with their values; one may be set to nothing."""
    monkeypatch.setenv("ONE", "1")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("OTHER", "x")
    assert secrets(replace(COMMAND, secrets=("ONE", "EMPTY"))) == {"ONE": "1", "EMPTY": ""}


def test_a_missing_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, with what to do; no value of another is told."""
    monkeypatch.setenv("ONE", "the-value")
    monkeypatch.delenv("TWO", raising=False)
    with pytest.raises(ConfigError, match="the secret TWO is not set") as caught:
        secrets(replace(COMMAND, secrets=("ONE", "TWO")))
    assert "the-value" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("data/train.jsonl:3: not UTF-8", "corpus/train.jsonl:3: not UTF-8"),
        ("data/model holds no weights", "model holds no weights"),
        ("no inputs are named", "no inputs are named"),
    ],
)
def test_a_fault_of_an_input_names_it_as_the_user_does(
    project: Path, said: str, shown: str
) -> None:
    """Where a file lies inside the container says nothing to who must mend it."""
    assert pack(TRAINING, project).in_users_words(said, project) == shown
