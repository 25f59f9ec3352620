"""Real builds on a real engine: what is in the image, what is not, and what a change costs."""

import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

import pytest

from longshore.errors import BuildError
from longshore.images.build import ensure
from longshore.images.builder import find_builder
from longshore.images.context import Item
from longshore.images.engine import connect
from longshore.images.probe import Builder
from longshore.images.progress import Progress
from longshore.images.run import run
from longshore.images.stage import stage
from longshore.images.tag import plan

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.images import Image

    from .conftest import RealImage

pytestmark = [pytest.mark.docker, pytest.mark.slow]

PASSWORD = b"not-to-be-found-8461"


@pytest.fixture
def client(engine: None) -> Iterator["DockerClient"]:
    client = connect()
    yield client
    client.close()


def says(client: "DockerClient", image: str, *words: str, user: str | None = None) -> str:
    """What a command in a fresh container of the image prints."""
    output: bytes = client.containers.run(
        image, list(words[1:]), entrypoint=words[0], user=user, remove=True, network_mode="none"
    )
    return output.decode().strip()


def layers(client: "DockerClient", image: str) -> list[str]:
    attributes = client.images.get(image).attrs
    return list(attributes["RootFS"]["Layers"])


def test_the_image_trains_as_nobody_in_particular(
    real_image: "RealImage", client: "DockerClient"
) -> None:
    """Not root by default; any uid may write where a job writes, and has a name and a home."""
    tag = real_image.built.tag
    script = (
        "for d in code data outputs checkpoints cache control home; do touch $d/x || exit 1; done;"
        'touch job.json "$HOME/y" && python -c "import getpass; print(getpass.getuser())"; id -u'
    )
    assert says(client, tag, "id", "-un") == "longshore"
    assert says(client, tag, "sh", "-c", script, user="54321:54321") == "longshore\n54321"


def test_the_entrypoint_and_torch_are_there(
    real_image: "RealImage", client: "DockerClient"
) -> None:
    """The slimmed torch computes, and the package inside has only what runs inside."""
    script = (
        "import torch, importlib.util as u; a = torch.eye(4).double();"
        "print(int(torch.linalg.inv(a).sum()), u.find_spec('longshore.training') is not None,"
        "u.find_spec('longshore.providers'))"
    )
    assert says(client, real_image.built.tag, "python", "-c", script) == "4 True None"
    config = client.images.get(real_image.built.tag).attrs["Config"]
    assert config["Entrypoint"] == ["python", "-m", "longshore.training"]
    assert config["Labels"]["longshore.image"] == "cpu"
    assert "LONGSHORE_ROOT=/longshore" in config["Env"]
    assert "events.jsonl" in str(config["Healthcheck"])


def test_ssh_is_there_but_off(real_image: "RealImage", client: "DockerClient") -> None:
    """Nothing starts it, and no host key is shared by all containers of the image."""
    script = "test -x /usr/sbin/sshd && command -v rsync >/dev/null; echo $?; ls /etc/ssh"
    found = says(client, real_image.built.tag, "sh", "-c", script).split()
    assert found[0] == "0"
    assert not [name for name in found if name.startswith("ssh_host_")]
    container = client.containers.run(
        real_image.built.tag, ["-c", "sleep 60"], entrypoint="sh", detach=True, init=True
    )
    try:
        assert "sshd" not in str(container.top())
    finally:
        container.remove(force=True)


def test_no_secret_is_in_the_image(real_image: "RealImage", client: "DockerClient") -> None:
    """Neither the password nor the CA bundle is in any layer, name or history of the image."""
    image = client.images.get(real_image.built.tag)
    secrets = real_image.spec.secrets
    assert PASSWORD not in json.dumps([image.attrs, image.history()]).encode()
    needles = [PASSWORD]
    if secrets.ca:
        needles.append(secrets.ca.read_bytes()[-200:])
    hits = [name for name, content in small_files(saved(image)) for n in needles if n in content]
    # A base image has public roots of its own, perhaps the same bundle; those are no secret.
    own = {name for name in hits if name.startswith(("etc/ssl/", "usr/share/ca-certificates/"))}
    assert set(hits) <= own


def saved(image: "Image") -> Iterator[bytes]:
    """The layers of an image as tar files, the way `docker save` writes them."""
    with TemporaryFile() as stream:
        stream.writelines(image.save())
        stream.seek(0)
        with tarfile.open(fileobj=stream) as whole:
            for member in whole:
                if member.name.endswith("layer.tar") or member.name.startswith("blobs/"):
                    file = whole.extractfile(member)
                    yield file.read() if file else b""


