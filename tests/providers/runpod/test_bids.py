"""Bids through RunPod's SDK: what is asked in GraphQL, and what its answers mean."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from typing import Any

import graphql
import pytest

from longshore.errors import (
    AccountError,
    LongshoreError,
    NoCapacityError,
    ProviderError,
    UnreachableError,
)
from longshore.providers.runpod import bids
from longshore.providers.runpod.graphql import Word, literal
from longshore.providers.runpod.models import CreateGpu, CreatePod, Mounts, Network, Persistent
from longshore.providers.runpod.settings import Account

from .conftest import KEY
from .server import Reply, Server, problem

NASTY = 'x "quoted" \\ y\n{ } # \u2028 é 🚢 \x07'
POD = CreatePod(
    name="longshore-quick-otter-1",
    image="r.io/job@sha256:00",
    gpu=CreateGpu(id="NVIDIA GeForce RTX 4090", count=2, min_ram_per_gpu=16),
    cloud="COMMUNITY",
    disk=40,
    mounts=Mounts(persistent=Persistent(size=20, path="/longshore-volume")),
    ports=("22/tcp",),
    env={"A": NASTY},
    args='bash -c "echo hi"',
)
NO_BID = "There are no instances available with the request specifications. Please try again later."
SUPPLY = "There are no longer any instances available with the requested specifications."


def data(**found: Any) -> Reply:
    return Reply(200, {"data": found})


def error(text: str) -> Reply:
    return Reply(200, {"errors": [{"message": text}], "data": None})


def price(floor: float | None, full: float | None = 0.69, stock: str | None = "High") -> Any:
    return {"minimumBidPrice": floor, "uninterruptablePrice": full, "stockStatus": stock}


def row(**prices: Any) -> dict[str, Any]:
    plain = {"id": "NVIDIA GeForce RTX 4090", "displayName": "RTX 4090", "memoryInGb": 24}
    return plain | prices


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", '"plain"'),
        ('a "b"\n\\', '"a \\"b\\"\\n\\\\"'),
        (Word("SECURE"), "SECURE"),
        (Decimal("0.30"), "0.30"),
        (3, "3"),
        (True, "true"),
        (None, "null"),
        ({"a": [1, {"b": "c"}]}, '{a: [1, {b: "c"}]}'),
    ],
)
def test_values_are_written_as_graphql_wants_them(value: object, text: str) -> None:
    """Keys without quotes, enums without quotes, strings with every escape."""
    assert literal(value) == text


def argument(query: str) -> dict[str, Any]:
    """What a GraphQL server reads as the input of the query's only field."""
    (definition,) = graphql.parse(query).definitions
    assert isinstance(definition, graphql.OperationDefinitionNode)
    (field,) = definition.selection_set.selections
    assert isinstance(field, graphql.FieldNode)
    (given,) = field.arguments or ()
    found: dict[str, Any] = graphql.value_from_ast_untyped(given.value)
    return found


def test_a_bid_asks_for_the_same_pod() -> None:
    """The body of REST in the words of GraphQL; no value of it can end its string."""
    assert argument(bids.rent_query(POD, Decimal("0.31"))) == {
        "bidPerGpu": 0.31,
        "cloudType": "COMMUNITY",
        "gpuTypeId": "NVIDIA GeForce RTX 4090",
        "gpuCount": 2,
        "name": "longshore-quick-otter-1",
        "imageName": "r.io/job@sha256:00",
        "dockerArgs": 'bash -c "echo hi"',
        "containerDiskInGb": 40,
        "volumeInGb": 20,
        "volumeMountPath": "/longshore-volume",
        "minMemoryInGb": 32,
        "ports": "22/tcp",
        "supportPublicIp": True,
        "env": [{"key": "A", "value": NASTY}],
    }


def test_a_bid_takes_volume_place_and_login() -> None:
    """A network volume, a data center and a registry's login each have their word there."""
    mounts = Mounts(network=(Network(volume_id="vol1", path="/v"),))
    changed = {"mounts": mounts, "data_center_ids": ("EU-RO-1",), "registry": "reg_1"}
    found = argument(bids.rent_query(POD.model_copy(update=changed), Decimal(1)))
    assert (found["networkVolumeId"], found["volumeMountPath"]) == ("vol1", "/v")
    assert (found["dataCenterId"], found["containerRegistryAuthId"]) == ("EU-RO-1", "reg_1")


