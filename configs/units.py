"""Sizes, durations, money and shares as people write them, read exactly and written back.

GB is 10^9 bytes and GiB is 2^30, as disks and memory are sold; a lone `G` means the one to Docker
and the other to Kubernetes, so it is refused. Each reader raises ConfigError without a place.
"""

import re
from decimal import Decimal

from ..errors import ConfigError

_SIZES = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}
_LONG = 10_000
"""An exact size with more digits than this is harder to read than a rounded one."""
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}

_SIZE = re.compile(r"([+-]?\d{1,15}(?:\.\d+)?)\s*([a-z]*)", re.ASCII)
_DURATION = re.compile(r"(?:(?:\d{1,9}(?:\.\d+)?)\s*[dhms]\s*)+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([dhms])", re.ASCII)
_PLAIN = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_USD = re.compile(r"(-?)\$?(\d{1,12}(?:\.\d*)?|\.\d+)", re.ASCII)
_SHARE = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*(%?)", re.ASCII)


def parse_size(text: str) -> int:
    """Bytes: "16GB" is 16 x 10^9, "16GiB" is 16 x 2^30, a plain number is bytes."""
    found = _SIZE.fullmatch(text.strip().lower())
    if found and found[2] in _SIZES:
        size = Decimal(found[1]) * _SIZES[found[2]]
        if size == int(size):
            return int(size)
    raise ConfigError(f"{text!r} is not a size", _size_hint(found))


def _size_hint(found: re.Match[str] | None) -> str:
    if found and found[2] in {"k", "m", "g", "t"}:
        unit = found[2].upper()
        return f"write {found[1]}{unit}iB (powers of 1024) or {found[1]}{unit}B (powers of 1000)"
    return "write for example 16GiB (2^30 each), 16GB (10^9 each) or a whole number of bytes"


def parse_duration(text: str) -> int:
    """Seconds: "90s", "15m", "1h30m", "1.5h", "1d"; a plain whole number is seconds."""
    words = text.strip().lower()
    if _PLAIN.fullmatch(words):
        return int(words)
    if _DURATION.fullmatch(words):
        parts = [Decimal(number) * _SECONDS[unit] for number, unit in _PART.findall(words)]
        total, units = sum(parts, Decimal(0)), [unit for _, unit in _PART.findall(words)]
        if total == int(total) and units == sorted(set(units), key="dhms".index):
            return int(total)
    raise ConfigError(
        f"{text!r} is not a duration", "write for example 90s, 15m, 1h30m, 1d, or seconds"
    )


def parse_usd(text: str) -> Decimal:
    """US dollars, exactly as written: "0.50" and "$0.50" are Decimal("0.50")."""
    found = _USD.fullmatch(text.strip())
    if not found:
        raise ConfigError(f"{text!r} is not an amount in USD", "write for example 0.50 or $0.50")
    return Decimal(found[1] + found[2])


def parse_share(text: str) -> float:
    """A part of the whole, 0 to 1: "0.1" and "10%" are the same."""
    found = _SHARE.fullmatch(text.strip().lower())
    share = Decimal(found[1]) / (100 if found[2] else 1) if found else Decimal(-1)
    if not 0 <= share <= 1:
        raise ConfigError(f"{text!r} is not a share", "write a number from 0 to 1, or 10%")
    return float(share)


def format_size(size: int) -> str:
    """Bytes for people: exact in the largest unit that divides them, else to one decimal."""
    for unit in ("tib", "tb", "gib", "gb", "mib", "mb", "kib", "kb"):
        if size % _SIZES[unit] == 0 and 0 < size // _SIZES[unit] < _LONG:
            return f"{size // _SIZES[unit]} {_unit(unit)}"
    for unit in ("tib", "gib", "mib", "kib"):
        if abs(size) >= _SIZES[unit]:
            return f"{size / _SIZES[unit]:.1f} {_unit(unit)}"
    return f"{size} B"


def _unit(name: str) -> str:
    return name.upper().replace("I", "i")


def format_duration(seconds: float) -> str:
    """Seconds for people, as `parse_duration` reads them: 5400 is "1h30m"."""
    left, words = round(seconds), ""
    for unit, length in _SECONDS.items():
        count, left = divmod(left, length)
        words += f"{count}{unit}" if count else ""
    return words or "0s"


def format_usd(amount: Decimal) -> str:
    """Money for people, with every digit that was given: Decimal("0.50") is "$0.50"."""
    return f"-${-amount}" if amount < 0 else f"${amount}"
