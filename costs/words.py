"""Money, time and sizes as a person reads them."""

from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Final

CENTS_ENOUGH: Final = Decimal("0.10")
UNITS: Final = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s"))


def money(usd: Decimal | str | None) -> str:
    """Two places, four below ten cents: $2.34, $0.0412."""
    if usd is None:
        return "-"
    amount = Decimal(usd)
    small = 0 < abs(amount) < CENTS_ENOUGH
    shown = abs(amount).quantize(Decimal("0.0001" if small else "0.01"), rounding=ROUND_HALF_UP)
    return f"{'-' if amount < 0 else ''}${shown:,}"


def enough(usd: Decimal) -> str:
    """A price rounded up, so that who bids it can pay it: $0.34, $0.3412."""
    places = usd.quantize(Decimal("0.0001"), rounding=ROUND_UP)
    cents = places.quantize(Decimal("0.01"), rounding=ROUND_UP)
    return f"${cents if cents == places else places}"


def duration(seconds: float | None) -> str:
    """The two largest units: 19d 04h, 2h 05m, 3m, 12s."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    for unit, name, part, small in UNITS:
        if whole >= unit:
            rest = whole % unit // part
            return f"{whole // unit}{name} {rest:02d}{small}" if rest else f"{whole // unit}{name}"
    return f"{whole}s"


def rough(seconds: float) -> str:
    """A duration that is only expected: no seconds from ten minutes on."""
    return duration(round(seconds / 60) * 60 if seconds >= 600 else seconds)


def mib(size: int | None) -> str:
    """GiB with one place, as drivers report memory."""
    return "?" if size is None else f"{size / 1024:.1f} GiB"


def count(number: float | None) -> str:
    """1.54B, 20.0M, 512."""
    if number is None:
        return "-"
    for unit, name in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= unit:
            return f"{number / unit:.3g}{name}"
    return f"{number:g}"


def data(size: int) -> str:
    """Bytes in decimal units, as disks are sold."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} B"
