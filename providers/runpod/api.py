"""The calls of RunPod's APIs that we make, each with its types."""

import json
import logging
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

import httpx

from ...errors import ProviderError, UnreachableError
from .client import Client, Query
from .models import (
    Action,
    BillingRecord,
    CreatePod,
    CreateRegistry,
    DataCenter,
    LogLine,
    NetworkVolume,
    Pod,
    Registry,
    read,
)

V2: Final = "/v2"
SAY_FOR: Final = 2.0
"""Seconds for which a log is listened to: RunPod sends nothing at all until there is a line."""

logger = logging.getLogger(__name__)


class Api:
    """RunPod's REST API v2 as methods, and its balance. Only `create` may start a bill."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def pod(self, pod_id: str) -> Pod | None:
        """The pod, or None when there is none of that id."""
        answer = self._client.get(_path(pod_id)) if pod_id else None
        return None if answer is None else read(Pod, answer)

    def pods(self) -> Iterator[Pod]:
        """Every pod of the account."""
        return (read(Pod, item) for item in self._client.pages(f"{V2}/pods", "pods"))

    def create(self, pod: CreatePod) -> Pod:
        """Ask for a pod, once. Raises UnreachableError when it may have been made all the same."""
        answer = self._client.post(f"{V2}/pods", pod.body(), idempotent=False, creating=True)
        try:
            return read(Pod, answer)
        except ProviderError as error:
            raise UnreachableError(str(error), error.hint) from error

    def start(self, pod_id: str) -> None:
        """Start a stopped pod on the machine it had."""
        body = Action(action="start").body()
        self._client.post(f"{_path(pod_id)}/action", body, idempotent=True)

    def delete(self, pod_id: str) -> None:
        """End a pod with all it holds; one that is gone is fine."""
        if pod_id:
            self._client.delete(_path(pod_id))

    def gpus(self, cloud: str, count: int, min_cuda: str | None = None) -> list[Any]:
        """The catalog of one cloud with its stock of so many GPUs in one machine, as JSON.

        `min_cuda`: the stock is of machines whose driver has at least this CUDA.
        """
        query: Query = {
            "include": "AVAILABILITY",
            "product": "POD",
            "count": count,
            "cloud": cloud,
            **({"minCudaVersion": min_cuda} if min_cuda else {}),
        }
        return list(self._client.pages(f"{V2}/catalog/gpus", "gpus", query))

    def data_centers(self) -> list[DataCenter]:
        pages = self._client.pages(f"{V2}/catalog/datacenters", "dataCenters")
        return [read(DataCenter, item) for item in pages]

    def volumes(self) -> list[NetworkVolume]:
        pages = self._client.pages(f"{V2}/network-volumes", "networkVolumes")
        return [read(NetworkVolume, item) for item in pages]

    def registries(self) -> list[Registry]:
        return [
            read(Registry, item) for item in self._client.pages(f"{V2}/registries", "registries")
        ]

    def add_registry(self, login: CreateRegistry) -> Registry:
        """Keep a login there; sent once, as it cannot be changed."""
        return read(Registry, self._client.post(f"{V2}/registries", login.body(), idempotent=False))

    def billed(self, pod_id: str) -> Decimal | None:
        """USD charged for a pod in the last 30 days, also one that is gone; None without a record.

        RunPod passes over a filter that it does not know, so other pods' records are left out here.
        """
        pages = self._client.pages(f"{V2}/billing/pods", "records", {"podId": pod_id})
        records = [read(BillingRecord, item) for item in pages]
        amounts = [record.total_amount for record in records if record.pod_id == pod_id]
        return sum(amounts, Decimal(0)) if amounts else None

    def balance(self) -> Decimal | None:
        """USD left of the prepaid credit: known to GraphQL only. None when it does not say."""
        query = {"query": "query { myself { clientBalance } }"}
        answer = self._client.post("/graphql", query, idempotent=True)
        try:
            return Decimal(str(answer["data"]["myself"]["clientBalance"]))
        except (KeyError, TypeError, ArithmeticError):
            return None

    def last_line(self, pod_id: str, seconds: float = SAY_FOR) -> str:
        """The last line of a pod's system log; empty when none comes in so many seconds."""
        query: Query = {"source": "system", "tail": 1}
        until = time.monotonic() + seconds
        try:
            with self._client.stream(f"{_path(pod_id)}/logs", query, seconds) as lines:
                for line in lines:
                    if line.startswith("data:"):
                        return read(LogLine, json.loads(line[5:])).line.strip()
                    if time.monotonic() > until:
                        break
        except (httpx.HTTPError, ValueError, ProviderError) as error:
            logger.debug("no system log of %s: %s", pod_id, type(error).__name__)
        return ""


def _path(pod_id: str) -> str:
    return f"{V2}/pods/{quote(pod_id, safe='')}"
