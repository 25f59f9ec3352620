"""When the emulated RunPod says no, it says it as RunPod does."""

from typing import Any

import httpx
import pytest

from longshore.emulators.runpod.client import Emulator
from longshore.emulators.runpod.faults import Fault

from .conftest import GPU, Api

pytestmark = pytest.mark.docker
NO_CAPACITY = (
    "There are no longer any instances available with the requested specifications. "
    "Please refresh and try again."
)
KEEP = {"persistent": {"size": 10, "path": "/keep"}}


def free(api: Api, count: int = 1, cloud: str = "SECURE") -> dict[str, str]:
    """What the catalog says of GPU: {data center: availability}."""
    query = f"include=AVAILABILITY&product=POD&count={count}&cloud={cloud}"
    found = api.http.get(f"/catalog/gpus/{GPU}?{query}").json()
    return {center["id"]: center["availability"] for center in found["dataCenters"]}


@pytest.mark.parametrize(
    "change",
    [
        {"gpu": {"id": GPU}},
        {"gpu": {"id": "RTX 4090", "count": 1}},
        {"gpu": {"id": "unknown", "count": 1}},
        {"gpu": {"id": GPU, "count": 999}},
        {"gpu": {"id": GPU, "count": 1, "minCudaVersion": "99.0"}},
        {"gpu": {"id": GPU, "count": 1, "allowedCudaVersions": ["11.8"]}},
        {"dataCenterIds": ["EU-SE-1"]},
        {"gpu": {"id": "NVIDIA A30", "count": 1}, "cloud": "SECURE"},
    ],
    ids=["no count", "short name", "unknown", "many", "CUDA", "CUDAs", "elsewhere", "cloud"],
)
def test_what_cannot_be_placed_reads_like_no_capacity(desk: Api, change: Any) -> None:
    """(6, 9) A missing count, a wrong name and a bad filter are all told in the same words."""
    answer = desk.ask(**change)
    assert (answer.status_code, answer.json()["detail"]) == (400, NO_CAPACITY)


def test_stock_is_per_count_cloud_and_place(paper: Emulator, forms: Api) -> None:
    """(6) Tests set what is there for (GPU, count, cloud, data center)."""
    paper.set_stock(0, gpu=GPU)
    paper.set_stock(8, gpu=GPU, cloud="COMMUNITY", data_center="US-TX-4")
    paper.set_stock(0, gpu=GPU, cloud="COMMUNITY", data_center="US-TX-4", count=4)

    assert free(forms) == {}
    assert free(forms, 1, "COMMUNITY") == {"US-TX-4": "HIGH"}
    assert free(forms, 4, "COMMUNITY") == {}
    assert forms.ask().status_code == 400
    assert forms.create(cloud="COMMUNITY")["dataCenterId"] == "US-TX-4"


def test_stock_goes_down_with_every_pod(paper: Emulator, forms: Api) -> None:
    """(6) What was rented is not free until it is stopped."""
    paper.set_stock(0, gpu=GPU)
    paper.set_stock(2, gpu=GPU, cloud="SECURE", data_center="EU-RO-1")
    pod = forms.create(gpu={"id": GPU, "count": 2})["id"]
    assert forms.ask().status_code == 400

    forms.act(pod, "stop")

    assert forms.ask().status_code == 201


def test_catalog_can_be_older_than_the_stock(paper: Emulator, forms: Api) -> None:
    """(6) The catalog says HIGH, and the create finds nothing."""
    paper.set_stock(0, gpu=GPU, cloud="SECURE", data_center="EU-RO-1", shown="HIGH")

    assert free(forms)["EU-RO-1"] == "HIGH"
    assert forms.ask(dataCenterIds=["EU-RO-1"]).json()["detail"] == NO_CAPACITY


def test_credit_for_an_hour_is_needed(paper: Emulator, forms: Api) -> None:
    """(7) 402 when the balance does not last for an hour of the pod."""
    paper.set_balance(0.60)
    assert forms.ask().status_code == 402
    paper.set_balance(0.80)
    assert forms.ask().status_code == 201


def test_spending_limit(paper: Emulator, forms: Api) -> None:
    """(7) An account spends at most 80 USD an hour."""
    paper.set_balance(10_000)
    paper.set_price(GPU, "SECURE", price=45)
    forms.create()
    assert "spending limit" in forms.ask().json()["detail"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"bogus": 1}, "$: additional properties 'bogus' not allowed"),
        ({"name": None}, "$: missing property 'name'"),
        ({"image": None}, "$: missing property 'image'"),
        ({"imageName": "x"}, "$: additional properties 'imageName' not allowed"),
        ({"interruptible": True}, "$: additional properties 'interruptible' not allowed"),
        ({"cloud": "ALL"}, "$.cloud: value must be one of 'SECURE', 'COMMUNITY'"),
        ({"disk": 0}, "$.disk: minimum: got 0, want 1"),
        ({"env": ["A=b"]}, "$.env: got array, want object"),
        ({"mounts": {"persistent": {"size": 10}}}, "$.mounts.persistent: missing property 'path'"),
        ({"mounts": {"persistent": {"size": 5, "path": "/x"}}}, "minimum: got 5, want 10"),
        ({"ports": "22/tcp"}, "$.ports: got string, want array"),
    ],
)
def test_body_that_does_not_fit(desk: Api, change: dict[str, Any], error: str) -> None:
    """(7) 422, and `errors` names the place and the fault."""
    answer = desk.ask(**change)
    body = answer.json()
    assert (answer.status_code, body["detail"]) == (422, "Request validation failed.")
    assert error in "\n".join(body["errors"])


