"""Requests held to their schemas, with RunPod's words for what is wrong with them."""

import re
from typing import Any

from .problems import ProblemError

Schema = dict[str, Any]
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "null": type(None),
}


def check(body: object, schema: Schema) -> dict[str, Any]:
    """The body, when it fits; raises the 422 that lists all faults."""
    faults = _faults(body, schema, "$")
    if faults or not isinstance(body, dict):
        raise ProblemError(422, "Request validation failed.", faults)
    return body


def _faults(value: object, schema: Schema, where: str) -> list[str]:
    wanted = schema.get("type", ())
    kinds = [wanted] if isinstance(wanted, str) else list(wanted)
    if kinds and not any(_is(value, kind) for kind in kinds):
        return [f"{where}: got {_kind(value)}, want {' or '.join(kinds)}"]
    if isinstance(value, dict):
        return _in_object(value, schema, where)
    if isinstance(value, list):
        return _in_array(value, schema, where)
    return _in_scalar(value, schema, where)


def _in_object(value: dict[str, Any], schema: Schema, where: str) -> list[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", False)
    faults = [
        f"{where}: missing property {name!r}"
        for name in schema.get("required", ())
        if name not in value
    ]
    if len(value) < schema.get("minProperties", 0):
        faults.append(f"{where}: minProperties: got {len(value)}, want {schema['minProperties']}")
    for name, inner in value.items():
        if name in known or isinstance(others, dict):
            faults += _faults(inner, known.get(name, others), f"{where}.{name}")
        else:
            faults.append(f"{where}: additional properties {name!r} not allowed")
    return faults


def _in_array(value: list[Any], schema: Schema, where: str) -> list[str]:
    faults = []
    if len(value) > schema.get("maxItems", len(value)):
        faults.append(f"{where}: maxItems: got {len(value)}, want {schema['maxItems']}")
    for number, inner in enumerate(value):
        faults += _faults(inner, schema.get("items", {}), f"{where}[{number}]")
    return faults


def _in_scalar(value: object, schema: Schema, where: str) -> list[str]:
    if "enum" in schema and value not in schema["enum"]:
        words = ", ".join(map(repr, schema["enum"]))
        return [f"{where}: value must be one of {words}"]
    if isinstance(value, str):
        return _in_string(value, schema, where)
    if isinstance(value, int) and "minimum" in schema and value < schema["minimum"]:
        return [f"{where}: minimum: got {value}, want {schema['minimum']}"]
    if isinstance(value, int) and "maximum" in schema and value > schema["maximum"]:
        return [f"{where}: maximum: got {value}, want {schema['maximum']}"]
    return []


def _in_string(value: str, schema: Schema, where: str) -> list[str]:
    if len(value) < schema.get("minLength", 0):
        return [f"{where}: minLength: got {len(value)}, want {schema['minLength']}"]
    if len(value) > schema.get("maxLength", len(value)):
        return [f"{where}: maxLength: got {len(value)}, want {schema['maxLength']}"]
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return [f"{where}: {value!r} does not match pattern {schema['pattern']!r}"]
    return []


def _is(value: object, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))


def _kind(value: object) -> str:
    return next((kind for kind in ("boolean", *TYPES) if _is(value, kind)), "number")
