"""Sizes, durations, money and shares."""

from decimal import Decimal

import pytest

from longshore.configs.units import (
    format_duration,
    format_size,
    format_usd,
    parse_duration,
    parse_share,
    parse_size,
    parse_usd,
)
from longshore.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("16GB", 16 * 10**9),
        ("16 GiB", 16 * 2**30),
        ("512MiB", 512 * 2**20),
        ("1.5gib", 3 * 2**29),
        ("2TB", 2 * 10**12),
        ("10 kb", 10_000),
        ("7B", 7),
        ("-1GB", -(10**9)),
    ],
)
def test_sizes_are_read_in_bytes(text: str, size: int) -> None:
    """GB counts in thousands and GiB in 1024s; the range is for the field to judge."""
    assert parse_size(text) == size


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("16G", "write 16GiB (powers of 1024) or 16GB (powers of 1000)"),
        ("8m", "write 8MiB (powers of 1024) or 8MB (powers of 1000)"),
        (
            "lots",
            "write for example 16GiB (2^30 each), 16GB (10^9 each) or a whole number of bytes",
        ),
        (
            "1" * 5000,
            "write for example 16GiB (2^30 each), 16GB (10^9 each) or a whole number of bytes",
        ),
        ("1.5", "write for example 16GiB (2^30 each), 16GB (10^9 each) or a whole number of bytes"),
        ("", "write for example 16GiB (2^30 each), 16GB (10^9 each) or a whole number of bytes"),
    ],
)
def test_an_unclear_size_is_refused(text: str, hint: str) -> None:
    """A lone letter has two meanings, and half a byte none; the hint shows what to write."""
    with pytest.raises(ConfigError) as caught:
        parse_size(text)
    assert str(caught.value) == f"{text!r} is not a size"
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("15m", 900),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("1.5h", 5400),
        ("1d", 86400),
        ("1D2H3M4S", 93784),
        ("-5", -5),
    ],
)
def test_durations_are_read_in_seconds(text: str, seconds: int) -> None:
    """Units go from large to small; a plain number is seconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "soon", "5w", "9" * 5000, "9" * 50 + "d", "30m1h", "1h1h", "0.5s", "1:30", "1h30", "-1h"],
)
def test_an_unclear_duration_is_refused(text: str) -> None:
    """Units out of order, doubled, unknown or missing are faults."""
    with pytest.raises(ConfigError, match="is not a duration") as caught:
        parse_duration(text)
    assert caught.value.hint == "write for example 90s, 15m, 1h30m, 1d, or seconds"


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0.50", "0.50"), ("$0.50", "0.50"), (".5", "0.5"), ("3", "3"), ("-$1", "-1"), ("0.1", "0.1")],
)
def test_money_keeps_every_digit(text: str, amount: str) -> None:
    """An amount is the decimal that was written, never a float's neighbour of it."""
    assert str(parse_usd(text)) == str(Decimal(amount))


@pytest.mark.parametrize(
    "text", ["", "free", "1,50", "9" * 500, "1e3", "nan", "Infinity", "0.5 EUR", "$$1"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    """Commas, exponents, other currencies and not-a-number are faults."""
    with pytest.raises(ConfigError, match="is not an amount in USD") as caught:
        parse_usd(text)
    assert caught.value.hint == "write for example 0.50 or $0.50"


@pytest.mark.parametrize(
    ("text", "share"),
    [("0", 0), ("0.1", 0.1), ("10%", 0.1), ("10 %", 0.1), ("1", 1), ("100%", 1), ("1e-2", 0.01)],
)
def test_shares_may_be_percent(text: str, share: float) -> None:
    """10% and 0.1 are the same float."""
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["10", "101%", "-0.1", "nan", "half", "", "1.01"])
def test_what_is_no_share_is_refused(text: str) -> None:
    """A share lies between nothing and the whole."""
    with pytest.raises(ConfigError, match="is not a share") as caught:
        parse_share(text)
    assert caught.value.hint == "write a number from 0 to 1, or 10%"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (2 * 2**30, "2 GiB"),
        (16 * 10**9, "16 GB"),
        (1536, "1.5 KiB"),
        (2**30 + 1, "1.0 GiB"),
    ],
)
def test_sizes_are_shown_for_people(size: int, text: str) -> None:
    """A size that a unit divides is shown exactly, any other to one decimal."""
    assert format_size(size) == text


@pytest.mark.parametrize("size", [1, 2**20, 3 * 2**30, 40 * 10**9, 2**41])
def test_a_round_size_survives_being_shown(size: int) -> None:
    """What `format_size` writes exactly, `parse_size` reads back."""
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize("seconds", [0, 1, 59, 60, 5400, 86400, 93784, 31 * 86400])
def test_a_duration_survives_being_shown(seconds: int) -> None:
    """What `format_duration` writes, `parse_duration` reads back."""
    assert parse_duration(format_duration(seconds)) == seconds


def test_a_duration_is_shown_without_empty_parts() -> None:
    """5400 seconds are 1h30m, not 0d1h30m0s."""
    assert format_duration(5400) == "1h30m"


@pytest.mark.parametrize(("amount", "text"), [("0.50", "$0.50"), ("-2", "-$2")])
def test_money_is_shown_with_every_digit(amount: str, text: str) -> None:
    """Fifty cents stay 0.50."""
    assert format_usd(Decimal(amount)) == text
