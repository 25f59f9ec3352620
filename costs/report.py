"""What a run took and cost, beside what was planned; made of facts alone, no cloud is asked."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from .money import for_seconds, usd
from .planned import Planned

BILLED: Final = (
    "provision",
    "pull",
    "sync",
    "load",
    "train",
    "eval",
    "save",
    "collect",
    "teardown",
)
"""Phases in which the machine costs money; `queue` and `build` come before there is one."""
PHASES: Final = ("queue", "build", *BILLED)
USEFUL: Final = frozenset({"train", "eval"})


@dataclass(frozen=True)
class Outputs:
    """What came home: how many files, their bytes, and where they lie."""

    count: int
    bytes: int
    where: str


@dataclass(frozen=True)
class Leftover:
    """Something that stays after the run, and what it costs."""

    what: str
    id: str
    usd_per_month: Decimal | None = None


@dataclass(frozen=True)
class Actual:
    """A run that ended, as the runs room saw it; times UTC, losses in nats per token.

    `phases` are seconds by the names in `PHASES`, over all attempts; `machine` is the
    provider's id, `gone_at` when it last said that the machine is gone, None while not proven;
    `billed` is what the provider says it has charged in USD, None while it does not say.
    """

    run: str
    job: str
    status: str
    reason: str
    phases: dict[str, float]
    start: datetime
    end: datetime
    usd_per_hour: Decimal
    provider: str = ""
    machine: str = ""
    gone_at: datetime | None = None
    attempts: int = 1
    interruptions: int = 0
    steps: int | None = None
    tokens: int | None = None
    tokens_per_s: float | None = None
    eval_loss: float | None = None
    baseline: float | None = None
    outputs: Outputs | None = None
    billed: Decimal | None = None
    leftovers: tuple[Leftover, ...] = ()


@dataclass(frozen=True)
class PhaseLine:
    """One phase: seconds and USD, planned (P50) and actual; None where there is no number."""

    name: str
    planned_s: float | None
    actual_s: float | None
    planned_usd: Decimal | None
    actual_usd: Decimal | None


@dataclass(frozen=True)
class Report:
    """The run and the plan it had, if it had one with a forecast."""

    actual: Actual
    planned: Planned | None
    made_at: datetime

    @property
    def billed_s(self) -> float:
        """Seconds for which the machine costs money."""
        return sum(self.actual.phases.get(name, 0.0) for name in BILLED)

    @property
    def waste_s(self) -> float:
        """Billed seconds that neither trained nor evaluated."""
        return self.billed_s - sum(self.actual.phases.get(name, 0.0) for name in USEFUL)

    @property
    def cost(self) -> Decimal:
        """Billed seconds at the price of the machine, USD."""
        return for_seconds(self.actual.usd_per_hour, self.billed_s)

    @property
    def time_error(self) -> float | None:
        """How far the billed time is from the P50 planned, in percent of the plan."""
        time = self.planned.time if self.planned else None
        return _percent(self.billed_s, time.p50) if time else None

    @property
    def cost_error(self) -> float | None:
        """The same for the cost."""
        cost = self.planned.cost if self.planned else None
        return _percent(float(self.cost), float(cost.p50)) if cost else None

    @property
    def inside_band(self) -> bool | None:
        """Whether the billed time lies from P10 to P90 of the plan."""
        time = self.planned.time if self.planned else None
        return time.p10 <= self.billed_s <= time.p90 if time else None

    @property
    def usd_per_1k_steps(self) -> Decimal | None:
        """None for a run without a step."""
        return _each(self.cost, self.actual.steps, 1_000)

    @property
    def usd_per_1m_tokens(self) -> Decimal | None:
        """None for a run without tokens."""
        return _each(self.cost, self.actual.tokens, 1_000_000)

    @property
    def lines(self) -> list[PhaseLine]:
        """Every phase that was planned or that happened, in order."""
        expected = self.planned.phases if self.planned else {}
        names = (name for name in PHASES if name in expected or name in self.actual.phases)
        return [self._line(name) for name in names]

    def _line(self, name: str) -> PhaseLine:
        band = self.planned.phases.get(name) if self.planned else None
        took = self.actual.phases.get(name)
        planned_price = self.planned.usd_per_hour if self.planned else Decimal(0)
        return PhaseLine(
            name=name,
            planned_s=band.p50 if band else None,
            actual_s=took,
            planned_usd=_cost_of(name, planned_price, band.p50 if band else None),
            actual_usd=_cost_of(name, self.actual.usd_per_hour, took),
        )


def report(actual: Actual, planned: Planned | None, now: datetime) -> Report:
    """The report of a run that ended; `planned` from `planned.of_plan` or `planned.of_document`."""
    return Report(actual, planned, now)


def _cost_of(name: str, per_hour: Decimal, seconds: float | None) -> Decimal | None:
    return for_seconds(per_hour, seconds) if seconds is not None and name in BILLED else None


def _percent(actual: float, planned: float) -> float | None:
    return round(100 * (actual - planned) / planned, 1) if planned else None


def _each(cost: Decimal, count: int | None, unit: int) -> Decimal | None:
    return usd(cost * unit / count) if count else None
