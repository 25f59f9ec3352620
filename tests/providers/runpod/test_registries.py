"""The login of a private image, kept at RunPod once for each password."""

import json
from pathlib import Path

import pytest

from longshore.errors import AccountError
from longshore.providers.runpod.api import Api
from longshore.providers.runpod.registries import entry_for, login_for

from .server import Reply, Server, problem

IMAGE = "r.example/team/job@sha256:00"


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> str:
    """Somebody who is logged in, and the name of that login at RunPod."""
    monkeypatch.setenv("LONGSHORE_REGISTRY_USER", "ada")
    monkeypatch.setenv("LONGSHORE_REGISTRY_PASSWORD", "s3cret")
    return entry_for(IMAGE, "ada", "s3cret").name


def listing(*names: str) -> Reply:
    return Reply(200, {"registries": [{"id": f"id-{one}", "name": one} for one in names]})


def test_a_public_image_needs_none(
    server: Server, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is not logged in anywhere leaves nothing at RunPod."""
    (tmp_path / "config.json").write_text(json.dumps({"auths": {}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.delenv("LONGSHORE_REGISTRY_USER", raising=False)
    assert login_for(IMAGE, api) is None
    assert server.asked == []


def test_a_login_is_kept_once(server: Server, api: Api, name: str) -> None:
    """What is there is used again; else it is sent, and only then."""
    server.on("GET /v2/registries", listing("other"))
    server.on("POST /v2/registries", Reply(201, {"id": "new", "name": name}))
    assert login_for(IMAGE, api) == "new"
    (sent,) = server.calls("POST /v2/registries")
    assert sent.body == {"name": name, "username": "ada", "password": "s3cret"}
    server.on("GET /v2/registries", listing("other", name))
    assert login_for(IMAGE, api) == f"id-{name}"
    assert len(server.calls("POST /v2/registries")) == 1


@pytest.mark.parametrize("lost", [Reply(cut=True), problem(409, "duplicate name")])
def test_an_entry_that_is_there_all_the_same(
    server: Server, api: Api, name: str, lost: Reply
) -> None:
    """A lost answer and a name that is taken both mean: look again."""
    server.on("GET /v2/registries", listing(), listing(name))
    server.on("POST /v2/registries", lost)
    assert login_for(IMAGE, api) == f"id-{name}"


def test_a_refusal_is_passed_on(server: Server, api: Api, name: str) -> None:
    """Without the right to keep logins there is nothing to pull with."""
    server.on("GET /v2/registries", listing())
    server.on("POST /v2/registries", problem(403, "access denied"))
    with pytest.raises(AccountError):
        login_for(IMAGE, api)


def test_another_password_is_another_entry() -> None:
    """RunPod changes no entry: a new password must not be shadowed by the old one."""
    names = {entry_for(IMAGE, "ada", word).name for word in ("old", "new")}
    assert len(names) == 2
    other = entry_for("r.example/team/other:1", "ada", "old").name
    assert other in names
    assert all(one.startswith("longshore-") for one in names)
