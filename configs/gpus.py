"""The GPUs of `gpus.csv`, and the many names people give them.

A name may be one kind ("RTX 4090") or a family ("A100-80GB", which is sold as PCIe and as SXM).
A family may be asked for when its kinds have about the same memory ("H100": 80 to 94 GB): whether
the job fits is asked of each, and the price decides. "A100" is refused: one kind has twice the
memory of another.
"""

import csv
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from itertools import takewhile
from pathlib import Path

from ..errors import ConfigError
from .spec import Gpu

MOST_APART = 1.25
"""The memory of a family's largest kind against its smallest, at most."""

_VENDORS = {"nvidia", "amd", "geforce", "tesla", "instinct", "rtx", "gpu"}
_JOINED = re.compile(r"(nvidia|geforce|tesla|rtx|pro(?=\d)|sxm|pcie|nvl)")
_MEMORY = re.compile(r"(?<![0-9])(\d{1,4})\s*gi?b\b")
_FORM_FACTOR = re.compile(r"\bsxm\s*\d\b")


@dataclass(frozen=True)
class GpuKind:
    """One kind of GPU. Rates are dense peaks in TFLOP/s, None where the chip lacks the type.

    `bandwidth` is GB/s, `watts` the board's limit, `capability` as in CUDA ("8.9"; "gfx…" on AMD).
    `basis` says how far the rates can be trusted: datasheet, derived or belief.
    """

    name: str
    aliases: tuple[str, ...]
    arch: str
    capability: str
    memory_gib: int
    bandwidth: float
    watts: float
    bf16: float | None
    fp16: float | None
    tf32: float | None
    fp32: float | None
    fp8: bool
    basis: str
    source: str
    note: str

    @property
    def memory_mib(self) -> int:
        return self.memory_gib * 1024


@cache
def catalogue() -> tuple[GpuKind, ...]:
    """Every kind, in the file's order; read on the first call."""
    with (Path(__file__).parent / "gpus.csv").open(encoding="utf-8", newline="") as file:
        return tuple(_kind(row) for row in csv.DictReader(line for line in file if line[0] != "#"))


def candidates(name: str) -> list[GpuKind]:
    """The kinds a name can mean: one for an exact name, several for a family, none if unknown."""
    asked = _read(name)
    exact = [kind for kind in catalogue() if asked in _names(kind)]
    return exact or [kind for kind in catalogue() if _is_of_family(kind, asked)]


def find(name: str) -> GpuKind:
    """The one kind of that name; raises ConfigError for a family or an unknown name."""
    found = candidates(name)
    if len(found) != 1:
        raise _ambiguous(name, found) if found else _unknown(name)
    return found[0]


def parse_gpu(text: str) -> Gpu:
    """ "RTX 4090", "a100-80gb:2": a kind or a family of one memory size, and how many of it."""
    name, _, count = text.partition(":")
    if ":" in text and not re.fullmatch(r"[1-9]\d{0,3}", count.strip(), re.ASCII):
        hint = f"write for example {name.strip() or 'T4'}:2"
        raise ConfigError(f"{text!r} has no whole number above 0 after ':'", hint)
    return make_gpu(name, int(count) if count else 1)


def make_gpu(name: str, count: int) -> Gpu:
    """The GPU by its name in the catalogue; raises ConfigError as `find` does."""
    found = candidates(name)
    if not found:
        raise _unknown(name)
    sizes = {kind.memory_gib for kind in found}
    if max(sizes) > MOST_APART * min(sizes):
        raise _ambiguous(name, found)
    return Gpu(_shared_name(name, found), count)


def matches(asked: str, offered: str) -> bool:
    """Whether an offered kind is what was asked for, by kind or by family."""
    kinds = {kind.name for kind in candidates(offered)}
    if not kinds:
        return _read(asked) == _read(offered)
    return kinds <= {kind.name for kind in candidates(asked)}


def _kind(row: dict[str, str]) -> GpuKind:
    return GpuKind(
        name=row["gpu"],
        aliases=tuple(row["aliases"].split("|")),
        arch=row["arch"],
        capability=row["compute_capability"],
        memory_gib=int(row["vram_gb"]),
        bandwidth=float(row["mem_bw_gb_s"]),
        watts=float(row["tdp_w"]),
        bf16=_rate(row["bf16_tflops_dense"]),
        fp16=_rate(row["fp16_tflops_dense"]),
        tf32=_rate(row["tf32_tflops_dense"]),
        fp32=_rate(row["fp32_tflops"]),
        fp8=row["fp8"] == "yes",
        basis=row["tflops_basis"],
        source=row["source"],
        note=row["note"],
    )


def _rate(text: str) -> float | None:
    return float(text) if text else None


@dataclass(frozen=True)
class _Name:
    """A name taken apart: without the maker's word, and with the memory it states."""

    joined: str
    memory: int | None
    words: frozenset[str] = field(compare=False)


@cache
def _read(name: str) -> _Name:
    lower = _FORM_FACTOR.sub("sxm", name.lower())
    memory = _MEMORY.search(lower)
    spaced = _JOINED.sub(r" \1 ", _MEMORY.sub(" ", lower))
    words = [word for word in re.findall(r"[a-z0-9]+", spaced) if word not in _VENDORS]
    return _Name("".join(words), int(memory[1]) if memory else None, frozenset(words))


@cache
def _names(kind: GpuKind) -> tuple[_Name, ...]:
    return tuple(_read(name) for name in (kind.name, *kind.aliases))


def _is_of_family(kind: GpuKind, asked: _Name) -> bool:
    names_a_model = any(char.isdigit() for char in asked.joined)
    fits = asked.memory in (None, kind.memory_gib)
    known = any(asked.words <= name.words for name in _names(kind))
    return names_a_model and fits and known


def _shared_name(asked: str, kinds: list[GpuKind]) -> str:
    """What the kinds' names have in common, if that names exactly these kinds."""
    alike = takewhile(
        lambda chars: len(set(chars)) == 1, zip(*(k.name for k in kinds), strict=False)
    )
    shared = "".join(chars[0] for chars in alike).rstrip(" -")
    for name in (shared, f"{shared} {kinds[0].memory_gib}GB"):
        if candidates(name) == kinds:
            return name
    return asked.strip()


def _ambiguous(name: str, kinds: list[GpuKind]) -> ConfigError:
    names = ", ".join(f"{kind.name} ({kind.memory_gib} GB)" for kind in kinds)
    return ConfigError(f"{name.strip()!r} names several GPUs: {names}", "write one of them in full")


def _unknown(name: str) -> ConfigError:
    known = {name.lower(): kind for kind in catalogue() for name in (kind.name, *kind.aliases)}
    bare = {_read(name).joined: kind for name, kind in known.items()}
    near = get_close_matches(_read(name).joined, bare, n=1) or get_close_matches(
        name.strip().lower(), known, n=1
    )
    hint = f"did you mean {(known | bare)[near[0]].name!r}?" if near else _SOME
    return ConfigError(f"unknown GPU {name.strip()!r}", hint)


_SOME = "write for example T4, L4, 'RTX 4090', A100-80GB or H100-SXM"
