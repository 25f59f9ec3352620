"""What a pod or a volume costs: spans of time at a rate, and their sums over any window.

Rates: RunPod documentation, pricing of pods and of storage, 2026-08.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

HOURS_PER_MONTH = Decimal(730)
CONTAINER_DISK = Decimal("0.10") / HOURS_PER_MONTH
"""USD per GB-hour, while the pod runs."""
VOLUME_RUNNING = Decimal("0.10") / HOURS_PER_MONTH
VOLUME_STOPPED = Decimal("0.20") / HOURS_PER_MONTH
NETWORK_FIRST = Decimal("0.07") / HOURS_PER_MONTH
NETWORK_ABOVE = Decimal("0.05") / HOURS_PER_MONTH
NETWORK_STEP_GB = 1000


@dataclass(frozen=True)
class Rate:
    """USD per hour, by what it pays for."""

    gpu: Decimal = Decimal(0)
    cpu: Decimal = Decimal(0)
    disk: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return self.gpu + self.cpu + self.disk


@dataclass(frozen=True)
class Span:
    """One rate from one moment to another; `end` is None while it lasts."""

    rate: Rate
    start: float
    end: float | None = None


Spans = tuple[Span, ...]


def turn(spans: Spans, rate: Rate | None, now: float) -> Spans:
    """End what lasts; go on at `rate`, or at none."""
    ended = tuple(replace(span, end=now) if span.end is None else span for span in spans)
    return ended if rate is None else (*ended, Span(rate, now))


def amount(spans: Iterable[Span], start: float, end: float) -> Rate:
    """USD between two moments, to the second's fraction."""
    hours = [(span.rate, _hours(span, start, end)) for span in spans]
    return Rate(
        gpu=sum((rate.gpu * time for rate, time in hours), Decimal(0)),
        cpu=sum((rate.cpu * time for rate, time in hours), Decimal(0)),
        disk=sum((rate.disk * time for rate, time in hours), Decimal(0)),
    )


def running(compute: Rate, container_gb: int, volume_gb: int) -> Rate:
    """A pod that holds its GPUs."""
    return replace(compute, disk=CONTAINER_DISK * container_gb + VOLUME_RUNNING * volume_gb)


def stopped(volume_gb: int) -> Rate:
    """A stopped pod: its own volume costs twice as much, and nothing else."""
    return Rate(disk=VOLUME_STOPPED * volume_gb)


def network(size_gb: int) -> Rate:
    first = min(size_gb, NETWORK_STEP_GB)
    return Rate(disk=NETWORK_FIRST * first + NETWORK_ABOVE * (size_gb - first))


def _hours(span: Span, start: float, end: float) -> Decimal:
    last = end if span.end is None else min(end, span.end)
    return max(Decimal(0), _milliseconds(last) - _milliseconds(max(start, span.start))) / 3600


def _milliseconds(moment: float) -> Decimal:
    """Exact from here on, so that buckets add up to the whole."""
    return Decimal(str(round(moment, 3)))