def test_floors_are_spot_sales(server: Server, account: Account) -> None:
    """The lowest bid of each cloud, with RunPod's id and our kind."""
    rows = [row(secure0=price(0.4), community0=price(0.2, stock="Low"))]
    server.on("POST /graphql", data(gpuTypes=rows))
    secure, community = bids.floors(account, 2)
    assert (secure.market, secure.usd, secure.stock) == (
        "spot",
        Decimal("0.4"),
        {"anywhere": "high"},
    )
    assert (community.cloud, community.usd) == ("community", Decimal("0.2"))
    assert community.stock_in("anywhere") == "low"
    query = server.asked[0].body["query"]
    assert "secure0: lowestPrice(input: {gpuCount: 2, secureCloud: true})" in query
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_only_the_gpus_asked_for_are_looked_up(server: Server, account: Account) -> None:
    """Each kind by its id; all that RunPod answers count, and a kind it does not know is none."""
    found = [row(secure0=price(0.4))]
    server.on("POST /graphql", data(kind0=found, kind1=[], kind2=None))
    assert len(bids.floors(account, 1, ["NVIDIA GeForce RTX 4090", 'odd "id"', "x"])) == 1
    query = server.asked[0].body["query"]
    assert 'kind0: gpuTypes(input: {id: "NVIDIA GeForce RTX 4090"})' in query
    assert 'kind1: gpuTypes(input: {id: "odd \\"id\\""})' in query
    graphql.parse(query)


@pytest.mark.parametrize(
    "told",
    [price(None), price(0), price(0.69, 0.69), price(0.8, 0.69), None],
    ids=["none", "zero", "a cap", "above", "no price"],
)
def test_a_floor_that_is_no_discount_is_none(server: Server, account: Account, told: Any) -> None:
    """Where RunPod takes no bid below the price on demand there is nothing to bid for."""
    server.on("POST /graphql", data(gpuTypes=[row(secure0=told, community0=told)]))
    assert bids.floors(account, 1) == []


def test_floors_of_data_centers_are_kept_apart(server: Server, account: Account) -> None:
    """A data center that takes no bid has no stock for one; the bid does for all that take it."""
    rows = [row(secure0=price(0.3), secure1=price(None), secure2=price(0.4, stock=None))]
    server.on("POST /graphql", data(gpuTypes=rows))
    (sale,) = bids.floors(account, 1, centers=["EU-RO-1", "US-TX-3", "EU-SE-1"])
    assert sale.usd == Decimal("0.4")
    assert sale.stock == {"EU-RO-1": "high", "US-TX-3": "none", "EU-SE-1": "none"}
    assert 'dataCenterId: "US-TX-3"' in server.asked[0].body["query"]


def test_a_bid_below_the_lowest_names_that(server: Server, account: Account) -> None:
    """One learns what would do, before anything is asked for."""
    server.on("POST /graphql", data(gpuTypes=[row(secure0=price(0.4))]))
    floors = bids.floors(account, 1)
    bids.refuse_low(floors, POD.gpu.id, "secure", "anywhere", Decimal("0.4"))
    with pytest.raises(NoCapacityError, match=r"is 0\.4 USD a GPU-hour now, not 0\.3") as caught:
        bids.refuse_low(floors, POD.gpu.id, "secure", "anywhere", Decimal("0.3"))
    assert caught.value.hint == "set market.bid to 0.4 or more"
    with pytest.raises(NoCapacityError, match="no bid is accepted") as caught:
        bids.refuse_low(floors, POD.gpu.id, "community", "anywhere", Decimal(9))
    assert "withdrawing bids" in caught.value.hint


