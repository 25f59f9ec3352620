"""The bundled price files as offers, with the traps in the sources kept out.

    RunPod   a price counts only when its cloud sells the GPU: blank or 0 is a placeholder.
             Its spot columns are history (the product was withdrawn) and make no offer.
    AWS      only the families in `AWS_GPUS`. Not among them: g4ad (Radeon), g3 and p2 (too old
             for torch), g5g (arm64: our images are amd64). g6f and gr6f are a fraction of an L4.
             A spot price equal to on-demand is AWS's cap, not a discount: no offer.
             A blank price is "not sold here", never zero. Zones other than `az<n>` are Local
             Zones, which an account must opt in to: no offer.

`prices/SOURCES.md` says where each file comes from and how each date was chosen.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Final

from ..configs.gpus import GpuKind, candidates
from ..errors import DataError
from .base import Offer

PRICES: Final = Path(__file__).parent / "prices"

RUNPOD_COLUMNS: Final = (
    ("secure", "secure_2026_mid", date(2026, 6, 15)),
    ("secure", "secure_2025_06", date(2025, 6, 21)),
    ("community", "community_2025_06", date(2025, 6, 21)),
)
"""Cloud, column and date; of one cloud's columns the first with a price counts."""

AWS_TYPES_DATE: Final = date(2026, 7, 20)
AWS_ZONES_DATE: Final = date(2026, 2, 1)
AWS_HOME: Final = "us-east-1"
AWS_GPUS: Final = {
    "g4dn": "T4",
    "g5": "A10G",
    "g6": "L4",
    "gr6": "L4",
    "g6e": "L40S",
    "g7": "RTX PRO 4500 Blackwell",
    "g7e": "RTX PRO 6000 Blackwell Server",
    "p3dn": "V100-32GB",
    "p4d": "A100-40GB",
    "p4de": "A100-80GB-SXM",
    "p5": "H100-SXM",
    "p5e": "H200-SXM",
    "p5en": "H200-SXM",
    "p6-b200": "B200",
    "p6-b300": "B300",
}

USABLE_MIB: Final = {"L4": 22_888, "A10G": 22_888, "L40S": 45_776}
"""What the driver reports where it is well below the GB on the box (AWS's own figures)."""


@dataclass(frozen=True)
class Line:
    """One row of a price file, and where it stands for the message when it is broken."""

    where: str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        if column not in self.cells:
            raise _broken(self.where, f"no column {column!r}")
        return self.cells[column]

    def number(self, column: str) -> Decimal:
        """A number that is not negative; a blank cell is 0."""
        try:
            value = Decimal(self[column] or "0")
        except InvalidOperation:
            value = Decimal("nan")
        if not value.is_finite() or value < 0:
            raise _broken(self.where, f"{column} is {self[column]!r}")
        return value

    def price(self, column: str) -> Decimal | None:
        """The price, or None where nothing is sold (blank, or a placeholder of 0)."""
        return self.number(column) or None


def runpod(folder: Path) -> list[Offer]:
    """One offer for one GPU of each id and cloud that has a price."""
    found: dict[tuple[str, str], Offer] = {}
    for line in _lines(folder / "runpod.csv"):
        kind = _known(line["gpu_id"])
        for cloud, column, as_of in RUNPOD_COLUMNS:
            usd = line.price(column)
            if kind and usd:
                found.setdefault((line["gpu_id"], cloud), _pod(line, kind, cloud, usd, as_of))
    return list(found.values())


def aws(folder: Path) -> list[Offer]:
    """On-demand offers for each region, and spot offers for each zone."""
    types = {
        line["instance_type"]: line
        for line in _lines(folder / "aws_types.csv")
        if _aws_gpu(line["instance_type"])
    }
    zones = [line for line in _lines(folder / "aws_by_zone.csv") if _in_region(line)]
    sold = [
        (types[line["instance_type"]], line) for line in zones if line["instance_type"] in types
    ]
    return [*_at_home(types.values()), *_elsewhere(sold), *_spot(sold, _bands(folder))]


