"""Money: the meter, the balance that drains, and the bill that agrees with both."""

from decimal import Decimal

import pytest

from longshore.emulators.runpod.billing import buckets
from longshore.emulators.runpod.client import Emulator
from longshore.emulators.runpod.clock import moment, stamp
from longshore.emulators.runpod.money import Rate, Span, amount, network, running, stopped, turn

from .conftest import GPU, JSON, Api, until

pytestmark = pytest.mark.docker
HOUR = 3600
KEEP = {"persistent": {"size": 73, "path": "/keep"}}


def billed(bill: JSON, pod: str) -> dict[str, float]:
    """All records of a pod together, in the words of the meter."""
    records = [record for record in bill["records"] if record["podId"] == pod]
    return {
        name: sum(record[f"{name}Amount"] for record in records)
        for name in ("gpu", "disk", "total")
    }


def test_running_pod_costs_gpu_and_disks(forms: Api, paper: Emulator) -> None:
    """Price x count, and 0.10 a GB-month for both disks; for each second of the clock."""
    pod = forms.create(gpu={"id": GPU, "count": 2}, disk=73, mounts=KEEP)
    assert pod["cost"] == pytest.approx(0.69 * 2 + 0.01 + 0.01)

    paper.advance(HOUR)

    meter = paper.meter()["pods"][pod["id"]]
    assert meter["gpu"] == pytest.approx(1.38, rel=0.01)
    assert meter["disk"] == pytest.approx(0.02, rel=0.01)


def test_stopped_pod_costs_its_volume_twice(forms: Api, paper: Emulator) -> None:
    """(5) `cost` says 0.0, and the volume is metered at 0.20 a GB-month."""
    pod = forms.create(mounts=KEEP)["id"]
    forms.act(pod, "stop")
    before = paper.meter()["pods"][pod]["total"]

    paper.advance(HOUR)

    assert forms.pod(pod)["cost"] == 0.0
    assert paper.meter()["pods"][pod]["total"] - before == pytest.approx(0.02, rel=0.01)


def test_terminated_pod_costs_nothing_more(forms: Api, paper: Emulator) -> None:
    """(5) Its bill ends with it."""
    pod = forms.create(mounts=KEEP)["id"]
    forms.http.delete(f"/pods/{pod}")
    before = paper.meter()["spent"]
    paper.advance(24 * HOUR)
    assert paper.meter()["spent"] == before


def test_bill_equals_the_meter(forms: Api, paper: Emulator) -> None:
    """(12) All buckets of a pod together are what the meter says, for pods that are gone too."""
    gone, stays = forms.create(mounts=KEEP)["id"], forms.create()["id"]
    paper.advance(5 * HOUR)
    forms.act(gone, "stop")
    paper.advance(30 * HOUR)
    forms.http.delete(f"/pods/{gone}")
    forms.act(stays, "stop")

    meter = paper.meter()["pods"]

    for size in ("hour", "day", "week", "month", "year"):
        bill = forms.http.get(f"/billing/pods?bucketSize={size}").json()
        assert billed(bill, gone) == pytest.approx(meter[gone])
        assert billed(bill, stays) == pytest.approx(meter[stays])
        assert bill["metadata"]["recordCount"] == len(bill["records"])
        assert bill["metadata"]["uniquePodCount"] == 2


def test_bill_of_one_pod(forms: Api, paper: Emulator) -> None:
    """`podId` and `lastN` narrow it down."""
    one, _ = forms.create()["id"], forms.create()["id"]
    paper.advance(3 * HOUR)
    bill = forms.http.get(f"/billing/pods?podId={one}&bucketSize=hour&lastN=2").json()
    assert {record["podId"] for record in bill["records"]} == {one}
    assert len(bill["records"]) == 2


def test_balance_drains(forms: Api, paper: Emulator) -> None:
    """What is spent is gone from the balance."""
    paper.set_balance(10)
    forms.create()
    paper.advance(HOUR)
    assert paper.meter()["balance"] == pytest.approx(10 - 0.69, rel=0.01)


def test_nothing_runs_without_credit(forms: Api, paper: Emulator) -> None:
    """At 0 pods with a network volume are stopped; the others are terminated, data and all."""
    body = {"name": "data", "size": 10, "dataCenter": "US-KS-2"}
    volume = forms.http.post("/network-volumes", json=body).json()["id"]
    mounts = {"network": [{"volumeId": volume, "path": "/data"}]}
    kept, lost = forms.create(mounts=mounts)["id"], forms.create(mounts=KEEP)["id"]

    paper.set_balance(1)
    paper.advance(HOUR)

    assert forms.pod(kept)["status"] == "EXITED"
    assert forms.http.get(f"/pods/{lost}").status_code == 404
    assert paper.leaked() == [kept]


def test_book_keeper_needs_nobody_to_ask(runpod: Emulator, api: Api) -> None:
    """The balance is watched while no request comes."""
    pod = api.ready()["id"]
    runpod.running.hub.world.account.credit = Decimal(0)
    until(lambda: pod in runpod.running.hub.world.pods, lambda there: not there)


@pytest.mark.parametrize(
    ("rate", "hourly"),
    [
        (running(Rate(gpu=Decimal(2)), 73, 730), "2.11"),
        (stopped(730), "0.2"),
        (network(730), "0.07"),
        (network(1730), "0.1459"),
    ],
)
def test_rates(rate: Rate, hourly: str) -> None:
    """RunPod's prices of storage, for an hour of 730 in a month."""
    assert float(rate.total) == pytest.approx(float(hourly), rel=0.001)


def test_spans() -> None:
    """A change of rate ends one span and begins another; a window takes its part of each."""
    spans = turn(turn((), Rate(gpu=Decimal(1)), 0), Rate(gpu=Decimal(3)), HOUR)
    assert spans == (Span(Rate(gpu=Decimal(1)), 0, HOUR), Span(Rate(gpu=Decimal(3)), HOUR))
    assert amount(spans, HOUR / 2, 2 * HOUR).gpu == Decimal("3.5")
    assert amount(turn(spans, None, 2 * HOUR), 0, 9 * HOUR).gpu == Decimal(4)


@pytest.mark.parametrize(
    ("size", "start", "end"),
    [
        ("hour", "2026-03-04T05:00:00Z", "2026-03-04T06:00:00Z"),
        ("day", "2026-03-04T00:00:00Z", "2026-03-05T00:00:00Z"),
        ("week", "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"),
        ("month", "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"),
        ("year", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
    ],
)
def test_buckets_snap_outward(size: str, start: str, end: str) -> None:
    """A moment lies in the whole bucket around it."""
    now = moment("2026-03-04T05:30:00Z")
    assert [tuple(map(stamp, bucket)) for bucket in buckets(size, now, now)] == [(start, end)]


def test_pages(forms: Api, paper: Emulator) -> None:
    """(13) A list comes in pages, each with the cursor of the next."""
    names = [forms.create(name=f"pod-{number}")["name"] for number in range(5)]
    paper.set_page_size(2)
    got, cursor = [], ""
    for size in (2, 2, 1):
        page = forms.http.get("/pods", params={"cursor": cursor} if cursor else {}).json()
        assert len(page["pods"]) == size
        got += [pod["name"] for pod in page["pods"]]
        cursor = page["pagination"]["nextCursor"]
        assert page["pagination"]["hasNextPage"] == (cursor is not None)
    assert got == names
    assert forms.http.get("/pods?cursor=bogus").status_code == 400
