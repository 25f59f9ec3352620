"""REST v2: ssh keys and secrets of the account."""

from typing import Any

from fastapi import APIRouter, Response

from .checks import check
from .clock import stamp
from .hub import Hub, TheBody, TheHub
from .problems import ProblemError, not_found
from .schemas import CREATE_SECRET, SSH_KEYS, UPDATE_SECRET
from .state import new_id
from .views import secret as shown

router = APIRouter(prefix="/v2/account")


@router.get("/ssh-keys")
def get_keys(hub: TheHub) -> dict[str, Any]:
    return {"keys": hub.world.account.ssh_keys}


@router.put("/ssh-keys")
def put_keys(hub: TheHub, body: TheBody) -> dict[str, Any]:
    """Replaces them all, as RunPod does."""
    hub.world.account.ssh_keys = check(body, SSH_KEYS)["keys"]
    return {"keys": hub.world.account.ssh_keys}


@router.get("/secrets")
def list_secrets(hub: TheHub, name: str | None = None, cursor: str | None = None) -> dict[str, Any]:
    found = [shown(each) for each in hub.world.secrets.values() if name in (None, each["name"])]
    return hub.page("secrets", found, cursor)


@router.post("/secrets", status_code=201)
def create_secret(hub: TheHub, body: TheBody) -> dict[str, Any]:
    asked = check(body, CREATE_SECRET)
    if any(each["name"] == asked["name"] for each in hub.world.secrets.values()):
        raise ProblemError(409, "a secret with this name already exists")
    made = {"id": new_id(10), "description": "", "createdAt": stamp(hub.now())} | asked
    hub.world.secrets[made["id"]] = made
    return shown(made)


@router.get("/secrets/{secret_id}")
def get_secret(hub: TheHub, secret_id: str) -> dict[str, Any]:
    return shown(_secret(hub, secret_id))


@router.patch("/secrets/{secret_id}")
def update_secret(hub: TheHub, secret_id: str, body: TheBody) -> dict[str, Any]:
    """The next boot of a pod sees the new value."""
    _secret(hub, secret_id).update(check(body, UPDATE_SECRET))
    return shown(_secret(hub, secret_id))


@router.delete("/secrets/{secret_id}", status_code=204)
def delete_secret(hub: TheHub, secret_id: str) -> Response:
    _secret(hub, secret_id)
    del hub.world.secrets[secret_id]
    return Response(status_code=204)


def _secret(hub: Hub, secret_id: str) -> dict[str, Any]:
    if secret_id not in hub.world.secrets:
        raise not_found()
    return hub.world.secrets[secret_id]