@pytest.mark.parametrize(
    "change",
    [
        {"cpu": {"id": "cpu5c", "vcpuCount": 4}},
        {"gpu": None},
        {"mounts": KEEP | {"network": [{"volumeId": "v", "path": "/keep"}]}},
        {"ports": ["22"]},
        {"ports": [f"{8000 + number}/http" for number in range(11)]},
    ],
)
def test_fields_that_contradict_each_other(desk: Api, change: dict[str, Any]) -> None:
    """(7) 400, with words of its own."""
    answer = desk.ask(**change)
    assert answer.status_code == 400
    assert answer.json()["detail"] != NO_CAPACITY


def test_key_is_asked_for(paper: Emulator) -> None:
    """(7) 401 without a key, and with a wrong one."""
    url = f"{paper.url}/v2/pods"
    assert httpx.get(url).json()["detail"] == "missing bearer token"
    assert httpx.get(url, headers={"Authorization": "Bearer other"}).status_code == 401


def test_size_is_looked_at_before_the_key(paper: Emulator) -> None:
    """(7) 413 for more than 102,400 bytes, key or no key."""
    assert httpx.post(f"{paper.url}/v2/pods", content=b" " * 102_401).status_code == 413


def test_rate_limit(paper: Emulator, forms: Api) -> None:
    """(7) Answers tell what is left; at nothing it is 429 with all three headers."""
    before = forms.http.get("/pods").headers
    assert '"minute";r=' in before["RateLimit"]
    assert '"hour";q=200000;w=3600' in before["RateLimit-Policy"]

    paper.limit(minute=1)
    answer = forms.http.get("/pods")

    assert answer.status_code == 429
    assert answer.json()["detail"] == "rate limit exceeded for the minute window"
    assert '"minute";r=0' in answer.headers["RateLimit"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    paper.advance(60)
    assert forms.http.get("/pods").status_code == 200


def test_ordered_answers(paper: Emulator, forms: Api) -> None:
    """(7) Any answer can be ordered for the next requests that match, one order after another."""
    paper.fault(Fault(status=403, detail="access denied", path="/v2/pods", times=2))
    paper.fault(Fault(status=503, path="/v2/pods", skip=1))

    paths = ("/registries", "/pods", "/pods", "/pods", "/pods", "/pods")

    statuses = [forms.http.get(path).status_code for path in paths]
    assert statuses == [200, 403, 403, 200, 503, 200]


def test_answer_can_be_lost_after_the_create(paper: Emulator, forms: Api) -> None:
    """(7) The pod is there and bills, though its create seemed to fail."""
    paper.fault(Fault("lost", method="POST", path="/v2/pods"))

    with pytest.raises(httpx.RemoteProtocolError):
        forms.ask(name="once")

    assert [pod["name"] for pod in forms.http.get("/pods").json()["pods"]] == ["once"]


def test_connection_can_break_before_the_create(paper: Emulator, forms: Api) -> None:
    """(7) The same for the client, but there is no pod."""
    paper.fault(Fault("drop", method="POST", path="/v2/pods"))

    with pytest.raises(httpx.RemoteProtocolError):
        forms.ask()

    assert forms.http.get("/pods").json()["pods"] == []


def test_answer_can_break_off(paper: Emulator, forms: Api) -> None:
    """(7) Headers and some of the body, and then nothing."""
    paper.fault(Fault("cut", path="/v2/pods", after=5))
    with pytest.raises(httpx.RemoteProtocolError):
        forms.http.get("/pods")


def test_answer_can_come_late(paper: Emulator, forms: Api) -> None:
    """(7) Later than the client waits."""
    paper.fault(Fault("slow", path="/v2/pods", delay=0.5))
    with pytest.raises(httpx.ReadTimeout):
        forms.http.get("/pods", timeout=0.1)


def test_unknown_query_is_ignored(forms: Api) -> None:
    """(9) A filter that is misspelt returns everything, with 200."""
    forms.create()
    assert len(forms.http.get("/pods?nmae=other").json()["pods"]) == 1


def test_method_that_is_not_there(desk: Api) -> None:
    """405 tells what would be allowed."""
    answer = desk.http.put("/pods")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("path", ["/v1/pods", "/v1/pods/abc", "/v1/networkvolumes"])
def test_v1_is_gone(desk: Api, path: str) -> None:
    """(15) Everything of REST v1 answers 410."""
    url = desk.http.base_url.join(path)
    assert desk.http.get(url).status_code == 410
    assert desk.http.post(url, json={}).status_code == 410
