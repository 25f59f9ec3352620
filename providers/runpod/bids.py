"""Bids for machines that may be taken away: GraphQL only, through RunPod's own SDK.

Its GraphQL API ends early in 2027, and bids are being withdrawn (RunPod staff, 2026-04). The SDK
(1.12) takes a query as text and fills in nothing, so every value is written out here as GraphQL
itself wants it. It costs seconds to import, so it is imported when it is needed.
"""

import io
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from ...errors import AccountError, NoCapacityError, ProviderError, UnreachableError
from .faults import WITHDRAWN, WRONG_KEY, fault_of_text, no_room
from .graphql import Word, field
from .sales import ANYWHERE, CLOUDS, NONE, Cloud, Sale, kind_of
from .settings import BASE, Account

if TYPE_CHECKING:
    from .models import CreatePod

MISSING: Final = "pip install 'longshore[runpod]'"


def floors(
    account: Account, count: int, instances: Sequence[str] = (), centers: Sequence[str] = ()
) -> list[Sale]:
    """The lowest bids that RunPod takes for machines of so many GPUs, at those data centers.

    Without `instances` of all kinds. A floor that is no lower than the price on demand is none.
    Raises as `ask` does.
    """
    answer = ask(account, floors_query(count, instances, centers))
    rows = [row for found in answer.values() for row in found or ()]
    return [sale for row in rows for cloud in CLOUDS if (sale := _sale(row, cloud, centers))]


def floors_query(count: int, instances: Sequence[str], centers: Sequence[str]) -> str:
    """One `lowestPrice` for each cloud and data center, by names that `_sale` reads."""
    prices = []
    for cloud in CLOUDS:
        for number, center in enumerate(centers or [""]):
            where = {"dataCenterId": center} if center else {}
            asked = {"gpuCount": count, "secureCloud": cloud == "secure", **where}
            prices.append(f"{cloud}{number}: {field('lowestPrice', {'input': asked}, _PRICE)}")
    facts = f"id displayName memoryInGb {' '.join(prices)}"
    inputs = [{"input": {"id": instance}} for instance in instances] or [{}]
    kinds = [f"kind{n}: {field('gpuTypes', asked, facts)}" for n, asked in enumerate(inputs)]
    return f"query {{ {' '.join(kinds)} }}"


def rent(account: Account, pod: "CreatePod", bid: Decimal) -> str:
    """Rent a machine at this bid, in USD per GPU-hour; its id. Sent once.

    Raises NoCapacityError when nothing is to be had for it, else as `ask` does.
    """
    answer = ask(account, rent_query(pod, bid))
    made = answer.get("podRentInterruptable")
    if not isinstance(made, dict) or not made.get("id"):
        raise no_room("RunPod answered the bid with no machine")
    return str(made["id"])


def rent_query(pod: "CreatePod", bid: Decimal) -> str:
    asked = {name: value for name, value in _rented(pod, bid).items() if value is not None}
    return "mutation { " + field("podRentInterruptable", {"input": asked}, "id") + " }"


def resume(account: Account, pod_id: str, bid: Decimal, count: int) -> None:
    """Start a stopped machine again at this bid; raises as `rent` does."""
    asked = {"podId": pod_id, "bidPerGpu": bid, "gpuCount": count}
    ask(account, "mutation { " + field("podBidResume", {"input": asked}, "id") + " }")


def refuse_low(sales: Sequence[Sale], instance: str, cloud: str, region: str, bid: Decimal) -> None:
    """Raise NoCapacityError for a bid below what RunPod takes now, naming that."""
    floor = [one for one in sales if (one.instance, one.cloud) == (instance, cloud)]
    if not floor or floor[0].stock_in(region) == NONE:
        raise NoCapacityError(f"no bid is accepted for {instance} now", WITHDRAWN)
    if bid < floor[0].usd:
        message = f"the lowest bid for {instance} is {floor[0].usd} USD a GPU-hour now, not {bid}"
        raise NoCapacityError(message, f"set market.bid to {floor[0].usd} or more")


