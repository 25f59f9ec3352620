"""Rules of the estimate and the plan: what is shown, chosen and refused before spending."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from longshore.configs.spec import JobSpec
from longshore.costs.estimate import Estimate, estimate
from longshore.costs.history import path
from longshore.costs.money import for_seconds
from longshore.costs.plan import Plan, plan
from longshore.costs.words import count, data, duration, mib, money, rough
from longshore.errors import GuardError, NoOfferError
from longshore.providers.base import Offer


@pytest.fixture
def made(project: Any, now: datetime) -> Any:
    def make(*offers: Offer, train: Any = None, **limits: Any) -> Estimate:
        return estimate(project.job(train, **limits), project.folder, offers, now)

    return make


@pytest.fixture
def planned(project: Any, now: datetime) -> Any:
    def make(*offers: Offer, train: Any = None, **limits: Any) -> Plan:
        return plan(project.job(train, **limits), offers, project.folder, now)

    return make


def test_cost_is_price_times_time(made: Any, stall: Any) -> None:
    """To 4 places, for each of the three quantiles."""
    row = made(stall.rented).rows[0]
    hours = Decimal(str(row.time.p50)) / 3600
    assert abs(row.cost.p50 - Decimal("0.86") * hours) < Decimal("0.0001")
    assert row.cost.p10 < row.cost.p50 < row.cost.p90


def test_an_old_price_widens_the_band(made: Any, stall: Any) -> None:
    """A bundled price older than 30 days: 10 % at both ends, the middle stays, one warning line."""
    fresh, old = made(stall.rented), made(stall.old)
    ours, theirs = old.rows[0].cost, fresh.rows[0].cost
    assert ours.p50 == theirs.p50
    assert float(ours.p10 / theirs.p10) == pytest.approx(0.9, rel=0.01)
    assert float(ours.p90 / theirs.p90) == pytest.approx(1.1, rel=0.01)
    assert [text for text in old.warnings if "2026-06-15" in text] == list(old.warnings)
    assert len(old.warnings) == 1
    assert fresh.warnings == ()


@pytest.mark.parametrize(("days", "warned"), [(0, False), (30, False), (31, True), (-3, False)])
def test_how_old_is_old(made: Any, stall: Any, now: datetime, days: int, warned: bool) -> None:
    """From the 31st day on; a date in the future is no age."""
    offer = replace(stall.old, as_of=now.date() - timedelta(days=days))
    found = made(offer)
    assert bool(found.warnings) is warned
    assert found.rows[0].age_days == max(0, days)


def test_one_row_for_each_kind(made: Any, stall: Any) -> None:
    """Offers that differ in place only are one row, the cheapest; its row says how many more."""
    dearer = replace(stall.rented, region="community", usd_per_hour=Decimal("0.99"))
    rows = made(dearer, stall.rented, stall.spot).rows
    assert [(row.offer.region, row.same_kind) for row in rows] == [("us-east-2", 0), ("secure", 1)]


def test_what_fits_comes_first(made: Any, stall: Any) -> None:
    """A cheap machine that is too small stands below a dear one that is not."""
    small = replace(stall.rented, gpu="T4", vram_mib=10, usd_per_hour=Decimal("0.01"))
    found = made(small, stall.rented)
    assert [row.offer.gpu for row in found.rows] == ["L40S", "T4"]
    assert found.best is found.rows[0]


@pytest.mark.parametrize(("bid", "rows"), [("0.86", 3), ("0.85", 2), ("0.10", 1)])
def test_the_bid_is_a_ceiling(made: Any, stall: Any, bid: str, rows: int) -> None:
    """Offers above the bid are left out and counted; one's own machine has no bid."""
    found = made(stall.rented, stall.spot, stall.own, bid=Decimal(bid))
    assert (len(found.rows), found.above_bid) == (rows, 3 - rows)


def test_the_bid_is_for_one_gpu(made: Any, stall: Any) -> None:
    """Four GPUs for $3.44 are $0.86 each."""
    four = replace(stall.rented, gpu_count=4, usd_per_hour=Decimal("3.44"))
    assert len(made(four, bid=Decimal("0.86")).rows) == 1


def test_a_command_without_history(stall: Any, tmp_path: Path, now: datetime) -> None:
    """Its time is not known: no cost is shown, and the worst case is max_time."""
    spec = JobSpec(name="cmd", run="true")
    found = plan(spec, [stall.rented], tmp_path, now)
    assert (found.chosen.time, found.chosen.cost) == (None, None)
    assert found.worst_case == Decimal("20.6400")
    assert "max_time" in found.estimate.warnings[0]


def test_a_broken_record_is_a_warning(made: Any, stall: Any) -> None:
    """Unreadable lines in perf.jsonl do not stop an estimate."""
    path().parent.mkdir(parents=True)
    path().write_text("nonsense\n")
    assert "1 unreadable line" in made(stall.rented).warnings[0]


def test_the_cheapest_that_fits_is_chosen(planned: Any, stall: Any) -> None:
    """The others are the runners-up, at most three."""
    names = ("L4", "A40", "RTX 4090", "H100-SXM")
    dear = [replace(stall.rented, gpu=name, usd_per_hour=Decimal(90)) for name in names]
    found = planned(stall.spot, *dear)
    assert found.offer == stall.spot
    assert len(found.runners_up) == 3


