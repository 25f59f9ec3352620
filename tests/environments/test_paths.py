"""The files that a job names must be there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from longshore.environments.paths import check_paths, in_project, is_hub_name
from longshore.environments.resolve import resolve
from longshore.errors import ConfigError

Write = Callable[[str, str], Path]

NEAR = "paths are relative to the folder of the job's file"
DATA = f"write a file or folder that is there; {NEAR}"
MODEL = "write a folder that is there, or a hub name such as owner/model"


def train(model: str = "owner/model", dataset: str = "d.txt") -> str:
    return f"name: job\ntrain:\n  recipe: full\n  model: {model}\n  dataset: {dataset}\n"


@pytest.mark.parametrize(
    ("text", "key", "place", "path", "hint"),
    [
        (train(dataset="no.jsonl"), "train.dataset", "5:12", "no.jsonl", DATA),
        (train(model="./no"), "train.model", "4:10", "./no", MODEL),
        (train(model="a/b/c"), "train.model", "4:10", "a/b/c", MODEL),
        (train() + "sync: {data: [d.txt, no]}", "sync.data", "6:14", "no", NEAR),
        (train() + "image: {requirements: r.txt}", "image.requirements", "6:23", "r.txt", NEAR),
        (train() + "image: {ca: /no/ca.pem}", "image.ca", "6:13", "/no/ca.pem", NEAR),
        (train() + "image: {wheelhouse: w}", "image.wheelhouse", "6:21", "w", NEAR),
    ],
)
def test_a_path_that_is_not_there_is_a_fault(
    write: Write, project: Path, text: str, key: str, place: str, path: str, hint: str
) -> None:
    """The message has the place where the path was written, and the folder it is relative to."""
    write("d.txt", "x")
    write("longshore.yaml", text)
    with pytest.raises(ConfigError) as caught:
        check_paths(resolve())
    assert str(caught.value) == f"longshore.yaml:{place}: {key}: no {path!r} in {project}"
    assert caught.value.hint == hint


@pytest.mark.parametrize("outputs", [".", "..", "../project", "/"])
def test_outputs_never_land_over_the_project(write: Write, outputs: str) -> None:
    """What comes home would replace the user's own files."""
    write("longshore.yaml", f"name: job\nrun: make\nsync: {{outputs: {outputs}}}\n")
    with pytest.raises(ConfigError) as caught:
        check_paths(resolve())
    assert str(caught.value) == f"longshore.yaml:3:17: sync.outputs: {outputs!r} holds the project"
    assert caught.value.hint == "write outputs: outputs"


def test_a_job_whose_files_are_there_passes(write: Write) -> None:
    """Files and folders both count, and a model may be on the hub."""
    write("d.txt", "x")
    write("m/config.json", "{}")
    write("longshore.yaml", train(model="m") + "sync: {data: [m, d.txt]}\n")
    check_paths(resolve())
    write("longshore.yaml", train(model="gpt2"))
    check_paths(resolve())


def test_every_missing_path_is_told_at_once(write: Write) -> None:
    """One line each."""
    write("longshore.yaml", train(model="./no") + "sync: {data: [a, b]}\n")
    with pytest.raises(ConfigError) as caught:
        check_paths(resolve())
    assert len(str(caught.value).splitlines()) == 4


@pytest.mark.parametrize(
    ("model", "on_hub"),
    [
        ("gpt2", True),
        ("owner/model", True),
        ("models/here", False),
        ("./gpt2", False),
        ("/gpt2", False),
        ("~/gpt2", False),
        ("gpt2/", False),
        ("a/b/c", False),
    ],
)
def test_a_hub_name_is_told_from_a_folder(
    write: Write, project: Path, model: str, on_hub: bool
) -> None:
    """At most one slash, no mark of a path, and no folder of that name in the project."""
    write("models/here/config.json", "{}")
    assert is_hub_name(project, model) is on_hub


def test_home_is_the_users(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` is not a folder of the project."""
    monkeypatch.setenv("HOME", "/home/me")
    assert in_project(project, "~/.netrc") == Path("/home/me/.netrc")
    assert in_project(project, "data") == project / "data"
