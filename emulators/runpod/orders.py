"""From the body of a create or an update to the values of a pod."""

import json
from dataclasses import dataclass
from typing import Any

from .catalog import HOST_CUDA, cpu_types, data_centers, gpu_types
from .money import Rate
from .problems import ProblemError, SupplyError, not_found
from .state import Pod, World, new_id
from .stock import Want, places

DEFAULT_DISK_GB = 20
MAX_HTTP_PORTS = 10
MAX_ENV = 50
Body = dict[str, Any]


@dataclass(frozen=True)
class Place:
    cloud: str
    data_center: str


def pod_of(body: Body, world: World, now: float) -> Pod:
    """The pod that a checked body asks for, placed; raises what RunPod says against it."""
    body = _with_template(body, world)
    _refuse_conflicts(body)
    _refuse_unknown(body, world)
    place = _place(body, world)
    gpu, cpu = body.get("gpu"), body.get("cpu")
    return Pod(
        id=new_id(),
        name=body["name"],
        cloud=place.cloud,
        data_center=place.data_center,
        compute=_compute(body, place, world),
        created=now,
        key=f"rpa_{new_id(40).upper()}",
        gpu=(gpu["id"], gpu["count"]) if gpu else None,
        cpu=(cpu["id"], cpu["vcpuCount"]) if cpu else None,
        template=body.get("templateId"),
        public_key="\n".join(world.account.ssh_keys) if body.get("startSsh") else "",
        jupyter=bool(body.get("startJupyter")),
        **container({"disk": DEFAULT_DISK_GB, **body}),
    )


def container(body: Body) -> dict[str, Any]:
    """The fields of a Pod that say how its container is made, of those that the body has."""
    plain = ("image", "disk", "env", "registry", "mounts")
    found = {name: body[name] for name in plain if name in body}
    if "ports" in body:
        found["ports"] = tuple(body["ports"])
    if "globalNetworking" in body:
        found["global_networking"] = body["globalNetworking"]
    if {"args", "entrypoint", "cmd"} & body.keys():
        found["args"] = _args(body)
    return found


def changes(body: Body, pod: Pod) -> dict[str, Any]:
    """What a PATCH changes; raises the 400 of a mount that cannot be changed in place."""
    if "network" in body.get("mounts", {}) and not pod.network_volume:
        raise ProblemError(400, "a network volume can be attached only when a pod is created")
    own = {name: body[name] for name in ("name", "locked") if name in body}
    return container(body) | own


def _args(body: Body) -> str:
    """Exec forms are stored inside `args`, as JSON (RunPod, REST v2, 2026-09)."""
    if {"entrypoint", "cmd"} & body.keys():
        exec_form = {"entrypoint": body.get("entrypoint", []), "cmd": body.get("cmd", [])}
        packed = json.dumps(exec_form, separators=(",", ":")) if any(exec_form.values()) else ""
        if body.get("args", packed) != packed:
            raise ProblemError(400, "args and entrypoint/cmd describe different commands")
        return packed
    return str(body["args"])


def _with_template(body: Body, world: World) -> Body:
    if "templateId" not in body:
        return body
    template = world.templates.get(body["templateId"])
    if template is None:
        raise not_found()
    if template["serverless"]:
        raise ProblemError(422, "a serverless template cannot be used for a pod")
    fields = {"image", "args", "disk", "ports", "registry", "mounts"}
    own_command = {"entrypoint", "cmd"} & body.keys()
    base = {name: template[name] for name in fields - ({"args"} if own_command else set())}
    return base | body | {"env": template["env"] | body.get("env", {})}


def _refuse_conflicts(body: Body) -> None:
    if "image" not in body:
        raise ProblemError(422, "Request validation failed.", ["$: missing property 'image'"])
    if not body["image"].strip():
        raise ProblemError(422, "image is not on its registry")
    gpu, mounts = body.get("gpu", {}), body.get("mounts", {})
    rules = {
        "exactly one of gpu or cpu must be set": ("gpu" in body) == ("cpu" in body),
        "mounts.persistent and mounts.network are mutually exclusive": len(mounts) > 1,
        "gpu.allowedCudaVersions and gpu.minCudaVersion are mutually exclusive": (
            "allowedCudaVersions" in gpu and "minCudaVersion" in gpu
        ),
        "network volumes need cloud SECURE": (
            bool(mounts.get("network")) and body.get("cloud") == "COMMUNITY"
        ),
        "cpu pods have no persistent mount": "cpu" in body and "persistent" in mounts,
        "a pod has at most 10 http ports": _http_ports(body) > MAX_HTTP_PORTS,
        "a pod has at most 50 environment variables": len(body.get("env", {})) > MAX_ENV,
        "ports are written as 22/tcp or 8888/http": not all(map(_is_port, body.get("ports", []))),
    }
    broken = next((words for words, applies in rules.items() if applies), None)
    if broken:
        raise ProblemError(400, broken)


def _refuse_unknown(body: Body, world: World) -> None:
    volume = (body.get("mounts", {}).get("network") or [{}])[0].get("volumeId")
    if volume is not None and volume not in world.volumes:
        raise not_found()
    if body.get("registry") is not None and body["registry"] not in world.registries:
        raise not_found()
    if "cpu" in body and body["cpu"]["id"] not in cpu_types():
        raise not_found()


def _place(body: Body, world: World) -> Place:
    """Somewhere that has it, in the data centers that were named; raises SupplyError."""
    cloud, named = body.get("cloud", "SECURE"), _named(body, world)
    if "cpu" in body:
        return Place(cloud, next((name for name in named if name in data_centers()), "") or _no())
    gpu = body["gpu"]
    # RunPod answers a missing count as if there were no such machine (runpod-mcp, 2026-08).
    if "count" not in gpu or gpu["id"] not in gpu_types() or not _cuda_fits(gpu):
        raise SupplyError
    order = [where for _, where in places(gpu_types()[gpu["id"]], (cloud,)) if where in named]
    wants = (Want(gpu["id"], gpu["count"], cloud, where) for where in order)
    found = next((want for want in wants if world.stock.has(want)), None)
    return Place(cloud, found.data_center if found else _no())


def _no() -> str:
    raise SupplyError


def _named(body: Body, world: World) -> list[str]:
    named = body.get("dataCenterIds") or list(data_centers())
    volume = (body.get("mounts", {}).get("network") or [{}])[0].get("volumeId")
    if volume is None:
        return named
    return [name for name in named if name == world.volumes[volume].data_center]


def _cuda_fits(gpu: Body) -> bool:
    allowed, least = gpu.get("allowedCudaVersions"), gpu.get("minCudaVersion", "0")
    return (not allowed or HOST_CUDA in allowed) and _version(least) <= _version(HOST_CUDA)


def _version(text: str) -> list[int]:
    return [int(part) for part in text.split(".") if part.isdigit()]


def _compute(body: Body, place: Place, world: World) -> Rate:
    if "cpu" in body:
        return Rate(cpu=cpu_types()[body["cpu"]["id"]].price * body["cpu"]["vcpuCount"])
    price = world.stock.price(body["gpu"]["id"], place.cloud)
    return Rate(gpu=(price or 0) * body["gpu"]["count"])


def _http_ports(body: Body) -> int:
    return sum(port.endswith("/http") for port in body.get("ports", []))


def _is_port(text: str) -> bool:
    number, _, kind = text.partition("/")
    return number.isdigit() and kind in ("tcp", "http")
