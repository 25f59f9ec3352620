"""One written text to one typed value, by the annotation of its field."""

import re
from collections.abc import Callable
from typing import Literal, get_args, get_origin

from ..errors import ConfigError, did_you_mean
from .spec import Gpu
from .units import parse_duration, parse_share, parse_size, parse_usd

_WHOLE = re.compile(r"[+-]?\d{1,15}|[+-]?\d{1,3}(?:_\d{3}){1,4}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def to_value(kind: object, text: str) -> object:
    """The typed value of a text; raises ConfigError without a place.

    `kind` is an annotation of `spec.py`: a plain type, a Literal, or an Annotated marker.
    """
    if get_origin(kind) is Literal:
        return _choice([str(word) for word in get_args(kind)], text)
    marker = getattr(kind, "__metadata__", (kind,))[0]
    return _READERS[marker](text)


def _choice(words: list[str], text: str) -> str:
    if text not in words:
        raise ConfigError(f"{text!r} is none of {', '.join(words)}", did_you_mean(text, words))
    return text


def _string(text: str) -> str:
    if not text.strip():
        raise ConfigError("is empty", "write a value, or remove the key")
    return text


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text.strip()):
        raise ConfigError(f"{text!r} is not a whole number", "write for example 8")
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text.strip()) or float(text) == float("inf"):
        raise ConfigError(f"{text!r} is not a number", "write for example 0.5 or 5e-5")
    return float(text)


def _truth(text: str) -> bool:
    if text.strip().lower() not in _TRUTHS:
        raise ConfigError(f"{text!r} is neither true nor false", "write true or false")
    return _TRUTHS[text.strip().lower()]


def _gpu(text: str) -> Gpu:
    from .gpus import parse_gpu

    return parse_gpu(text)


_READERS: dict[object, Callable[[str], object]] = {
    str: _string,
    int: _whole,
    float: _number,
    bool: _truth,
    Gpu: _gpu,
    "size": parse_size,
    "duration": parse_duration,
    "usd": parse_usd,
    "share": parse_share,
}
