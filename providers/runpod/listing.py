"""RunPod's catalog as sales, with the traps in it kept out.

A price counts only when its cloud sells the GPU and it is above 0: the catalog has placeholders
(a B200 for 0.5 USD in a cloud that has none). Ids that name no GPU, "unknown" among them, are
left out.
"""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from ..base import PriceSource
from .models import GpuType, read
from .sales import ANYWHERE, Cloud, Sale, kind_of


def listed(items: Iterable[Any], cloud: Cloud, source: PriceSource, as_of: date) -> Iterator[Sale]:
    """What one cloud sells; `items` as REST v2 answers for it."""
    for item in items:
        sale = _sale(read(GpuType, item), cloud, source, as_of)
        if sale:
            yield sale


def _sale(gpu: GpuType, cloud: Cloud, source: PriceSource, as_of: date) -> Sale | None:
    kind = kind_of(gpu.id, gpu.name, gpu.memory)
    is_sold, usd = getattr(gpu, cloud), getattr(gpu.price, cloud)
    if kind is None or not is_sold or usd <= 0:
        return None
    stock = {center.id: center.availability.lower() for center in gpu.data_centers}
    overall = {ANYWHERE: gpu.availability.lower()} if gpu.availability else {}
    return Sale(
        instance=gpu.id,
        kind=kind,
        cloud=cloud,
        usd=usd,
        source=source,
        as_of=as_of,
        most=int(getattr(gpu.max_count, cloud)),
        stock={**stock, **overall},
    )
