"""What `spec.py` says about each key, by its dotted path: its type, its default, its limits."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

from .spec import Gpu, JobSpec

ENV = "env"
"""The one key whose keys are the user's own."""

_ZERO_IS_FINE = {
    "train.lora.dropout",
    "train.max_grad_norm",
    "train.seed",
    "train.test_share",
    "train.warmup_share",
    "train.weight_decay",
    "train.workers",
    "local.usd_per_kwh",
    "local.watts",
    "guards.recoveries",
    "market.wait",
}
_LEAST = {"train.sequence_length": 2}
_MOST = {"train.seed": 2**32 - 1}
_BELOW_ONE = {"train.lora.dropout", "train.test_share"}


class Leaf(NamedTuple):
    """One key that holds a value. `kind` is its annotation without `None`."""

    path: str
    kind: Any
    optional: bool
    required: bool
    default: Any

    @property
    def is_list(self) -> bool:
        return get_origin(self.kind) is tuple


@cache
def leaves() -> dict[str, Leaf]:
    """Every key that holds a value, by dotted path, in the order of `spec.py`."""
    return {leaf.path: leaf for leaf in _leaves(JobSpec, "")}


@cache
def sections() -> dict[str, Any]:
    """The dataclass behind every section, by dotted path; the whole job is ""."""
    return dict(_sections(JobSpec, ""))


@cache
def keys(section: str) -> tuple[str, ...]:
    """The keys a section may hold."""
    return tuple(field.name for field in fields(sections()[section]))


def dotted(section: str, key: str) -> str:
    return f"{section}.{key}" if section else key


def limit_fault(path: str, value: object) -> str:
    """What is wrong with the size of a number; "" for nothing, and for what is no number."""
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return ""
    number = float(value)
    least = 0 if path in _ZERO_IS_FINE else _LEAST.get(path)
    if least is None and number <= 0:
        return "must be above 0"
    if least is not None and number < least:
        return f"must be at least {least}"
    if number >= 1 and path in _BELOW_ONE:
        return "must be below 1"
    return f"must be at most {_MOST[path]}" if number > _MOST.get(path, number) else ""


def _leaves(section: Any, prefix: str) -> Iterator[Leaf]:
    for field in fields(section):
        kind, optional = _without_none(field.type)
        path = dotted(prefix, field.name)
        if _is_section(kind):
            yield from _leaves(kind, path)
        else:
            default = _default(field)
            yield Leaf(path, kind, optional, default is MISSING, default)


def _sections(section: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, section
    for field in fields(section):
        kind, _ = _without_none(field.type)
        if _is_section(kind):
            yield from _sections(kind, dotted(path, field.name))


def _is_section(kind: Any) -> bool:
    return is_dataclass(kind) and kind is not Gpu


def _without_none(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) not in (Union, UnionType):
        return annotation, False
    kinds = [kind for kind in get_args(annotation) if kind is not NoneType]
    return kinds[0], True


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()
