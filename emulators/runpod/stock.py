"""How many GPUs are there to rent: rules that say it per (GPU, count, cloud, data center)."""

from dataclasses import dataclass, field
from decimal import Decimal

from .catalog import CLOUDS, GpuType, data_centers, gpu_types

DEFAULT_CAPACITY = 16
LEVELS = ("NONE", "LOW", "MEDIUM", "HIGH")


@dataclass(frozen=True)
class Want:
    """What somebody would rent; `count` GPUs of one type in one place."""

    gpu: str
    count: int
    cloud: str
    data_center: str


@dataclass(frozen=True)
class Rule:
    """Holds for every Want that agrees with it; what is None agrees with everything."""

    capacity: int
    """GPUs in all, those that are rented to this account included."""
    gpu: str | None = None
    count: int | None = None
    cloud: str | None = None
    data_center: str | None = None
    shown: str | None = None
    """What the catalog says instead of the truth: it is older than the create that follows."""

    def holds(self, want: Want) -> bool:
        return (
            self.gpu in (None, want.gpu)
            and self.count in (None, want.count)
            and self.cloud in (None, want.cloud)
            and self.data_center in (None, want.data_center)
        )


@dataclass
class Stock:
    """Rules (the last that holds wins), prices that were changed, and what is rented out."""

    rules: list[Rule] = field(default_factory=list)
    prices: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    taken: dict[tuple[str, str, str], int] = field(default_factory=dict)
    bids: bool = True
    """Whether a bid is served at all; RunPod is withdrawing them (2026)."""
    floors: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def price(self, gpu: str, cloud: str) -> Decimal | None:
        """USD per GPU-hour, or None where it is not offered."""
        listed = gpu_types()[gpu].prices[cloud]
        changed = self.prices.get((gpu, cloud))
        return changed if changed is not None else listed.amount if listed.offered else None

    def floor(self, gpu: str, cloud: str) -> Decimal | None:
        """The lowest bid that is served, in USD per GPU-hour."""
        if not self.bids:
            return None
        return self.floors.get((gpu, cloud), gpu_types()[gpu].prices[cloud].spot)

    def free(self, want: Want) -> int:
        """GPUs that a new pod could have there."""
        taken = self.taken.get((want.gpu, want.cloud, want.data_center), 0)
        return max(0, self._rule(want).capacity - taken)

    def has(self, want: Want) -> bool:
        known = want.gpu in gpu_types() and self.price(want.gpu, want.cloud) is not None
        return known and self.free(want) >= want.count

    def take(self, want: Want) -> None:
        place = (want.gpu, want.cloud, want.data_center)
        self.taken[place] = self.taken.get(place, 0) + want.count

    def give(self, want: Want) -> None:
        self.taken[want.gpu, want.cloud, want.data_center] -= want.count

    def level(self, want: Want) -> str:
        """The catalog's word for it."""
        if self.price(want.gpu, want.cloud) is None:
            return "NONE"
        times = self.free(want) // want.count
        return self._rule(want).shown or LEVELS[(times >= 1) + (times >= 2) + (times >= 4)]

    def _rule(self, want: Want) -> Rule:
        found = next((rule for rule in reversed(self.rules) if rule.holds(want)), None)
        return found or Rule(_default(want))


def places(gpu: GpuType, clouds: tuple[str, ...] = CLOUDS) -> list[tuple[str, str]]:
    """(cloud, data center) pairs to ask about, those that have it by default first."""
    pairs = [(cloud, home) for cloud in clouds for home in gpu.homes[cloud]]
    others = [(cloud, name) for cloud in clouds for name in data_centers()]
    return list(dict.fromkeys(pairs + others))


def best(levels: list[str]) -> str:
    return max(levels, key=LEVELS.index, default="NONE")


def _default(want: Want) -> int:
    gpu = gpu_types().get(want.gpu)
    return DEFAULT_CAPACITY if gpu and want.data_center in gpu.homes[want.cloud] else 0
