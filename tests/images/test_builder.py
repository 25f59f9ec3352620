"""The ladder of builders chooses by what a docker can do, and each rung's command is exact."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from longshore.configs import folders
from longshore.images.builder import as_line, command, dry_run, find_builder
from longshore.images.probe import Builder, Rung
from longshore.images.spec import ImageSpec, Secrets
from longshore.images.tag import Plan

OLD = "Docker version 20.10.24+dfsg1, build 297e128"
NEW = "Docker version 28.2.2, build e6534b4"


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan without files: the command depends on nothing else."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///var/run/docker.sock")
    spec = ImageSpec("demo", "cpu", Path("/project"))
    return Plan(spec, "longshore/demo:0123", Path("/cache/demo"), (("VERSION", "1"),), (), ())


def make_docker(folder: Path, version: str, buildx: bool) -> str:
    """A docker CLI that knows its version, and buildx or not."""
    folder.mkdir()
    program = folder / "docker"
    answer = "echo github.com/docker/buildx v0.13.1" if buildx else "exit 1"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in\nbuildx) {answer};;\n--version) echo "{version}";;\nesac\n'
    )
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("dockers", "kind", "chosen"),
    [
        ([(NEW, True)], "buildx", "0"),
        ([(OLD, False)], "cli", "0"),
        ([(NEW, False)], "engine", None),
        ([(NEW, False), (OLD, False)], "cli", "1"),
        ([(OLD, False), (NEW, True)], "buildx", "1"),
        ([(NEW, False), (NEW, True)], "buildx", "1"),
        ([], "engine", None),
        ([("no version at all", False)], "engine", None),
    ],
)
def test_the_builder_is_chosen_by_capability_not_by_place(
    dockers: list[tuple[str, bool]], kind: Rung, chosen: str | None, tmp_path: Path
) -> None:
    """A newer CLI without buildx that stands first on PATH does not hide one that can build."""
    for index, (version, buildx) in enumerate(dockers):
        make_docker(tmp_path / str(index), version, buildx)
    path = ":".join(str(tmp_path / str(index)) for index in range(len(dockers)))
    found = find_builder(path or str(tmp_path / "empty"))
    docker = str(tmp_path / chosen / "docker") if chosen else ""
    assert found == Builder(kind, docker)


def test_a_docker_that_has_changed_is_asked_again(tmp_path: Path) -> None:
    """What was remembered of it holds only for the same file."""
    docker = make_docker(tmp_path / "one", OLD, False)
    assert find_builder(str(Path(docker).parent)) == Builder("cli", docker)
    os.replace(make_docker(tmp_path / "two", NEW, True), docker)
    assert find_builder(str(Path(docker).parent)) == Builder("buildx", docker)


def test_a_memory_that_is_damaged_is_made_anew(tmp_path: Path) -> None:
    """It is only a memory: the CLI is asked again."""
    docker = make_docker(tmp_path / "one", OLD, False)
    find_builder(str(Path(docker).parent))
    (folders.cache() / "docker-clis.json").write_text("{")
    assert find_builder(str(Path(docker).parent)) == Builder("cli", docker)


def test_a_docker_that_cannot_be_run_is_passed_over(tmp_path: Path) -> None:
    """A broken program on PATH is not the end of the search."""
    broken = Path(make_docker(tmp_path / "broken", OLD, False))
    broken.write_bytes(b"\x7fELFnonsense")
    whole = make_docker(tmp_path / "whole", OLD, False)
    assert find_builder(f"{broken.parent}:{Path(whole).parent}") == Builder("cli", whole)


def test_the_command_with_buildx(decided: Plan) -> None:
    """Loaded into the engine, and without the attestation that breaks older pullers."""
    assert command(decided, Builder("buildx", "/bin/docker")) == [
        *("/bin/docker", "buildx", "build", "--load", "--provenance=false"),
        *("--progress", "plain", "--tag", "longshore/demo:0123", "--build-arg", "VERSION=1"),
        "/cache/demo",
    ]


def test_the_command_with_a_cli_of_its_own_buildkit(decided: Plan) -> None:
    """BuildKit is asked for by its variable, as part of the command."""
    assert command(decided, Builder("cli", "/usr/bin/docker")) == [
        *("env", "DOCKER_BUILDKIT=1", "/usr/bin/docker", "build", "--progress", "plain"),
        *("--tag", "longshore/demo:0123", "--build-arg", "VERSION=1", "/cache/demo"),
    ]


def test_the_command_for_the_engines_api(decided: Plan) -> None:
    """Without a CLI the dry run shows the same request in tar's and curl's words."""
    line = as_line(decided, Builder("engine"))
    assert line == (
        "tar --format=gnu -C /cache/demo -c . | "
        "curl --unix-socket /var/run/docker.sock --request POST --data-binary @- "
        "'http://localhost/build?version=2&t=longshore%2Fdemo%3A0123&dockerfile=Dockerfile.api"
        "&buildargs=%7B%22VERSION%22%3A+%221%22%7D'"
    )


def test_secrets_are_named_by_path_and_offline_has_no_network(decided: Plan) -> None:
    """A command line shows where a secret lies, never what it says."""
    secrets = Secrets(ca=Path("/ca.pem"), netrc=Path("/my netrc"))
    spec = replace(decided.spec, secrets=secrets, pip_settings="hunter2", offline=True)
    line = as_line(replace(decided, spec=spec), Builder("cli", "docker"))
    assert "--secret id=pip_conf,src=/cache/demo.pip.conf" in line
    assert "--secret id=ca,src=/ca.pem --secret 'id=netrc,src=/my netrc'" in line
    assert line.endswith("--network none /cache/demo")
    assert "hunter2" not in line


@pytest.mark.parametrize("kind", ["buildx", "cli", "engine"])
def test_a_proxys_password_stays_off_the_command_line(
    kind: Rung, decided: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy is passed by its variable's name; docker takes the value from the environment."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@proxy:3128")
    line = as_line(decided, Builder(kind, "docker"))
    assert "hunter2" not in line
    assert ("--build-arg HTTPS_PROXY " in line) == (kind != "engine")


def test_another_engine_is_part_of_the_command(
    decided: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image must land on the engine that later runs it."""
    monkeypatch.setenv("DOCKER_HOST", "ssh://me@server")
    words = command(decided, Builder("buildx", "docker"))
    assert words[:3] == ["env", "DOCKER_HOST=ssh://me@server", "docker"]


def test_a_dry_run_stages_nothing(spec: ImageSpec, tmp_path: Path) -> None:
    """It prints the command of the build to come and leaves no context behind."""
    line = dry_run(spec)
    folder = Path(line.split()[-1])
    assert not folder.exists()
    assert dry_run(replace(spec, existing="me/image:1")) == "docker pull me/image:1"
