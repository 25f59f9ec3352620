"""How large a pod's disks are and what they cost beside the GPUs.

Rates: RunPod documentation, pricing of pods and of storage, 2026-08.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ..base import Need

HOURS_PER_MONTH: Final = 730
RUNNING: Final = Decimal("0.10")
"""USD per GB-month of the container disk, and of a pod's own volume, while it runs."""
STOPPED: Final = Decimal("0.20")
"""USD per GB-month of a pod's own volume while it is stopped."""
NETWORK: Final = Decimal("0.07")
"""USD per GB-month of a network volume below 1 TB, whether a pod uses it or not."""

CONTAINER_GB: Final = 40
VOLUME_GB: Final = 20
SMALLEST_VOLUME_GB: Final = 10
"""RunPod makes no smaller volume (REST v2 schema, 2026-07)."""
_PLACES: Final = Decimal("0.000001")


@dataclass(frozen=True)
class Disks:
    """GB of the container disk (image, code, data) and of the pod's own volume (outputs, caches).

    The volume is 0 where a network volume takes its place.
    """

    container: int
    volume: int

    @classmethod
    def of(cls, need: Need) -> "Disks":
        """Both have what the job asks for: either may be the one that its files fill."""
        asked = None if need.disk is None else max(1, -(-need.disk // 10**9))
        volume = max(asked or VOLUME_GB, SMALLEST_VOLUME_GB)
        return cls(asked or CONTAINER_GB, 0 if need.runpod.volume else volume)

    @property
    def usd_per_hour(self) -> Decimal:
        return hourly(self.container + self.volume, RUNNING)


def hourly(gigabytes: int, monthly: Decimal) -> Decimal:
    """USD an hour for a disk at a monthly rate, to the sixth place as RunPod tells costs."""
    return (gigabytes * monthly / HOURS_PER_MONTH).quantize(_PLACES)