def small_files(layers: Iterator[bytes]) -> Iterator[tuple[str, bytes]]:
    """Every file of the layers that a secret could hide in, with its content."""
    for layer in layers:
        try:
            with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
                for member in tar:
                    file = tar.extractfile(member) if member.isfile() else None
                    if file and member.size < 1_000_000:
                        yield member.name, file.read()
        except tarfile.ReadError:
            yield "description", layer


def test_nothing_is_built_when_nothing_changed(real_image: "RealImage") -> None:
    """The same inputs are the same image; not even the builder is asked."""
    said: list[str] = []
    again = ensure(real_image.spec, said.append)
    assert (again.built, again.tag, again.image_id) == (
        False,
        real_image.built.tag,
        real_image.built.image_id,
    )
    assert said == []


def test_a_code_change_adds_only_the_code_layer(
    real_image: "RealImage", client: "DockerClient", tmp_path: Path
) -> None:
    """All layers but the last are the old image's own."""
    project = tmp_path / "project"
    shutil.copytree(real_image.spec.project, project)
    (project / "train.py").write_text("print('second')\n")
    built = ensure(replace(real_image.spec, project=project))
    assert built.built
    before, after = layers(client, real_image.built.tag), layers(client, built.tag)
    assert before[:-1] == after[:-1]
    assert before[-1] != after[-1]
    assert says(client, built.tag, "python", "code/train.py") == "second"


SMALL = b"""\
FROM python:3.11-slim AS apt
RUN --mount=type=bind,source=.longshore/secrets,target=/run/ls/secrets \\
    test "$(cat /run/ls/secrets/netrc | wc -w)" = 6 && echo seen
FROM apt AS final
COPY code /longshore/code
"""


def test_the_engines_api_builds_too(
    real_image: "RealImage", client: "DockerClient", tmp_path: Path
) -> None:
    """Without a CLI that builds: BuildKit through the API, secrets as files of the tar only."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "train.py").write_text("print('by the api')\n")
    whole = plan(replace(real_image.spec, project=project, wheelhouse=None))
    decided = replace(
        whole,
        items=(Item("Dockerfile.api", SMALL), Item("code/train.py", project / "train.py")),
        digests=("small", "code"),
    )
    stage(decided)
    said: list[str] = []
    run(decided, Builder("engine"), client, Progress(said.append))
    assert says(client, decided.tag, "python3", "/longshore/code/train.py") == "by the api"
    assert "apt packages: seen" in said or "apt packages: unchanged" in said
    hits = [name for name, content in small_files(saved(client.images.get(decided.tag)))
            if PASSWORD in content]  # fmt: skip
    assert hits == []


@pytest.mark.parametrize("builder", ["found", "engine"])
def test_a_base_that_is_not_there_is_said_so(
    builder: str, real_image: "RealImage", client: "DockerClient"
) -> None:
    """One error with a hint, whichever builder met it."""
    decided = plan(replace(real_image.spec, base="localhost:1/no/such:base"))
    stage(decided)
    chosen = find_builder() if builder == "found" else Builder("engine")
    with pytest.raises(BuildError) as caught:
        run(decided, chosen, client, Progress(lambda words: None))
    assert "image.base" in caught.value.hint


def test_an_existing_image_is_used_as_it_is(real_image: "RealImage") -> None:
    """`image.name` builds nothing; an unknown one is refused with a hint."""
    tag = real_image.built.tag
    assert ensure(replace(real_image.spec, existing=tag)).image_id == real_image.built.image_id
    with pytest.raises(BuildError) as caught:
        ensure(replace(real_image.spec, existing="localhost:1/no/such:image"))
    assert "image.name" in caught.value.hint


def test_an_unknown_requirement_fails_with_its_name(
    real_image: "RealImage", tmp_path: Path
) -> None:
    """Offline, with a wheelhouse of nothing: the package that is missing is named."""
    wheels, requirements = tmp_path / "wheels", tmp_path / "requirements.txt"
    wheels.mkdir()
    requirements.write_text("no-such-package-of-ours\n--no-index\n")
    with pytest.raises(BuildError, match="no-such-package-of-ours") as caught:
        ensure(replace(real_image.spec, requirements=requirements))
    assert "requirements failed" in str(caught.value)
    assert "image.requirements" in caught.value.hint


def test_pip_settings_do_not_outlive_the_build(real_image: "RealImage", tmp_path: Path) -> None:
    """The file with the caller's indexes is there for the build only."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "train.py").write_text("print('third')\n")
    settings = "[global]\nindex-url = https://me:not-to-be-found-8461@index.invalid/simple\n"
    spec = replace(real_image.spec, project=project, pip_settings=settings)
    assert ensure(spec).built
    assert not plan(spec).pip_conf.exists()
    assert os.listdir(plan(spec).folder.parent)
