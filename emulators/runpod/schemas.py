"""The shapes of requests of REST v2: our own, trimmed to what is emulated.

Facts: RunPod's REST v2 as of 2026-07-28 (Apache-2.0 copy in runpod-mcp) and what was added
until 2026-09: `templateId`, `startSsh`, `startJupyter`, `entrypoint`, `cmd`, filters of `gpu`.
"""

from typing import Any

from .checks import Schema

STRING: Schema = {"type": "string"}
NAME: Schema = {"type": "string", "minLength": 1}
BOOLEAN: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 1}
STRINGS: Schema = {"type": "array", "items": STRING}
VOLUME_SIZE: Schema = {"type": "integer", "minimum": 10, "maximum": 4096}


def _object(properties: dict[str, Any], *required: str, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": required, **more}


PERSISTENT = _object(
    {"size": {"type": "integer", "minimum": 10}, "path": NAME},
    "size",
    "path",
)
NETWORK: Schema = {
    "type": "array",
    "maxItems": 1,
    "items": _object({"volumeId": STRING, "path": STRING}, "volumeId", "path"),
}
MOUNTS = _object({"persistent": PERSISTENT, "network": NETWORK})
GPU = _object(
    {
        "id": STRING,
        "count": COUNT,
        "allowedCudaVersions": STRINGS,
        "minCudaVersion": STRING,
        "minRamPerGpu": COUNT,
        "minVcpuCountPerGpu": COUNT,
    },
    "id",
)
CPU = _object({"id": NAME, "vcpuCount": {"type": "integer", "minimum": 2}}, "id", "vcpuCount")
CONTAINER = {
    "image": STRING,
    "args": STRING,
    "entrypoint": STRINGS,
    "cmd": STRINGS,
    "disk": COUNT,
    "ports": STRINGS,
    "env": {"type": "object", "additionalProperties": STRING},
    "registry": {"type": ["string", "null"]},
    "mounts": MOUNTS,
    "name": NAME,
}
CREATE_POD = _object(
    CONTAINER
    | {
        "gpu": GPU,
        "cpu": CPU,
        "cloud": {"type": "string", "enum": ["SECURE", "COMMUNITY"]},
        "dataCenterIds": STRINGS,
        "templateId": STRING,
        "startSsh": BOOLEAN,
        "startJupyter": BOOLEAN,
        "globalNetworking": BOOLEAN,
    },
    "name",
)
UPDATE_POD = _object(CONTAINER | {"locked": BOOLEAN, "globalNetworking": BOOLEAN})
ACTION = _object(
    {"action": {"type": "string", "enum": ["start", "stop", "restart", "terminate"]}}, "action"
)
CREATE_TEMPLATE = _object(
    CONTAINER
    | {
        "mounts": _object({"persistent": PERSISTENT}),
        "serverless": BOOLEAN,
        "public": BOOLEAN,
        "category": {"type": "string", "enum": ["CPU", "NVIDIA", "AMD"]},
    },
    "name",
    "image",
)
CREATE_VOLUME = _object(
    {
        "name": NAME,
        "size": VOLUME_SIZE,
        "dataCenter": NAME,
        "type": {"type": "string", "enum": ["STANDARD", "HIGH_PERFORMANCE"]},
    },
    "name",
    "size",
    "dataCenter",
)
UPDATE_VOLUME = _object({"name": NAME, "size": VOLUME_SIZE}, minProperties=1)
CREATE_REGISTRY = _object(
    {"name": NAME, "username": NAME, "password": NAME}, "name", "username", "password"
)
SSH_KEYS = _object({"keys": STRINGS}, "keys")
CREATE_SECRET = _object(
    {
        "name": {"type": "string", "maxLength": 191, "pattern": r"^[a-zA-Z_][a-zA-Z0-9_.\-/]*$"},
        "value": STRING,
        "description": STRING,
    },
    "name",
    "value",
)
UPDATE_SECRET = _object({"value": STRING, "description": STRING}, minProperties=1)
