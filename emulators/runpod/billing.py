"""REST v2: what pods cost, in buckets of time; it is read off the meter itself."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from fastapi import APIRouter

from .clock import moment, stamp
from .hub import TheHub
from .money import Rate, amount
from .problems import ProblemError
from .state import Pod

router = APIRouter(prefix="/v2/billing")
SIZES = ("hour", "day", "week", "month", "year")
DEFAULT_DAYS = 30
Window = tuple[float, float]


@router.get("/pods")
def list_pod_billing(
    hub: TheHub,
    podId: str | None = None,
    bucketSize: str = "day",
    startTime: str | None = None,
    endTime: str | None = None,
    lastN: int | None = None,
) -> dict[str, Any]:
    """One record for each pod and bucket in which it cost something; pods that are gone too."""
    if bucketSize not in SIZES:
        raise ProblemError(422, "Request validation failed.", ["$.bucketSize: no such size"])
    windows = buckets(bucketSize, *_asked(hub.now(), bucketSize, startTime, endTime, lastN))
    pods = [pod for pod in hub.world.every_pod() if podId in (None, pod.id)]
    found = [
        (pod, window, amount(pod.spans, window[0], min(window[1], hub.now())))
        for window in windows
        for pod in pods
    ]
    charged = [(pod, window, rate) for pod, window, rate in found if rate.total]
    start, end = windows[0][0], windows[-1][1]
    query = {"startTime": stamp(start), "endTime": stamp(end), "bucketSize": bucketSize}
    return {
        "records": [_record(*charge) for charge in charged],
        "metadata": {
            "query": query | ({"podId": podId} if podId else {}),
            "recordCount": len(charged),
            "uniquePodCount": len({pod.id for pod, _, _ in charged}),
            "totals": _amounts([rate for _, _, rate in charged]),
        },
    }


def buckets(size: str, start: float, end: float) -> list[Window]:
    """The buckets that touch the time asked for: both of its ends snap outward."""
    edge = _floor(datetime.fromtimestamp(start, UTC), size)
    found: list[Window] = []
    while not found or edge.timestamp() < end:
        after = _next(edge, size)
        found.append((edge.timestamp(), after.timestamp()))
        edge = after
    return found


def _asked(now: float, size: str, start: str | None, end: str | None, last: int | None) -> Window:
    try:
        until = moment(end) if end else now
        if start:
            return moment(start), until
    except ValueError as error:
        raise ProblemError(422, "Request validation failed.", ["$: not a date-time"]) from error
    if last is None:
        return until - DEFAULT_DAYS * 86400, until
    edge = _floor(datetime.fromtimestamp(now, UTC), size)
    for _ in range(last - 1):
        edge = _floor(edge - timedelta(seconds=1), size)
    return edge.timestamp(), now


def _floor(when: datetime, size: str) -> datetime:
    hour = when.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    floors = {
        "hour": hour,
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "year": day.replace(month=1, day=1),
    }
    return floors[size]


def _next(edge: datetime, size: str) -> datetime:
    longest = {"hour": 1, "day": 24, "week": 24 * 7, "month": 24 * 31, "year": 24 * 366}
    return _floor(edge + timedelta(hours=longest[size]), size)


def _record(pod: Pod, window: Window, rate: Rate) -> dict[str, Any]:
    times = {"startTime": stamp(window[0]), "endTime": stamp(window[1])}
    return times | {"podId": pod.id} | _amounts([rate])


def _amounts(rates: list[Rate]) -> dict[str, float]:
    def total(parts: list[Decimal]) -> float:
        return float(sum(parts, Decimal(0)))

    return {
        "totalAmount": total([rate.total for rate in rates]),
        "gpuAmount": total([rate.gpu for rate in rates]),
        "cpuAmount": total([rate.cpu for rate in rates]),
        "diskAmount": total([rate.disk for rate in rates]),
    }