@pytest.mark.parametrize(
    ("limits", "stop", "worst"),
    [
        ({}, 86_400, "20.6400"),
        ({"max_time": 3600}, 3600, "0.8600"),
        ({"max_cost": Decimal("0.43")}, 1800, "0.4300"),
        ({"max_cost": Decimal(100)}, 86_400, "20.6400"),
    ],
)
def test_the_worst_case(
    planned: Any, stall: Any, limits: dict[str, Any], stop: int, worst: str
) -> None:
    """The run ends at max_time or when max_cost is spent, and costs no more than that."""
    found = planned(stall.rented, **limits)
    assert (found.stop_after, found.worst_case) == (stop, Decimal(worst))


def test_a_machine_without_a_price_has_no_cost_limit(planned: Any, stall: Any) -> None:
    """Power for nothing: max_cost is never reached."""
    free = replace(stall.own, usd_per_hour=Decimal(0))
    assert planned(free, max_cost=Decimal(1)).stop_after == 86_400


def test_what_is_left_of_the_budget(planned: Any, stall: Any) -> None:
    """max_cost less a P90 run; nothing to say without a limit."""
    found = planned(stall.rented, max_cost=Decimal(5))
    assert found.budget_left == Decimal(5) - found.chosen.cost.p90
    assert planned(stall.rented).budget_left is None


def test_a_slow_run_may_be_cut(planned: Any, stall: Any) -> None:
    """When P90 is beyond the limit, the plan says which limit cuts it."""
    assert "max_time ends it" in planned(stall.rented, max_time=60).warnings[0]
    assert "max_cost ends it" in planned(stall.rented, max_cost=Decimal("0.05")).warnings[0]
    assert planned(stall.rented).warnings == ()


def test_beyond_the_budget_is_refused(planned: Any, stall: Any) -> None:
    """When even a lucky run costs more than max_cost, nothing is rented."""
    with pytest.raises(GuardError, match=r"max_cost is \$0\.0010"):
        planned(stall.rented, max_cost=Decimal("0.001"))


def test_nothing_on_offer(planned: Any) -> None:
    """No offers at all."""
    with pytest.raises(NoOfferError, match="nothing is on offer"):
        planned()


def test_all_above_the_bid(planned: Any, stall: Any) -> None:
    """The message says how many there were and what to do."""
    with pytest.raises(NoOfferError, match=r"all 2 offers are above the bid of \$0\.20") as fault:
        planned(stall.rented, stall.spot, bid=Decimal("0.20"))
    assert "market.bid" in fault.value.hint


def test_nothing_large_enough(planned: Any, stall: Any) -> None:
    """The need, the largest there is, and what makes the need smaller."""
    small = replace(stall.rented, vram_mib=1024)
    with pytest.raises(NoOfferError, match=r"largest on offer has 1\.0 GiB") as fault:
        planned(small)
    assert "gradient_checkpointing" in fault.value.hint


def test_ones_own_machine_may_try(planned: Any, stall: Any) -> None:
    """Nothing is rented, so a job that may not fit is warned of, not refused."""
    found = planned(replace(stall.own, memory_mib=1024))
    assert found.chosen.fits is False
    assert "may not fit" in found.warnings[0]


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("2.345", "$2.35"),
        ("0.1", "$0.10"),
        ("0.0999", "$0.0999"),
        ("0.00004", "$0.0000"),
        ("0", "$0.00"),
        ("-0.05", "-$0.0500"),
        ("1234.5", "$1,234.50"),
        (None, "-"),
    ],
)
def test_money_as_shown(amount: str | None, shown: str) -> None:
    """Two places, four below ten cents."""
    assert money(amount) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "-"),
        (0, "0s"),
        (59.6, "1m"),
        (200, "3m 20s"),
        (3600, "1h"),
        (7500, "2h 05m"),
        (19 * 86_400 + 4 * 3600, "19d 04h"),
    ],
)
def test_durations_as_shown(seconds: float | None, shown: str) -> None:
    """The two largest units; a second one of zero is left out."""
    assert duration(seconds) == shown


def test_an_expected_duration_has_no_seconds() -> None:
    """From ten minutes on."""
    assert (rough(599), rough(631)) == ("9m 59s", "11m")


def test_sizes_as_shown() -> None:
    """Counts with three digits, memory in GiB, files in decimal units."""
    assert [count(n) for n in (None, 512, 1500, 1_543_714_304)] == ["-", "512", "1.5k", "1.54B"]
    assert (mib(22_888), mib(None)) == ("22.4 GiB", "?")
    assert [data(n) for n in (999, 2_500, 3_000_000, 10**10)] == [
        "999 B",
        "2.5 kB",
        "3.0 MB",
        "10.0 GB",
    ]


def test_money_is_rounded_once() -> None:
    """A second at $0.86 an hour, to 4 places."""
    assert for_seconds(Decimal("0.86"), 1) == Decimal("0.0002")
