"""REST v2: pods, what can be done with them, and their logs."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from . import views
from .checks import check
from .hub import TheBody, TheHub
from .logs import SOURCES
from .orders import changes, pod_of
from .problems import ProblemError
from .schemas import ACTION, CREATE_POD, UPDATE_POD
from .stream import LogStream, chosen

router = APIRouter(prefix="/v2/pods")


@router.get("")
def list_pods(hub: TheHub, cursor: str | None = None) -> dict[str, Any]:
    hub.cloud.settle()
    found = [views.pod(pod, hub.now()) for pod in list(hub.world.pods.values())]
    return hub.page("pods", found, cursor)


@router.post("", status_code=201)
def create_pod(hub: TheHub, body: TheBody) -> dict[str, Any]:
    hub.cloud.settle()
    with hub.world.lock:
        asked = pod_of(check(body, CREATE_POD), hub.world, hub.now())
        return views.pod(hub.cloud.admit(asked), hub.now())


@router.get("/{pod_id}")
def get_pod(hub: TheHub, pod_id: str) -> dict[str, Any]:
    hub.cloud.settle()
    return views.pod(hub.cloud.pod(pod_id), hub.now())


@router.patch("/{pod_id}")
def update_pod(hub: TheHub, pod_id: str, body: TheBody) -> dict[str, Any]:
    asked = check(body, UPDATE_POD)
    pod = hub.cloud.pod(pod_id)
    return views.pod(hub.cloud.edit(pod, changes(asked, pod)), hub.now())


@router.delete("/{pod_id}", status_code=204)
def delete_pod(hub: TheHub, pod_id: str) -> Response:
    hub.cloud.terminate(pod_id)
    return Response(status_code=204)


@router.post("/{pod_id}/action")
def act(hub: TheHub, pod_id: str, body: TheBody) -> Any:
    hub.cloud.settle()
    hub.cloud.pod(pod_id)
    pod = hub.cloud.act(pod_id, check(body, ACTION)["action"])
    return views.pod(pod, hub.now()) if pod else Response(status_code=204)


@router.get("/{pod_id}/logs")
def logs(
    hub: TheHub,
    pod_id: str,
    source: str | None = None,
    tail: Annotated[int, Query(ge=0, le=5000)] = 100,
    since: str | None = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> LogStream:
    if source not in (None, *SOURCES):
        raise ProblemError(422, "Request validation failed.", ["$.source: no such source"])
    hub.cloud.pod(pod_id)
    log, sources = hub.cloud.logs[pod_id], (source,) if source else SOURCES
    seen = len(log.lines)
    first = chosen(log, sources, tail, since, last_event_id)
    return LogStream(log, sources, [line for line in first if line.number <= seen], seen)