def test_the_key_goes_to_its_own_address_only(
    server: Server, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK reads its address from the environment; that is as it was afterwards."""
    server.on("POST /graphql", data(kind0=[]))
    for before in (None, "http://127.0.0.1:9"):
        monkeypatch.delenv("RUNPOD_API_BASE_URL", raising=False)
        if before:
            monkeypatch.setenv("RUNPOD_API_BASE_URL", before)
        assert bids.floors(account, 1) == []
        assert os.environ.get("RUNPOD_API_BASE_URL") == before


def test_a_rented_machine_has_an_id(server: Server, account: Account) -> None:
    """The answer's id is the pod's, the same in REST."""
    server.on("POST /graphql", data(podRentInterruptable={"id": "abc"}))
    assert bids.rent(account, POD, Decimal("0.31")) == "abc"
    assert len(server.asked) == 1


def test_a_machine_is_resumed_at_its_bid(server: Server, account: Account) -> None:
    """RunPod refuses a resume that does not say how many GPUs."""
    server.on("POST /graphql", data(podBidResume={"id": "abc"}))
    bids.resume(account, "abc", Decimal("0.31"), 2)
    found = argument(server.asked[0].body["query"])
    assert found == {"podId": "abc", "bidPerGpu": 0.31, "gpuCount": 2}


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (error(NO_BID), NoCapacityError, "no room for a bid"),
        (error(SUPPLY), NoCapacityError, "no machine free"),
        (data(podRentInterruptable=None), NoCapacityError, "no machine"),
        (error("This pod would put you over your current spending limit."), AccountError, "limit"),
        (error("Insufficient funds"), AccountError, "funds"),
        (error("Unauthorized"), AccountError, "refuses the key"),
        (Reply(401, {}), AccountError, "refuses the key"),
        (error("Cannot resume a spot pod as an on demand pod."), ProviderError, "Cannot resume"),
        (error(f"odd {KEY}"), ProviderError, "odd …"),
        (error("Something went wrong. Please try again later."), UnreachableError, "of its own"),
        (Reply(502, raw=b"<html>"), UnreachableError, "gives no answer"),
        (Reply(200, {"errors": []}), UnreachableError, "gives no answer"),
        (Reply(422, {"errors": ["$: odd"]}), UnreachableError, "gives no answer"),
        (Reply(cut=True), UnreachableError, "gives no answer"),
        (problem(410, "this API has ended"), UnreachableError, "gives no data"),
    ],
)
def test_answers_are_our_errors(
    server: Server, account: Account, reply: Reply, kind: type, words: str
) -> None:
    """GraphQL says it in words only; whatever it says, one line of ours comes, without the key."""
    server.on("POST /graphql", reply)
    with pytest.raises(LongshoreError, match=words) as caught:
        bids.rent(account, POD, Decimal("0.31"))
    assert type(caught.value) is kind
    assert KEY not in f"{caught.value}{caught.value.hint}"
    assert len(server.asked) == 1


def test_withdrawn_bids_are_called_that(server: Server, account: Account) -> None:
    """RunPod is ending bids: who asks for one learns it, and what works instead."""
    server.on("POST /graphql", error(NO_BID))
    with pytest.raises(NoCapacityError) as caught:
        bids.rent(account, POD, Decimal("0.31"))
    assert "withdrawing bids" in caught.value.hint
    assert "prefer" in caught.value.hint


def run(code: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", code]
    return subprocess.run(words, capture_output=True, text=True, check=True)


ASK = """
from longshore.errors import LongshoreError
from longshore.providers.runpod import bids
from longshore.providers.runpod.settings import Account
try:
    bids.floors(Account("rpa_X", "http://127.0.0.1:9"), 1)
except LongshoreError as error:
    print(type(error).__name__, error, error.hint, sep="|")
"""


def test_a_missing_sdk_is_told_with_the_command() -> None:
    """Without the extra, the message is the way to it."""
    found = run(f"import sys; sys.modules['runpod'] = None\n{ASK}")
    kind, message, hint = found.stdout.strip().split("|")
    assert (kind, hint) == ("ProviderError", "pip install 'longshore[runpod]'")
    assert "not installed" in message


def test_the_sdk_is_loaded_late_and_quietly() -> None:
    """Its import takes seconds and talks: only a bid pays for it, and nobody hears it."""
    loaded = "import sys, json; from longshore.providers.runpod import bids; "
    found = run(f"{loaded}print(json.dumps('runpod' in sys.modules))")
    assert json.loads(found.stdout) is False
    quiet = run(ASK)
    assert quiet.stdout.startswith("UnreachableError|")
    assert (len(quiet.stdout.splitlines()), quiet.stderr) == (1, "")