def ask(account: Account, query: str) -> Mapping[str, Any]:
    """The `data` of an answer.

    Raises:
        ProviderError: the SDK is not installed, or RunPod refuses the request.
        NoCapacityError, AccountError: told from its words, as REST v2 is.
        UnreachableError: no answer; what was asked for may have happened.
    """
    sdk = _sdk()
    try:
        with _at(account.base):
            answer = sdk.graphql.run_graphql_query(query, api_key=account.key)
    except sdk.error.AuthenticationError as error:
        raise AccountError("RunPod refuses the key", WRONG_KEY) from error
    except sdk.error.QueryError as error:
        raise fault_of_text(str(error).replace(account.key, "…")) from None
    except (OSError, ValueError, LookupError, TypeError) as error:
        kind = type(error).__name__
        message = f"RunPod's GraphQL API at {account.base} gives no answer ({kind})"
        raise UnreachableError(message, "try again later") from None
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, dict):
        raise UnreachableError("RunPod's GraphQL API gives no data: it may have ended", WITHDRAWN)
    return data


_PRICE: Final = "minimumBidPrice uninterruptablePrice stockStatus"


@dataclass(frozen=True)
class _Sdk:
    graphql: Any
    error: Any


def _sdk() -> _Sdk:
    """The SDK, whose import prints and warns; none of that belongs on our terminal."""
    quiet = io.StringIO()
    try:
        with warnings.catch_warnings(), redirect_stdout(quiet), redirect_stderr(quiet):
            warnings.simplefilter("ignore")
            return _Sdk(import_module("runpod.api.graphql"), import_module("runpod.error"))
    except ImportError as error:
        raise ProviderError("bids need RunPod's SDK, which is not installed", MISSING) from error


@contextmanager
def _at(base: str) -> Iterator[None]:
    """The SDK's address, which it takes from the environment alone: the key goes nowhere else."""
    before = os.environ.get(BASE)
    os.environ[BASE] = base
    try:
        yield
    finally:
        os.environ.pop(BASE)
        if before is not None:
            os.environ[BASE] = before


def _sale(row: Mapping[str, Any], cloud: Cloud, centers: Sequence[str]) -> Sale | None:
    """The bid that all those data centers take which take any, and which do."""
    instance = str(row.get("id"))
    kind = kind_of(instance, str(row.get("displayName") or ""), int(row.get("memoryInGb") or 0))
    names = list(centers) or [ANYWHERE]
    prices = {name: row.get(f"{cloud}{number}") or {} for number, name in enumerate(names)}
    taken = {name: usd for name, price in prices.items() if (usd := _floor(price))}
    if kind is None or not taken:
        return None
    stock = {name: str(price.get("stockStatus") or NONE).lower() for name, price in prices.items()}
    words = {name: stock[name] if name in taken else NONE for name in names}
    return Sale(
        instance=instance,
        kind=kind,
        cloud=cloud,
        usd=max(taken.values()),
        source="live",
        as_of=datetime.now(UTC).date(),
        market="spot",
        stock=words,
    )


def _floor(price: Mapping[str, Any]) -> Decimal | None:
    least, full = (Decimal(str(price.get(name) or 0)) for name in _PRICE.split()[:2])
    return least if least > 0 and not 0 < full <= least else None


def _rented(pod: "CreatePod", bid: Decimal) -> dict[str, Any]:
    """The same pod in the words of GraphQL. It has no least CUDA version, only lists of them."""
    own, network = pod.mounts.persistent, (pod.mounts.network or (None,))[0]
    mount = own or network
    return {
        "bidPerGpu": bid,
        "cloudType": Word(pod.cloud),
        "gpuTypeId": pod.gpu.id,
        "gpuCount": pod.gpu.count,
        "name": pod.name,
        "imageName": pod.image,
        "dockerArgs": pod.args or "",
        "containerDiskInGb": pod.disk,
        "volumeInGb": own.size if own else 0,
        "volumeMountPath": mount.path if mount else None,
        "networkVolumeId": network.volume_id if network else None,
        "dataCenterId": pod.data_center_ids[0] if pod.data_center_ids else None,
        "minMemoryInGb": _in_all(pod.gpu.min_ram_per_gpu, pod),
        "minVcpuCount": _in_all(pod.gpu.min_vcpu_count_per_gpu, pod),
        "ports": ",".join(pod.ports),
        "supportPublicIp": True,
        "containerRegistryAuthId": pod.registry,
        "env": [{"key": key, "value": value} for key, value in pod.env.items()],
    }


def _in_all(each: int | None, pod: "CreatePod") -> int | None:
    return None if each is None else each * pod.gpu.count
