"""A pod is made once: what its name stands for is adopted."""

import logging
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from longshore.configs.spec import Runpod
from longshore.errors import (
    AccountError,
    NoCapacityError,
    NoOfferError,
    ProviderError,
    UnreachableError,
)
from longshore.providers.remote import Keys
from longshore.providers.runpod import RunpodProvider

from .conftest import KEY
from .pods import FLOORS, NAME, NEED, ORDER, lists, offer, pod, records
from .server import Reply, Server, problem

FULL = "There are no longer any instances available with the requested specifications."


def test_a_pod_is_made_by_its_name(server: Server, maker: RunpodProvider) -> None:
    """The body has the order's name, our key and the boot script; its id comes back."""
    server.on("POST /v2/pods", Reply(201, pod(status="PROVISIONING")))
    assert maker.request(offer(), ORDER) == "abc123"
    (made,) = server.calls("POST /v2/pods")
    assert made.body["name"] == NAME
    assert made.body["env"]["LONGSHORE_BOOT"] == "echo boot\n"
    assert made.body["env"]["PUBLIC_KEY"] == Keys.load(NAME).public


def test_the_key_stays_in_memory(
    server: Server, maker: RunpodProvider, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No file and no log has it; nor does the pod, which has a key of its own."""
    server.on("POST /v2/pods", Reply(201, pod()))
    server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": []}))
    with caplog.at_level(logging.DEBUG):
        maker.request(offer(), ORDER)
        with pytest.raises(NoOfferError):
            maker.offers(NEED)
    kept = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    sent = [str(one.body) for one in server.asked]
    assert len(kept) > 4
    assert KEY not in "\n".join([*kept, *sent, caplog.text, repr(maker)])


def test_what_is_there_is_adopted(server: Server, maker: RunpodProvider) -> None:
    """A name that is taken by this order's own pod is never asked for again."""
    server.on("GET /v2/pods", lists(pod()))
    assert maker.request(offer(), ORDER) == "abc123"
    assert server.calls("POST /v2/pods") == []


def test_somebody_elses_pod_is_not_adopted(server: Server, maker: RunpodProvider) -> None:
    """RunPod's names are not unique: the owner's mark decides."""
    server.on("GET /v2/pods", lists(pod(id="other", env={"LONGSHORE_OWNER": "bob"})))
    server.on("POST /v2/pods", Reply(201, pod()))
    assert maker.request(offer(), ORDER) == "abc123"


@pytest.mark.parametrize(
    "lost", [Reply(cut=True), problem(502), Reply(200, raw=b"<html>"), Reply(201, {"odd": 1})]
)
def test_a_lost_answer_is_looked_for(server: Server, maker: RunpodProvider, lost: Reply) -> None:
    """A create that timed out but happened is found by its name, though it shows late."""
    server.on("GET /v2/pods", lists(), lists(), lists(pod()))
    server.on("POST /v2/pods", lost)
    assert maker.request(offer(), ORDER) == "abc123"
    assert len(server.calls("POST /v2/pods")) == 1


def test_a_create_that_did_not_happen_leaves_nothing(
    server: Server, maker: RunpodProvider, tmp_path: Path
) -> None:
    """When it is really absent that is said, so that the next offer is tried."""
    server.on("POST /v2/pods", problem(503))
    with pytest.raises(ProviderError, match=f"did not take the request for {NAME}") as caught:
        maker.request(offer(), ORDER)
    assert not isinstance(caught.value, UnreachableError)
    assert records(tmp_path / "state") == []


def test_a_lost_answer_and_a_silent_list_keep_the_record(
    server: Server, maker: RunpodProvider, tmp_path: Path
) -> None:
    """While nobody can say whether it was made, its keys and its record are kept."""
    server.on("GET /v2/pods", lists(), problem(503))
    server.on("POST /v2/pods", Reply(cut=True))
    with pytest.raises(UnreachableError):
        maker.request(offer(), ORDER)
    assert len(records(tmp_path / "state")) == 1
    assert Keys.load(NAME)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [(problem(400, FULL), NoCapacityError), (problem(402), AccountError)],
)
def test_a_refusal_leaves_nothing(
    server: Server,
    maker: RunpodProvider,
    tmp_path: Path,
    refusal: Reply,
    kind: type[Exception],
) -> None:
    """What was refused was never made: no record and no keys stay behind."""
    server.on("POST /v2/pods", refusal)
    with pytest.raises(kind):
        maker.request(offer(), ORDER)
    assert records(tmp_path / "state") == []
    with pytest.raises(ProviderError):
        Keys.load(NAME)


def test_what_may_be_the_reason_besides_stock(server: Server, maker: RunpodProvider) -> None:
    """RunPod says "no instances" as well for a driver or a data center that has none."""
    server.on("POST /v2/pods", problem(400, FULL))
    with pytest.raises(NoCapacityError) as caught:
        maker.request(offer(region="EU-RO-1"), ORDER)
    assert caught.value.hint.endswith(
        "; asked for with runpod.min_cuda 13.0 and runpod.data_centers EU-RO-1"
    )


def test_a_bid_is_held_against_the_lowest(server: Server, maker: RunpodProvider) -> None:
    """The floor is asked for again just before; the record keeps the bid, to wake it later."""
    floors = Reply(200, {"data": FLOORS})
    rented = Reply(200, {"data": {"podRentInterruptable": {"id": "abc123"}}})
    server.on("POST /graphql", floors, rented)
    spot = offer(market="spot", usd_per_hour=Decimal("0.31"))
    assert maker.request(spot, ORDER) == "abc123"
    assert "bidPerGpu: 0.30" in server.calls("POST /graphql")[1].body["query"]
    server.on("POST /graphql", floors)
    with pytest.raises(NoCapacityError, match=r"lowest bid for .* is 0\.3 USD"):
        maker.request(replace(spot, usd_per_hour=Decimal("0.2")), replace(ORDER, attempt=2))


def test_an_unknown_volume_is_told_before(server: Server, maker: RunpodProvider) -> None:
    """A volume that went away since the plan is no reason to make a pod without it."""
    server.on("GET /v2/network-volumes", Reply(200, {"networkVolumes": []}))
    need = replace(NEED, runpod=Runpod(volume="data"))
    with pytest.raises(ProviderError, match="no network volume 'data'") as caught:
        maker.request(offer(), replace(ORDER, need=need))
    assert caught.value.hint == "this account has none"
    assert server.calls("POST /v2/pods") == []
