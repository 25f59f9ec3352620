"""Rules of the report: actual beside planned, and proof or a warning at the end."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from longshore.costs import document, planned
from longshore.costs.plan import Plan, plan
from longshore.costs.planned import Planned
from longshore.costs.report import Actual, Leftover, Outputs, Report, report
from longshore.costs.time import Band


@pytest.fixture
def made(project: Any, stall: Any, now: datetime) -> Plan:
    return plan(project.job(), [stall.rented], project.folder, now)


@pytest.fixture
def ran(now: datetime) -> Actual:
    """A run of 360 billed seconds, 300 of them training, at $3.60 an hour: a cent each ten."""
    return Actual(
        run="r7",
        job="tiny",
        status="done",
        reason="done",
        phases={"build": 40.0, "provision": 30.0, "train": 280.0, "eval": 20.0, "teardown": 30.0},
        start=now,
        end=now + timedelta(seconds=400),
        usd_per_hour=Decimal("3.60"),
        provider="runpod",
        machine="pod-1",
        gone_at=now + timedelta(seconds=400),
        steps=2000,
        tokens=500_000,
        tokens_per_s=1785.7,
        eval_loss=2.5,
        baseline=3.1,
        outputs=Outputs(4, 123_456, "outputs/r7"),
    )


def expected(seconds: float) -> Planned:
    """A plan of that P50, 20 % wide."""
    time = Band(seconds * 0.8, seconds, seconds * 1.2)
    return Planned("runpod", Decimal("3.60"), datetime.min.date(), "prior", time, None, {}, 0)


def test_only_the_machine_is_billed(ran: Actual, now: datetime) -> None:
    """Building happens before there is a machine: 360 of 400 seconds cost money."""
    found = report(ran, None, now)
    assert (found.billed_s, found.cost) == (360.0, Decimal("0.3600"))


def test_waste_is_billed_time_without_training(ran: Actual, now: datetime) -> None:
    """Provision and tear-down: 60 of 360 seconds."""
    assert report(ran, None, now).waste_s == 60.0


def test_cost_of_a_unit_of_work(ran: Actual, now: datetime) -> None:
    """36 cents for 2,000 steps and half a million tokens."""
    found = report(ran, None, now)
    assert found.usd_per_1k_steps == Decimal("0.1800")
    assert found.usd_per_1m_tokens == Decimal("0.7200")


def test_no_work_has_no_unit_cost(ran: Actual, now: datetime) -> None:
    """A run that ended before its first step divides by nothing."""
    found = report(replace(ran, steps=0, tokens=None), None, now)
    assert (found.usd_per_1k_steps, found.usd_per_1m_tokens) == (None, None)


@pytest.mark.parametrize(
    ("seconds", "error", "inside"),
    [(360.0, 0.0, True), (300.0, 20.0, True), (200.0, 80.0, False), (720.0, -50.0, False)],
)
def test_forecast_error(
    ran: Actual, now: datetime, seconds: float, error: float, inside: bool
) -> None:
    """Actual against P50 in percent of the plan, and whether it lay from P10 to P90."""
    found = report(ran, expected(seconds), now)
    assert (found.time_error, found.inside_band) == (error, inside)


def test_nothing_to_compare_with(ran: Actual, now: datetime) -> None:
    """Without a plan there is no error, rather than one of zero."""
    found = report(ran, None, now)
    assert (found.time_error, found.cost_error, found.inside_band) == (None, None, None)


def test_phases_beside_each_other(ran: Actual, made: Plan, now: datetime) -> None:
    """Every phase that was planned or happened, in order; what is not billed has no cost."""
    lines = report(ran, planned.of_plan(made), now).lines
    assert [line.name for line in lines] == [
        "build",
        "provision",
        "pull",
        "sync",
        "load",
        "train",
        "eval",
        "save",
        "collect",
        "teardown",
    ]
    build, provision, pull = lines[:3]
    assert (build.planned_s, build.actual_s, build.actual_usd) == (None, 40.0, None)
    assert (provision.actual_s, provision.actual_usd) == (30.0, Decimal("0.0300"))
    assert (pull.actual_s, pull.planned_usd is not None) == (None, True)


def test_a_plan_survives_its_json(made: Plan) -> None:
    """What a report reads from a stored plan is what the plan said, to a tenth of a second."""
    stored = planned.of_document(document.parse(document.text(document.of_plan(made))))
    fresh = planned.of_plan(made)
    assert stored is not None
    assert (stored.cost, stored.flops, stored.place) == (fresh.cost, fresh.flops, fresh.place)
    assert stored.time is not None
    assert fresh.time is not None
    assert stored.time.p50 == pytest.approx(fresh.time.p50, abs=0.06)
    assert stored.phases.keys() == fresh.phases.keys()


def test_an_estimate_without_a_choice_is_no_plan(made: Plan) -> None:
    """A report has nothing to compare with when no row was chosen."""
    assert planned.of_document(document.of_estimate(made.estimate)) is None


def test_leftovers_keep_their_price(ran: Actual, now: datetime) -> None:
    """What stays after the run is listed with its monthly cost, if known."""
    disk = Leftover("disk", "vol-1", Decimal("1.60"))
    found: Report = report(replace(ran, leftovers=(disk, Leftover("ip", "a"))), None, now)
    assert document.of_report(found)["leftovers"] == [
        {"what": "disk", "id": "vol-1", "usd_per_month": "1.6000"},
        {"what": "ip", "id": "a", "usd_per_month": None},
    ]
