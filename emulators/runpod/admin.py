"""Behind the scenes, and no part of RunPod: stock, prices, time, faults, and what became of it.

Every call is POST with a JSON object, but for the two that only look.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from fastapi import APIRouter

from .boot import STAGES
from .clock import stamp
from .cloud import DEATHS
from .faults import KINDS, Fault
from .hub import TheBody, TheHub
from .money import amount
from .problems import ProblemError
from .state import Pod
from .stock import Rule

router = APIRouter(prefix="/_emulator")
JSON = dict[str, Any]
Value = TypeVar("Value")


@router.get("/pods")
def every_pod(hub: TheHub) -> JSON:
    """Each pod that ever was, and its end; `ended` is null for those that still cost."""
    return {"pods": [_past(pod) for pod in hub.world.every_pod()]}


@router.get("/meter")
def meter(hub: TheHub) -> JSON:
    """USD so far, by pod; storage of stopped pods included."""
    now = hub.now()
    found = {pod.id: amount(pod.spans, 0, now) for pod in hub.world.every_pod()}
    return {
        "balance": float(hub.world.balance(now)),
        "spent": float(hub.world.spent(now)),
        "pods": {
            name: {"gpu": float(each.gpu), "disk": float(each.disk), "total": float(each.total)}
            for name, each in found.items()
        },
    }


@router.post("/stock")
def set_stock(hub: TheHub, body: TheBody) -> JSON:
    """A rule of `stock.Rule`; the last one that holds wins."""
    hub.world.stock.rules.append(_made(Rule, body))
    return {}


@router.post("/price")
def set_price(hub: TheHub, body: TheBody) -> JSON:
    """{gpu, cloud, price, spot}: USD per GPU-hour, and the lowest bid that is served."""
    asked = _object(body)
    place = (str(asked["gpu"]), str(asked["cloud"]))
    if asked.get("price") is not None:
        hub.world.stock.prices[place] = Decimal(str(asked["price"]))
    if asked.get("spot") is not None:
        hub.world.stock.floors[place] = Decimal(str(asked["spot"]))
    return {}


@router.post("/bids")
def set_bids(hub: TheHub, body: TheBody) -> JSON:
    """{served}: whether bids are served at all."""
    hub.world.stock.bids = bool(_object(body)["served"])
    return {}


@router.post("/balance")
def set_balance(hub: TheHub, body: TheBody) -> JSON:
    """{balance}: USD left now."""
    spent = hub.world.spent(hub.now())
    hub.world.account.credit = Decimal(str(_object(body)["balance"])) + spent
    hub.cloud.settle()
    return {}


@router.post("/clock")
def advance(hub: TheHub, body: TheBody) -> JSON:
    """{seconds}: skip so much time."""
    hub.cloud.ground.clock.advance(float(_object(body)["seconds"]))
    hub.cloud.settle()
    return {"now": stamp(hub.now())}


@router.post("/faults")
def add_fault(hub: TheHub, body: TheBody) -> JSON:
    """A `faults.Fault`."""
    fault = _made(Fault, body)
    _one_of(KINDS, fault.kind)
    hub.faults.add(fault)
    return {}


@router.post("/faults/clear")
def clear_faults(hub: TheHub) -> JSON:
    hub.faults.clear()
    return {}


@router.post("/limits")
def set_limits(hub: TheHub, body: TheBody) -> JSON:
    """{minute, hour, day}: requests that fit into each window."""
    hub.limits.quotas.update(_object(body))
    return {}


@router.post("/page-size")
def set_page_size(hub: TheHub, body: TheBody) -> JSON:
    hub.page_size = int(_object(body)["size"])
    return {}


@router.post("/timeline")
def set_timeline(hub: TheHub, body: TheBody) -> JSON:
    """Fields of `timeline.Timeline`, for the boots to come."""
    hub.cloud.timeline = replace(hub.cloud.timeline, **_object(body))
    return {}


@router.post("/sick")
def make_sick(hub: TheHub, body: TheBody) -> JSON:
    """{stage, times}: so many of the next boots get no further than that stage."""
    asked = _object(body)
    stage = _one_of(STAGES, asked["stage"])
    hub.cloud.sick += [stage] * int(asked.get("times", 1))
    return {}


@router.post("/pods/{pod_id}/outbid")
def outbid(hub: TheHub, pod_id: str) -> JSON:
    hub.cloud.outbid(pod_id)
    return {}


@router.post("/pods/{pod_id}/kill-host")
def kill_host(hub: TheHub, pod_id: str, body: TheBody) -> JSON:
    """{how}: "stuck" without runtime, "vanished" from the list, or "error"."""
    hub.cloud.kill_host(pod_id, _one_of(DEATHS, _object(body)["how"]))
    return {}


@router.post("/pods/{pod_id}/crash")
def crash(hub: TheHub, pod_id: str) -> JSON:
    """Its container ends, as by a fault of its own."""
    hub.cloud.pod(pod_id)
    hub.cloud.boots[pod_id].crash()
    return {}


@router.post("/pods/{pod_id}/move-port")
def move_port(hub: TheHub, pod_id: str, body: TheBody) -> JSON:
    """{port}: another public port for that private one."""
    hub.cloud.pod(pod_id)
    hub.cloud.boots[pod_id].move_port(int(_object(body)["port"]))
    return {}


@router.post("/pods/{pod_id}/cut")
def cut(hub: TheHub, pod_id: str, body: TheBody) -> JSON:
    """{after}: break its connections once so many more bytes have gone through."""
    hub.cloud.boots[pod_id].cut(int(_object(body).get("after", 0)))
    return {}


@router.post("/pods/{pod_id}/slow")
def slow(hub: TheHub, pod_id: str, body: TheBody) -> JSON:
    """{rate}: bytes a second, or null for as fast as it goes."""
    hub.cloud.boots[pod_id].slow(_object(body)["rate"])
    return {}


def _object(body: object) -> JSON:
    if not isinstance(body, dict):
        raise ProblemError(422, "the body is not a JSON object")
    return body


def _one_of(words: tuple[str, ...], word: object) -> str:
    if word not in words:
        raise ProblemError(422, f"{word!r} is none of {', '.join(words)}")
    return str(word)


def _made(kind: type[Value], body: object) -> Value:
    try:
        return kind(**_object(body))
    except TypeError as error:
        raise ProblemError(422, str(error)) from error


def _past(pod: Pod) -> JSON:
    return {
        "id": pod.id,
        "name": pod.name,
        "status": pod.status,
        "image": pod.image,
        "data_center": pod.data_center,
        "created": stamp(pod.created),
        "ended": stamp(pod.ended[0]) if pod.ended else None,
        "why": pod.ended[1] if pod.ended else "",
    }
