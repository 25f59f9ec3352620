"""Our models against RunPod's own description of its REST API (Apache-2.0, see its NOTICE)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from longshore.errors import ProviderError
from longshore.providers.runpod import models
from longshore.providers.runpod.models import (
    Action,
    CreateGpu,
    CreatePod,
    CreateRegistry,
    Mounts,
    Network,
    Persistent,
    Pod,
    read,
)

FIXTURE = Path(__file__).parents[2] / "fixtures" / "runpod" / "openapi-2026-07-28.yaml"
ALL: dict[type[BaseModel], str] = {
    models.CreatePod: "CreatePodRequest",
    models.CreateRegistry: "CreateRegistryRequest",
    models.Action: "PodActionRequest",
    models.Pod: "Pod",
    models.GpuType: "GpuType",
    models.DataCenter: "DataCenter",
    models.NetworkVolume: "NetworkVolume",
    models.Registry: "Registry",
    models.BillingRecord: "PodBillingRecord",
}
"""What we send and read, and its schema there."""
READ = [model for model in ALL if issubclass(model, models.Read)]
LATER = {
    "gpu.minCudaVersion": "in the document of 2026-08-18",
    "gpu.minRamPerGpu": "added in September 2026",
    "gpu.minVcpuCountPerGpu": "added in September 2026",
    "ssh": "in the document of 2026-08-18; without it the address is read from runtime.ports",
    "ssh.direct": "as ssh",
    "ssh.direct.host": "as ssh",
    "ssh.direct.port": "as ssh",
}
"""What came after the fixture, and how we know."""

OWN: dict[str, Any] = {
    "name": "longshore-quick-otter-1",
    "image": "registry.example/job@sha256:00",
    "gpu": CreateGpu(id="NVIDIA GeForce RTX 4090", count=2),
    "cloud": "SECURE",
    "disk": 40,
    "ports": ("22/tcp",),
    "env": {"A": "1"},
}
BODIES: dict[str, models.Sent] = {
    "persistent": CreatePod(**OWN, mounts=Mounts(persistent=Persistent(size=20, path="/v"))),
    "network": CreatePod(
        **OWN,
        mounts=Mounts(network=(Network(volume_id="vol", path="/v"),)),
        args="bash -c true",
        data_center_ids=("EU-RO-1",),
        registry="reg_1",
    ),
    "registry": CreateRegistry(name="longshore-1", username="u", password="p"),
    "action": Action(action="start"),
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FIXTURE.read_text())
    return found


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.__name__)
def test_every_field_is_runpods(document: dict[str, Any], model: type[BaseModel]) -> None:
    """What we send and read exists there, at every depth, but for what came later."""
    schema = {"$ref": f"#/components/schemas/{ALL[model]}"}
    known = set(paths_of_schema(document, schema))
    assert {path for path in paths_of_model(model) if path not in LATER} <= known


QUERIES = {
    "/v2/catalog/gpus": {"include", "product", "count", "cloud", "minCudaVersion"},
    "/v2/pods/{id}/logs": {"source", "tail"},
    "/v2/billing/pods": {"podId"},
}


@pytest.mark.parametrize("path", QUERIES)
def test_every_query_word_is_runpods(document: dict[str, Any], path: str) -> None:
    """RunPod passes over a word that it does not know, and answers as if it was not there."""
    given = document["components"]["parameters"]
    refs = [one.get("$ref", "") for one in document["paths"][path]["get"]["parameters"]]
    names = {given[ref.rpartition("/")[2]]["name"] for ref in refs if ref}
    names |= {one["name"] for one in document["paths"][path]["get"]["parameters"] if "name" in one}
    assert QUERIES[path] <= names


def test_what_came_later_is_still_later(document: dict[str, Any]) -> None:
    """An excuse that is no longer needed is taken back."""
    known = {
        path
        for name in ALL.values()
        for path in paths_of_schema(document, {"$ref": f"#/components/schemas/{name}"})
    }
    used = {path for model in ALL for path in paths_of_model(model)}
    assert LATER.keys() <= used - known


@pytest.mark.parametrize("name", BODIES)
def test_bodies_are_valid(document: dict[str, Any], name: str) -> None:
    """RunPod's own schema takes what we send; it refuses every field that it does not know."""
    validator(document, ALL[type(BODIES[name])]).validate(BODIES[name].body())


def test_the_schema_refuses_strangers(document: dict[str, Any]) -> None:
    """The check above can fail: a field of the old API is refused."""
    old = BODIES["persistent"].body() | {"imageName": "x"}
    assert not validator(document, "CreatePodRequest").is_valid(old)