READERS: Final[dict[str, Callable[[Path], list[Offer]]]] = {"runpod": runpod, "aws": aws}


def _at_home(types: Iterable[Line]) -> Iterator[Offer]:
    for hardware in types:
        usd = hardware.price("ondemand_usd_per_hour_us_east_1")
        if usd:
            yield _instance(hardware, AWS_HOME, usd, AWS_TYPES_DATE)


def _elsewhere(sold: Iterable[tuple[Line, Line]]) -> list[Offer]:
    found: dict[tuple[str, str], Offer] = {}
    for hardware, line in sold:
        usd = line.price("ondemand_usd_h")
        if usd and line["region"] != AWS_HOME:
            offer = _instance(hardware, line["region"], usd, AWS_ZONES_DATE)
            found[offer.instance, offer.region] = offer
    return list(found.values())


def _spot(sold: Iterable[tuple[Line, Line]], bands: dict[tuple[str, str], str]) -> Iterator[Offer]:
    for hardware, line in sold:
        usd = line.price("spot_usd_h")
        if usd and not _is_cap(usd, line.price("ondemand_usd_h")):
            offer = _instance(hardware, line["region"], usd, AWS_ZONES_DATE)
            yield replace(
                offer,
                market="spot",
                zone=line["az_id_suffix"],
                interruption_band=bands.get((offer.region, offer.instance), ""),
            )


def _in_region(line: Line) -> bool:
    return re.fullmatch(r"az\d+", line["az_id_suffix"]) is not None


def _is_cap(spot: Decimal, on_demand: Decimal | None) -> bool:
    """The source rounds spot to 4 places and on-demand to 5, so equal means: to 4 places."""
    return on_demand is not None and spot >= on_demand.quantize(Decimal("0.0001"))


def _pod(line: Line, kind: GpuKind, cloud: str, usd: Decimal, as_of: date) -> Offer:
    return Offer(
        provider="runpod",
        region=cloud,
        instance=line["gpu_id"],
        gpu=kind.name,
        gpu_count=1,
        market="on-demand",
        usd_per_hour=usd,
        source="bundled",
        as_of=as_of,
        vram_mib=USABLE_MIB.get(kind.name, kind.memory_mib),
    )


def _instance(hardware: Line, region: str, usd: Decimal, as_of: date) -> Offer:
    return Offer(
        provider="aws",
        region=region,
        instance=hardware["instance_type"],
        gpu=_aws_gpu(hardware["instance_type"]),
        gpu_count=int(hardware.number("accelerator_count")),
        market="on-demand",
        usd_per_hour=usd,
        source="bundled",
        as_of=as_of,
        vram_mib=int(hardware.number("gpu_memory_mib_each")),
        vcpus=float(hardware.number("vcpus")),
        memory_mib=int(hardware.number("memory_gib") * 1024),
    )


def _aws_gpu(instance: str) -> str | None:
    return AWS_GPUS.get(instance.partition(".")[0])


def _bands(folder: Path) -> dict[tuple[str, str], str]:
    lines = _lines(folder / "aws_spot_advisor.csv")
    return {(line["region"], line["instance_type"]): line["interruption_band"] for line in lines}


@cache
def _known(gpu_id: str) -> GpuKind | None:
    kinds = candidates(gpu_id)
    return kinds[0] if len(kinds) == 1 else None


def _lines(path: Path) -> Iterator[Line]:
    """The rows of a file; its first line is a comment on the source."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            next(file, None)
            for number, cells in enumerate(csv.DictReader(file, strict=True), start=3):
                where = f"{path.name}:{number}"
                if None in cells or None in cells.values():
                    raise _broken(where, "wrong number of columns")
                yield Line(where, cells)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise _broken(path.name, str(fault)) from fault


def _broken(where: str, what: str) -> DataError:
    return DataError(f"price file {where}: {what}", "install longshore again to restore it")
