"""The GraphQL facade: as much of it as RunPod's SDK 1.12, bids and pods themselves ask for."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import cache, partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync, parse, validate

from . import gql_views
from .catalog import CLOUDS, gpu_types
from .hub import Hub, TheBody, TheHub
from .orders import pod_of
from .problems import NO_BID, ProblemError, SupplyError
from .sdl import SDL
from .state import HOLDS_GPUS, Pod
from .stock import Want

router = APIRouter()
ODD = "Something went wrong. Please try again later or contact support."
OWN_MUTATIONS = ("podStop", "podTerminate")
JSON = dict[str, Any]


@router.post("/graphql")
def graphql(request: Request, hub: TheHub, body: TheBody) -> JSONResponse:
    hub.cloud.settle()
    key = request.headers.get("authorization", "").partition(" ")[2]
    own = next((pod for pod in list(hub.world.pods.values()) if pod.key == key), None)
    if request.app.state.pods_only and own is None:
        return JSONResponse({"errors": [{"message": "Unauthorized"}]}, 401)
    if key and own is None and key != hub.world.account.key:
        return JSONResponse({"errors": [{"message": "Unauthorized"}]}, 401)
    asked = body if isinstance(body, dict) else {}
    return _answer(hub, str(asked.get("query", "")), asked.get("variables"), bool(key), own)


@cache
def schema() -> GraphQLSchema:
    return build_schema(SDL)


def _answer(
    hub: Hub, query: str, variables: JSON | None, known: bool, own: Pod | None
) -> JSONResponse:
    try:
        faults = validate(schema(), parse(query))
    except GraphQLError as error:
        return _refused([error], "GRAPHQL_PARSE_FAILED")
    if faults:
        return _refused(faults, "GRAPHQL_VALIDATION_FAILED")
    found = graphql_sync(schema(), query, _root(hub, known, own), variable_values=variables)
    return JSONResponse(json.loads(json.dumps(found.formatted)))


def _refused(faults: list[GraphQLError], code: str) -> JSONResponse:
    errors = [{"message": fault.message, "extensions": {"code": code}} for fault in faults]
    return JSONResponse({"errors": errors}, 400)


def _root(hub: Hub, known: bool, own: Pod | None) -> JSON:
    """The resolvers that this key may use; the others refuse."""
    queries: dict[str, Callable[..., Any]] = {"gpuTypes": _gpu_types}
    private: dict[str, Callable[..., Any]] = {"pod": _pod, "myself": _myself}
    mutations: dict[str, Callable[..., Any]] = {
        "podFindAndDeployOnDemand": _deploy,
        "podRentInterruptable": _rent,
        "podStop": _stop,
        "podResume": _resume,
        "podBidResume": _bid_resume,
        "podTerminate": _terminate,
    }
    if own is not None:
        mine: dict[str, Callable[..., Any]] = {
            name: partial(_own, own, mutations[name]) for name in OWN_MUTATIONS
        }
        closed = dict.fromkeys([*queries, *private, *mutations], _forbidden)
        return {name: partial(verb, hub) for name, verb in (closed | mine).items()}
    if not known:
        refused = dict.fromkeys(mutations, _forbidden) | dict.fromkeys(private, _nobody)
        return {name: partial(verb, hub) for name, verb in {**refused, **queries}.items()}
    return {name: partial(verb, hub) for name, verb in {**queries, **private, **mutations}.items()}


def _gpu_types(hub: Hub, info: object, input: JSON | None = None) -> list[JSON]:
    asked = (input or {}).get("id")
    found = [gpu for gpu in gpu_types().values() if asked in (None, gpu.id)]
    return [gql_views.gpu_type(hub, gpu) for gpu in found]


def _myself(hub: Hub, info: object) -> JSON:
    return gql_views.myself(hub)


def _nobody(hub: Hub, info: object, **asked: object) -> None:
    """What somebody without a key sees."""


def _pod(hub: Hub, info: object, input: JSON | None = None) -> JSON | None:
    found = hub.world.pods.get((input or {}).get("podId", ""))
    return gql_views.pod(hub, found) if found else None


def _deploy(hub: Hub, info: object, input: JSON | None = None) -> JSON:
    with _as_graphql(), hub.world.lock:
        pod = _first(hub, input or {}, lambda pod: pod)
        return gql_views.pod(hub, hub.cloud.admit(pod))


def _rent(hub: Hub, info: object, input: JSON) -> JSON:
    bid = Decimal(str(input.pop("bidPerGpu")))
    with _as_graphql(), hub.world.lock:
        pod = _first(hub, input, lambda pod: _with_bid(hub, pod, bid))
        return gql_views.pod(hub, hub.cloud.admit(pod))


def _stop(hub: Hub, info: object, input: JSON) -> JSON:
    with _as_graphql(), hub.world.lock:
        pod = hub.cloud.pod(input["podId"])
        stopped = hub.cloud.stop(pod) if pod.status in HOLDS_GPUS else pod
        return gql_views.pod(hub, stopped)


def _resume(hub: Hub, info: object, input: JSON) -> JSON:
    with _as_graphql(), hub.world.lock:
        pod = hub.cloud.pod(input["podId"])
        if pod.bid is not None:
            raise GraphQLError("Cannot resume a spot pod as an on demand pod.")
        return gql_views.pod(hub, hub.cloud.start(_exited(pod)))


def _bid_resume(hub: Hub, info: object, input: JSON) -> JSON:
    with _as_graphql(), hub.world.lock:
        pod = _exited(hub.cloud.pod(input["podId"]))
        renewed = _with_bid(hub, pod, Decimal(str(input["bidPerGpu"])))
        hub.world.change(pod.id, bid=renewed.bid, compute=renewed.compute)
        return gql_views.pod(hub, hub.cloud.start(renewed))


def _terminate(hub: Hub, info: object, input: JSON) -> None:
    with _as_graphql():
        if input["podId"] not in hub.world.pods:
            raise GraphQLError("pod not found to terminate")
        hub.cloud.terminate(input["podId"])


def _own(own: Pod, verb: Callable[..., Any], hub: Hub, info: object, input: JSON) -> Any:
    """A pod's own key ends that pod, and no other."""
    return verb(hub, info, input) if input["podId"] == own.id else _forbidden(hub, info)