@pytest.mark.parametrize("model", READ, ids=lambda model: model.__name__)
def test_runpods_own_examples_are_read(document: dict[str, Any], model: type[models.Read]) -> None:
    """An answer made of the document's examples is read without a fault."""
    found = example(document, {"$ref": f"#/components/schemas/{ALL[model]}"})
    assert read(model, found)


def test_what_we_need_is_required_there(document: dict[str, Any]) -> None:
    """A field that we cannot do without is one that RunPod promises."""
    for model in READ:
        needed = {field.alias for field in model.model_fields.values() if field.is_required()}
        assert needed <= set(required(document, {"$ref": f"#/components/schemas/{ALL[model]}"}))


def test_unknown_and_missing_fields_are_borne() -> None:
    """RunPod adds fields without a word, and nulls those that a state does not have."""
    pod = read(Pod, {"id": "a", "status": "STARTING", "ssh": None, "runtime": None, "new": 1})
    assert (pod.name, pod.address, pod.volume_gb, pod.env) == ("", None, 0, {})


DIRECT = {"host": "1.2.3.4", "port": 10022, "username": "root"}
TCP = {"private": 22, "public": 30022, "type": "tcp", "ip": "5.6.7.8"}


@pytest.mark.parametrize(
    ("facts", "address"),
    [
        ({"ssh": {"direct": DIRECT, "proxy": {}}}, ("1.2.3.4", 10022)),
        ({"ssh": {"direct": DIRECT}, "runtime": {"ports": [TCP]}}, ("1.2.3.4", 10022)),
        ({"ssh": {"direct": None}, "runtime": {"ports": [TCP]}}, ("5.6.7.8", 30022)),
        ({"runtime": {"ports": [{**TCP, "private": 8888}, TCP]}}, ("5.6.7.8", 30022)),
        ({"runtime": {"ports": [{**TCP, "public": None}]}}, None),
        ({"runtime": {"ports": [{**TCP, "type": "http"}]}}, None),
        ({"runtime": {}}, None),
    ],
)
def test_the_address_of_its_sshd(facts: dict[str, Any], address: tuple[str, int] | None) -> None:
    """The ready block is believed first, else the public port of 22/tcp; a proxy is no way in."""
    assert read(Pod, {"id": "a", "status": "RUNNING", **facts}).address == address


@pytest.mark.parametrize("answer", [{"id": "a"}, {"status": "RUNNING"}, [], None, "x"])
def test_an_answer_of_another_shape_is_said(answer: Any) -> None:
    """One line that names the field, and no values of it."""
    with pytest.raises(ProviderError, match="RunPod's answer is not as its API says: Pod"):
        read(Pod, answer)


def test_secrets_are_in_no_repr() -> None:
    """A host key, a login and whatever stands in env can be shown nowhere by accident."""
    assert "password" not in repr(BODIES["registry"])
    assert "'A'" not in repr(BODIES["persistent"])


def resolve(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all that it is made of."""
    if "$ref" in schema:
        yield from resolve(document, document["components"]["schemas"][schema["$ref"][21:]])
        return
    yield schema
    for part in [*schema.get("allOf", ()), *schema.get("anyOf", ())]:
        yield from resolve(document, part)


def properties(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    parts = resolve(document, schema)
    return {name: inner for part in parts for name, inner in part.get("properties", {}).items()}


def required(document: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    return [name for part in resolve(document, schema) for name in part.get("required", ())]


def paths_of_schema(
    document: dict[str, Any], schema: dict[str, Any], before: str = ""
) -> Iterator[str]:
    for part in resolve(document, schema):
        if "items" in part:
            yield from paths_of_schema(document, part["items"], before)
    for name, inner in properties(document, schema).items():
        yield f"{before}{name}"
        yield from paths_of_schema(document, inner, f"{before}{name}.")


def paths_of_model(model: type[BaseModel], before: str = "") -> Iterator[str]:
    for field in model.model_fields.values():
        yield f"{before}{field.alias}"
        for inner in models_in(field.annotation):
            yield from paths_of_model(inner, f"{before}{field.alias}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


def example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """A value made of the examples in a schema."""
    inner = properties(document, schema)
    if inner:
        return {name: example(document, one) for name, one in inner.items()}
    for part in resolve(document, schema):
        if part.get("examples"):
            return part["examples"][0]
        if "enum" in part:
            return part["enum"][0]
        if part.get("type") == "array":
            return [example(document, part["items"])]
    return {"number": 1.5, "integer": 1}.get(next(resolve(document, schema)).get("type", ""))


def validator(document: dict[str, Any], name: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    return jsonschema.Draft202012Validator(schema)
