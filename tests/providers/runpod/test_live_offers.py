"""Offers as they come: live, kept for a moment, or bundled."""

from dataclasses import replace
from pathlib import Path

import pytest

from longshore.configs.spec import Gpu, Runpod
from longshore.errors import (
    AccountError,
    NoOfferError,
    ProviderError,
    UnreachableError,
)
from longshore.providers.base import Need
from longshore.providers.runpod import RunpodProvider

from .listings import CATALOG
from .pods import NEED
from .server import Reply, Server, problem

PULLED = replace(NEED, has_image=True)
"""A job whose image RunPod can pull."""


def test_live_offers_are_asked_by_cloud_and_count(server: Server, provider: RunpodProvider) -> None:
    """Stock is per cloud and count, and the two query words that need each other are sent."""
    server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
    found = provider.offers(Need(gpu=Gpu("RTX 4090", 2)))
    assert [(one.source, one.zone) for one in found] == [
        ("live", "community"),
        ("live", "secure"),
    ]
    plain = {"include": "AVAILABILITY", "product": "POD", "count": "2", "minCudaVersion": "13.0"}
    assert [one.query for one in server.asked] == [
        plain | {"cloud": "SECURE"},
        plain | {"cloud": "COMMUNITY"},
    ]


def test_a_plan_and_its_dry_run_ask_once(server: Server, provider: RunpodProvider) -> None:
    """An answer of a moment ago serves again, and says that it was kept."""
    server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
    first, again = provider.offers(NEED), provider.offers(NEED)
    assert len(server.asked) == 2
    assert [replace(one, source="live") for one in again] == first
    assert {one.source for one in again} == {"cache"}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"at": 0, "answer": []}', '{"at": 9e99, "answer": []}']
)
def test_a_damaged_or_old_cache_is_asked_anew(
    server: Server, provider: RunpodProvider, tmp_path: Path, content: str
) -> None:
    """What was kept is a convenience: it is never a fault, and never older than a minute."""
    server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
    provider.offers(NEED)
    for path in (tmp_path / "cache" / "runpod").glob("*.json"):
        path.write_text(content)
    assert {one.source for one in provider.offers(NEED)} == {"live"}


def test_without_a_key_the_bundle_serves() -> None:
    """A dry run needs no account: the prices have their dates, and the reason is said."""
    found = RunpodProvider(environ={}).offers(PULLED)
    assert {one.source for one in found} == {"bundled"}
    assert {one.note for one in found} == {"bundled price: no RunPod API key"}
    assert {(one.region, one.stock) for one in found} == {("anywhere", "")}
    assert {one.zone for one in found} == {"secure", "community"}


def test_without_a_network_the_bundle_serves(server: Server, provider: RunpodProvider) -> None:
    """An estimate goes on while RunPod is silent, and says so."""
    server.on("GET /v2/catalog/gpus", Reply(cut=True))
    (note,) = {one.note for one in provider.offers(NEED)}
    assert note.startswith("bundled price: RunPod at ")
    assert "does not answer" in note


def test_a_wrong_key_is_no_reason_for_old_prices(server: Server, provider: RunpodProvider) -> None:
    """A refused key must be mended: it is told before anything is planned."""
    server.on("GET /v2/catalog/gpus", problem(401, "invalid token"))
    with pytest.raises(AccountError, match="refuses the key"):
        provider.offers(NEED)


def test_an_unknown_data_center_is_told(server: Server, provider: RunpodProvider) -> None:
    """A slip in a data center's name is not taken for a lack of stock."""
    server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
    server.on("GET /v2/catalog/datacenters", Reply(200, {"dataCenters": [{"id": "EU-RO-1"}]}))
    need = replace(NEED, runpod=Runpod(data_centers=("EU-R0-1",)))
    with pytest.raises(NoOfferError, match="no data center 'EU-R0-1'") as caught:
        provider.offers(need)
    assert caught.value.hint == "did you mean 'EU-RO-1'?"


def test_a_network_volume_is_found_by_name(server: Server, provider: RunpodProvider) -> None:
    """It pins the data center, and what it costs by itself is said."""
    volume = {"id": "v1", "name": "data", "size": 100, "dataCenter": "EU-RO-1"}
    server.on("GET /v2/network-volumes", Reply(200, {"networkVolumes": [volume]}))
    server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
    need = replace(PULLED, runpod=Runpod(volume="data"))
    (found,) = provider.offers(need)
    assert (found.region, found.zone) == ("EU-RO-1", "secure")
    assert found.note == "network volume data costs 0.009589 USD an hour, run or no run"
    with pytest.raises(ProviderError, match="no network volume 'dada'") as caught:
        provider.offers(replace(PULLED, runpod=Runpod(volume="dada")))
    assert caught.value.hint == "did you mean 'data'?"


def test_prefer_goes_on_without_bids(server: Server, provider: RunpodProvider) -> None:
    """Where bids are refused, a job that only prefers them takes machines on demand."""
    server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
    server.on("POST /graphql", Reply(200, {"errors": [{"message": "bids are gone"}]}))
    found = provider.offers(replace(PULLED, spot="prefer"))
    assert {one.market for one in found} == {"on-demand"}
    assert found[0].note == "no bids: RunPod refuses: bids are gone"
    server.on("POST /graphql", Reply(200, {"data": {"kind0": []}}))
    (quiet, *_) = provider.offers(replace(PULLED, spot="prefer"))
    assert quiet.note == "RunPod takes no bids for it: it is withdrawing them"
    server.on("POST /graphql", Reply(200, {"errors": [{"message": "bids are gone"}]}))
    with pytest.raises(ProviderError, match="bids are gone"):
        provider.offers(replace(PULLED, spot="only"))


def test_stock_is_of_machines_that_can_run_it(server: Server, provider: RunpodProvider) -> None:
    """A job on the CPU takes any driver; more GPUs than a machine has are not asked about."""
    server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
    provider.offers(replace(NEED, device="cpu"))
    assert "minCudaVersion" not in server.asked[0].query
    with pytest.raises(NoOfferError, match="at most 8"):
        provider.offers(replace(NEED, gpu=Gpu("RTX 4090", 99)))
    assert server.asked[-1].query["count"] == "8"


def test_bids_alone_need_an_account(server: Server, provider: RunpodProvider) -> None:
    """Nobody's old prices say what may be bid for: the reason is told instead."""
    only = replace(NEED, spot="only")
    with pytest.raises(AccountError, match="no RunPod API key"):
        RunpodProvider(environ={}).offers(only)
    server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
    server.on("POST /graphql", Reply(cut=True))
    with pytest.raises(UnreachableError):
        provider.offers(only)


def test_a_job_without_a_registry_is_told_the_difference() -> None:
    """The same entrypoint runs on a public image, whose packages are installed at each start."""
    (note,) = {one.note for one in RunpodProvider(environ={}).offers(NEED)}
    assert f"no image.registry: on {Runpod().base} the packages are installed" in note