def _forbidden(hub: Hub, info: object, **asked: object) -> None:
    raise GraphQLError("Unauthorized", extensions={"code": "FORBIDDEN"})


def _exited(pod: Pod) -> Pod:
    if pod.status in HOLDS_GPUS:
        raise GraphQLError("pod is already running")
    return pod


def _first(hub: Hub, asked: JSON, shape: Callable[[Pod], Pod]) -> Pod:
    """The pod in the first cloud that has it; ALL means either."""
    cloud = asked.get("cloudType") or "ALL"
    clouds = CLOUDS if cloud == "ALL" else (cloud,)
    for name in clouds:
        try:
            return shape(pod_of(_body(asked, name), hub.world, hub.now()))
        except SupplyError:
            if name == clouds[-1]:
                raise
    raise SupplyError


def _with_bid(hub: Hub, pod: Pod, bid: Decimal) -> Pod:
    """Served at its own price, when that is not below the floor."""
    name, count = pod.gpu or ("unknown", 0)
    floor = hub.world.stock.floor(name, pod.cloud)
    want = Want(name, count, pod.cloud, pod.data_center)
    if floor is None or bid < floor or not hub.world.stock.has(want):
        raise SupplyError(NO_BID)
    return replace(pod, bid=bid, compute=replace(pod.compute, gpu=bid * count))


def _body(asked: JSON, cloud: str) -> JSON:
    """The same order in the words of REST."""
    gpu = {"id": asked.get("gpuTypeId") or "", "count": asked.get("gpuCount") or 1}
    if asked.get("allowedCudaVersions"):
        gpu["allowedCudaVersions"] = asked["allowedCudaVersions"]
    body = {
        "name": asked.get("name") or "pod",
        "gpu": gpu,
        "cloud": cloud,
        "disk": asked.get("containerDiskInGb") or 10,
        "dataCenterIds": [asked["dataCenterId"]] if asked.get("dataCenterId") else [],
        "ports": [port for port in (asked.get("ports") or "").split(",") if port],
        "env": {pair["key"]: pair["value"] for pair in asked.get("env") or []},
        "args": asked.get("dockerArgs") or "",
        "registry": asked.get("containerRegistryAuthId"),
        "startSsh": bool(asked.get("startSsh")),
        "startJupyter": bool(asked.get("startJupyter")),
        "mounts": _mounts(asked),
    }
    names = {"imageName": "image", "templateId": "templateId"}
    return body | {rest: asked[name] for name, rest in names.items() if asked.get(name)}


def _mounts(asked: JSON) -> JSON:
    path = asked.get("volumeMountPath") or "/workspace"
    if asked.get("networkVolumeId"):
        return {"network": [{"volumeId": asked["networkVolumeId"], "path": path}]}
    size = asked.get("volumeInGb")
    return {"persistent": {"size": size, "path": path}} if size else {}


@contextmanager
def _as_graphql() -> Iterator[None]:
    """Problems in GraphQL's own way: 200, with a message and a code."""
    try:
        yield
    except ProblemError as problem:
        code = "SUPPLY_CONSTRAINT" if isinstance(problem, SupplyError) else "BAD_USER_INPUT"
        known = problem.status in (400, 402, 404, 409)
        message, code = (problem.detail, code) if known else (ODD, "INTERNAL_SERVER_ERROR")
        raise GraphQLError(message, extensions={"code": code}) from problem
