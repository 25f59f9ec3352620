"""REST v2: network volumes, registry credentials, templates."""

import shutil
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Response

from . import views
from .catalog import data_centers
from .checks import check
from .hub import Hub, TheBody, TheHub
from .inside import network_folder
from .orders import container
from .problems import ProblemError, not_found
from .schemas import CREATE_REGISTRY, CREATE_TEMPLATE, CREATE_VOLUME, UPDATE_VOLUME
from .shelf import save_volumes
from .state import Registry, Volume, new_id

router = APIRouter(prefix="/v2")


@router.get("/network-volumes")
def list_volumes(hub: TheHub, cursor: str | None = None) -> dict[str, Any]:
    found = [views.volume(volume) for volume in list(hub.world.volumes.values())]
    return hub.page("networkVolumes", found, cursor)


@router.post("/network-volumes", status_code=201)
def create_volume(hub: TheHub, body: TheBody) -> dict[str, Any]:
    asked = check(body, CREATE_VOLUME)
    place = data_centers().get(asked["dataCenter"])
    if place is None or not place.volumes:
        have = ", ".join(name for name, center in data_centers().items() if center.volumes)
        raise ProblemError(400, f"network volumes are available in: {have}")
    kind = asked.get("type", "STANDARD")
    volume = Volume(new_id(10), asked["name"], asked["size"], place.id, kind)
    network_folder(volume.id, hub.cloud.ground.state).mkdir(parents=True, exist_ok=True)
    return views.volume(_keep(hub, volume))


@router.get("/network-volumes/{volume_id}")
def get_volume(hub: TheHub, volume_id: str) -> dict[str, Any]:
    return views.volume(_volume(hub, volume_id))


@router.patch("/network-volumes/{volume_id}")
def update_volume(hub: TheHub, volume_id: str, body: TheBody) -> dict[str, Any]:
    asked = check(body, UPDATE_VOLUME)
    volume = _volume(hub, volume_id)
    if asked.get("size", volume.size) < volume.size:
        raise ProblemError(400, "size can only be increased")
    return views.volume(_keep(hub, replace(volume, **asked)))


@router.delete("/network-volumes/{volume_id}", status_code=204)
def delete_volume(hub: TheHub, volume_id: str) -> Response:
    _volume(hub, volume_id)
    with hub.world.lock:
        if any(pod.network_volume == volume_id for pod in hub.world.pods.values()):
            raise ProblemError(400, "network volume is in use by a pod")
        hub.world.drop_volume(volume_id, hub.now())
        save_volumes(hub.world.volumes, hub.cloud.ground.state)
    shutil.rmtree(network_folder(volume_id, hub.cloud.ground.state), ignore_errors=True)
    return Response(status_code=204)


@router.get("/registries")
def list_registries(hub: TheHub, cursor: str | None = None) -> dict[str, Any]:
    found = [_shown(registry) for registry in list(hub.world.registries.values())]
    return hub.page("registries", found, cursor)


@router.post("/registries", status_code=201)
def create_registry(hub: TheHub, body: TheBody) -> dict[str, Any]:
    asked = check(body, CREATE_REGISTRY)
    registry = Registry(id=new_id(8), **asked)
    hub.world.registries[registry.id] = registry
    return _shown(registry)


@router.get("/registries/{registry_id}")
def get_registry(hub: TheHub, registry_id: str) -> dict[str, Any]:
    return _shown(_registry(hub, registry_id))


@router.delete("/registries/{registry_id}", status_code=204)
def delete_registry(hub: TheHub, registry_id: str) -> Response:
    _registry(hub, registry_id)
    if any(pod.registry == registry_id for pod in list(hub.world.pods.values())):
        raise ProblemError(400, "registry is in use by a pod")
    del hub.world.registries[registry_id]
    return Response(status_code=204)


@router.get("/templates")
def list_templates(hub: TheHub, cursor: str | None = None) -> dict[str, Any]:
    return hub.page("templates", list(hub.world.templates.values()), cursor)


@router.post("/templates", status_code=201)
def create_template(hub: TheHub, body: TheBody) -> dict[str, Any]:
    asked = check(body, CREATE_TEMPLATE)
    template = {
        "id": new_id(10),
        "name": asked["name"],
        "args": "",
        "disk": 20,
        "mounts": {},
        "ports": (),
        "env": {},
        "registry": None,
        "serverless": asked.get("serverless", False),
        "public": asked.get("public", False),
        "category": asked.get("category", "NVIDIA"),
    } | container(asked)
    hub.world.templates[template["id"]] = template
    return template


@router.get("/templates/{template_id}")
def get_template(hub: TheHub, template_id: str) -> dict[str, Any]:
    if template_id not in hub.world.templates:
        raise not_found()
    return hub.world.templates[template_id]


@router.delete("/templates/{template_id}", status_code=204)
def delete_template(hub: TheHub, template_id: str) -> Response:
    get_template(hub, template_id)
    del hub.world.templates[template_id]
    return Response(status_code=204)


def _keep(hub: Hub, volume: Volume) -> Volume:
    with hub.world.lock:
        kept = hub.world.keep_volume(volume, hub.now())
        save_volumes(hub.world.volumes, hub.cloud.ground.state)
        return kept


def _volume(hub: Hub, volume_id: str) -> Volume:
    if volume_id not in hub.world.volumes:
        raise not_found()
    return hub.world.volumes[volume_id]


def _registry(hub: Hub, registry_id: str) -> Registry:
    if registry_id not in hub.world.registries:
        raise not_found()
    return hub.world.registries[registry_id]


def _shown(registry: Registry) -> dict[str, Any]:
    """Without its credentials: they are write-only."""
    return {"id": registry.id, "name": registry.name}
