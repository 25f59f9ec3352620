"""Money in bands, from seconds and a price; `Decimal` to 4 places throughout."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from .time import Band

PLACES: Final = Decimal("0.0001")
HOUR: Final = Decimal(3600)


@dataclass(frozen=True)
class Cost:
    """Three quantiles in USD."""

    p10: Decimal
    p50: Decimal
    p90: Decimal


def usd(amount: Decimal) -> Decimal:
    """To the 4 places that are kept."""
    return amount.quantize(PLACES, rounding=ROUND_HALF_UP)


def for_seconds(per_hour: Decimal, seconds: float) -> Decimal:
    """What so many seconds cost."""
    return usd(per_hour * Decimal(repr(float(seconds))) / HOUR)


def for_band(per_hour: Decimal, time: Band, slack: float = 0.0) -> Cost:
    """What a band of time costs; `slack` widens both ends, for a price that may have moved."""
    return Cost(
        for_seconds(per_hour, time.p10 * (1 - slack)),
        for_seconds(per_hour, time.p50),
        for_seconds(per_hour, time.p90 * (1 + slack)),
    )
