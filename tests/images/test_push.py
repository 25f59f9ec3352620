"""An image goes to a real registry and is named by its content; a refusal is one line."""

import base64
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from longshore.errors import BuildError
from longshore.images.engine import connect
from longshore.images.login import PASSWORD, USER, Login, login, registry_of
from longshore.images.push import push

from ..registries import WORD, Registry

TAG = "longshore-push-test:1a2b"


@pytest.fixture
def image(engine: None) -> Iterator[str]:
    """A tiny image on this engine."""
    with closing(connect()) as client:
        client.api.import_image_from_data(_archive(), repository="longshore-push-test", tag="1a2b")
        yield TAG
        for one in client.images.list():
            if any("longshore-push-test" in tag for tag in one.tags):
                client.images.remove(one.id or "", force=True)


@pytest.fixture(autouse=True)
def no_login(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker configuration of the test's own, and no variables."""
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    for name in (USER, PASSWORD):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "config.json"


@pytest.mark.docker
def test_a_pushed_image_is_named_by_its_content(
    registry: Registry, image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who pulls that name gets these bytes and no others; a second push changes nothing."""
    monkeypatch.setenv(USER, "me")
    monkeypatch.setenv(PASSWORD, WORD)
    notes: list[str] = []
    repository = f"{registry.host}/longshore-push-test"
    first = push(image, repository, notes.append)
    name, _, digest = first.partition("@")
    assert (name, digest[:7], len(digest)) == (repository, "sha256:", 71)
    assert any("pushed layer" in note for note in notes)
    again: list[str] = []
    assert push(image, repository, again.append) == first
    assert again == []
    auth = {"username": "me", "password": WORD}
    with closing(connect()) as client:
        assert client.images.pull(repository, tag=digest, auth_config=auth).id


@pytest.mark.docker
def test_a_push_without_a_login_says_how_to_log_in(registry: Registry, image: str) -> None:
    """One line with the registry's own words, and the way on."""
    with pytest.raises(BuildError, match="cannot be pushed") as caught:
        push(image, f"{registry.host}/longshore-push-test", lambda _line: None)
    assert "docker login" in caught.value.hint


@pytest.mark.docker
def test_a_registry_that_is_not_there_is_said(image: str) -> None:
    """Nobody listens on that port."""
    with pytest.raises(BuildError, match="cannot be pushed") as caught:
        push(image, "127.0.0.1:9/longshore-push-test", lambda _line: None)
    assert "image.registry" in caught.value.hint


@pytest.mark.parametrize(
    ("reference", "registry"),
    [
        ("ghcr.io/me/jobs", "ghcr.io"),
        ("ghcr.io/me/jobs@sha256:0123", "ghcr.io"),
        ("127.0.0.1:5000/jobs:latest", "127.0.0.1:5000"),
        ("me/jobs", "docker.io"),
    ],
)
def test_the_registry_is_read_as_docker_reads_it(reference: str, registry: str) -> None:
    """Its host, by the rules for names of images."""
    assert registry_of(reference) == registry


def test_the_docker_login_is_used_where_there_are_no_variables(
    no_login: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the variables win; a registry that nobody is logged in to has none."""
    auth = base64.b64encode(b"someone:else").decode()
    no_login.write_text(json.dumps({"auths": {"ghcr.io": {"auth": auth}}}))
    assert login("ghcr.io/me/jobs") == Login("ghcr.io", "someone", "else")
    assert login("quay.io/me/jobs") is None
    monkeypatch.setenv(USER, "me")
    monkeypatch.setenv(PASSWORD, WORD)
    found = login("ghcr.io/me/jobs")
    assert found == Login("ghcr.io", "me", WORD)
    assert WORD not in repr(found)


def _archive() -> io.BytesIO:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        content = b"hello"
        info = tarfile.TarInfo("hello.txt")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    made.seek(0)
    return made
