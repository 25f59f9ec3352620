"""A JobSpec as JSON and back, the way it travels into a container."""

import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any, get_args

from .spec import Gpu, Guards, Image, JobSpec, Local, Lora, Market, Resources, Runpod, Sync, Train

_SECTIONS: dict[str, Any] = {
    "resources": Resources,
    "market": Market,
    "guards": Guards,
    "sync": Sync,
    "image": Image,
    "local": Local,
    "runpod": Runpod,
}


def dump(spec: JobSpec) -> str:
    """The job as JSON text; money as strings, so that no digit is lost."""
    return json.dumps(asdict(spec), indent=2, default=str)


def parse(text: str) -> JobSpec:
    """The job that `dump` wrote; what an older one did not know has its default."""
    raw = json.loads(text)
    built = {name: _section(kind, raw.get(name, {})) for name, kind in _SECTIONS.items()}
    lists = {name: tuple(value) for name, value in raw.items() if isinstance(value, list)}
    return JobSpec(**{**raw, **lists, **built, "train": _train(raw["train"])})


def _train(raw: dict[str, Any] | None) -> Train | None:
    return None if raw is None else _section(Train, {**raw, "lora": _section(Lora, raw["lora"])})


def _section(kind: Any, raw: dict[str, Any]) -> Any:
    return kind(**{name: _value(kind, name, value) for name, value in raw.items()})


def _value(kind: Any, name: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    if name == "gpu" and value is not None:
        return Gpu(**value)
    is_money = Decimal in _plain_types(kind.__annotations__[name])
    return Decimal(value) if is_money and value is not None else value


def _plain_types(annotation: Any) -> set[Any]:
    inner = get_args(annotation)
    return {annotation}.union(*(_plain_types(part) for part in inner)) if inner else {annotation}
