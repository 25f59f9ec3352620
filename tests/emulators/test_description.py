"""Answers of REST v2 held against RunPod's own description of it (2026-07-28)."""

from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml

from longshore.emulators.runpod.client import Emulator

from .conftest import Api, until

pytestmark = pytest.mark.docker
FILE = Path(__file__).parent.parent / "fixtures/runpod/openapi-2026-07-28.yaml"
VOLUME = {"name": "data", "size": 10, "dataCenter": "US-KS-2"}
REGISTRY = {"name": "hub", "username": "me", "password": "word"}
STOCK = "include=AVAILABILITY&product=POD"
JSON = dict[str, Any]


@cache
def description() -> JSON:
    found: JSON = yaml.safe_load(FILE.read_text())
    return found


def schema(method: str, path: str, status: int, kind: str) -> JSON:
    """Of one answer; its references lead into the whole description."""
    answers = description()["paths"][path][method.lower()]["responses"]
    answer = answers.get(str(status)) or answers["default"]
    if "$ref" in answer:
        answer = description()["components"]["responses"][answer["$ref"].split("/")[-1]]
    return {**answer["content"][kind]["schema"], "components": description()["components"]}


def fits(answer: httpx.Response, path: str) -> Any:
    """The answer's body, when it fits what is described for that path."""
    kind = answer.headers["content-type"].split(";")[0]
    wanted = schema(answer.request.method, path, answer.status_code, kind)
    body = answer.json()
    jsonschema.validate(body, wanted, cls=jsonschema.Draft202012Validator)
    return body


def test_pods(api: Api) -> None:
    """Every answer about a pod, from its creation to its end."""
    mounts = {"persistent": {"size": 10, "path": "/keep"}}
    pod = fits(api.ask(mounts=mounts, env={"A": "b"}), "/v2/pods")["id"]
    api.wait(pod, lambda pod: pod["ssh"]["direct"])

    fits(api.http.get(f"/pods/{pod}"), "/v2/pods/{id}")
    fits(api.http.get("/pods"), "/v2/pods")
    fits(api.http.patch(f"/pods/{pod}", json={"name": "other"}), "/v2/pods/{id}")
    fits(api.act(pod, "stop"), "/v2/pods/{id}/action")
    assert api.http.delete(f"/pods/{pod}").status_code == 204


def test_cpu_pod(forms: Api) -> None:
    """A pod without GPUs says what it has instead."""
    pod = fits(forms.ask(gpu=None, cpu={"id": "cpu5c", "vcpuCount": 4}), "/v2/pods")

    assert pod["cpu"] == {"id": "cpu5c", "vcpuCount": 4, "memory": 8}
    assert "gpu" not in pod


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v2/catalog/gpus", "/catalog/gpus"),
        ("/v2/catalog/gpus", f"/catalog/gpus?{STOCK}&count=4&cloud=SECURE"),
        ("/v2/catalog/gpus/{id}", f"/catalog/gpus/NVIDIA%20GeForce%20RTX%204090?{STOCK}"),
        ("/v2/catalog/cpus", "/catalog/cpus"),
        ("/v2/catalog/cpus/{id}", "/catalog/cpus/cpu3c"),
        ("/v2/catalog/datacenters", "/catalog/datacenters?include=GPU_AVAILABILITY"),
        ("/v2/catalog/datacenters/{id}", "/catalog/datacenters/US-KS-2"),
        ("/v2/billing/pods", "/billing/pods?bucketSize=hour&lastN=2"),
    ],
)
def test_looking(desk: Api, path: str, asked: str) -> None:
    """Catalog and bills."""
    fits(desk.http.get(asked), path)


def test_network_volumes(forms: Api) -> None:
    """Made, listed, grown."""
    volume = fits(forms.http.post("/network-volumes", json=VOLUME), "/v2/network-volumes")["id"]
    fits(forms.http.get("/network-volumes"), "/v2/network-volumes")
    fits(forms.http.get(f"/network-volumes/{volume}"), "/v2/network-volumes/{id}")
    grown = forms.http.patch(f"/network-volumes/{volume}", json={"size": 20})
    assert fits(grown, "/v2/network-volumes/{id}")["size"] == 20


def test_registries(forms: Api) -> None:
    """Credentials go in, and never come out."""
    made = forms.http.post("/registries", json=REGISTRY)
    registry = fits(made, "/v2/registries")["id"]
    fits(forms.http.get(f"/registries/{registry}"), "/v2/registries/{id}")
    listed = forms.http.get("/registries")
    fits(listed, "/v2/registries")
    assert "word" not in made.text + listed.text


def test_templates(forms: Api) -> None:
    """A template is resolved once, and its env is merged with the pod's own."""
    body = {"name": "base", "image": "python:3.11-slim", "env": {"A": "a", "B": "b"}, "disk": 33}
    template = fits(forms.http.post("/templates", json=body), "/v2/templates")["id"]
    fits(forms.http.get("/templates"), "/v2/templates")
    fits(forms.http.get(f"/templates/{template}"), "/v2/templates/{id}")

    pod = forms.create(templateId=template, image=None, disk=None, env={"B": "other"})

    assert (pod["disk"], pod["env"]) == (33, {"A": "a", "B": "other"})


@pytest.mark.parametrize(
    ("method", "asked", "body", "path", "status"),
    [
        ("GET", "/pods/nobody", None, "/v2/pods/{id}", 404),
        ("POST", "/pods", {"bogus": 1}, "/v2/pods", 422),
        ("POST", "/pods", {"name": "x", "image": "y"}, "/v2/pods", 400),
        ("GET", "/network-volumes/nothing", None, "/v2/network-volumes/{id}", 404),
        ("GET", "/catalog/gpus/nothing", None, "/v2/catalog/gpus/{id}", 404),
    ],
)
def test_problems(desk: Api, method: str, asked: str, body: Any, path: str, status: int) -> None:
    """What goes wrong is told as `application/problem+json`."""
    answer = desk.http.request(method, asked, json=body)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert fits(answer, path)["status"] == status


def test_every_answer_has_a_request_id(forms: Api, paper: Emulator) -> None:
    """Even a refusal can be named to RunPod's support."""
    ids = {forms.http.get(path).headers["x-request-id"] for path in ("/pods", "/nothing")}
    ids.add(httpx.get(f"{paper.url}/v2/pods").headers["x-request-id"])
    assert len(ids) == 3


def test_description_of_logs_is_the_frame(api: Api) -> None:
    """A log event is an id and a JSON object with ts, source and line."""
    pod = api.create()["id"]
    with api.http.stream("GET", f"/pods/{pod}/logs?source=system") as answer:
        lines = answer.iter_lines()
        first, second = next(lines), next(lines)
    assert first.startswith("id: ")
    assert first.endswith("/000000000001")
    assert '"source":"system"' in second
    until(lambda: api.pod(pod), lambda pod: pod["status"] == "RUNNING")
