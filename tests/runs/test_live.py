"""The live line: what is known is said, what is not is left out."""

import time
from dataclasses import replace
from decimal import Decimal

import pytest

from longshore.runs.events import Event, JsonValue
from longshore.runs.live import Live, hours

LIVE = Live("demo-1a2b", "local process", Decimal("3.60"), began=1000.0).at(1000.0)


def step(at: float, **fields: JsonValue) -> Event:
    return Event("step", at, {"steps": 10, **fields})


@pytest.mark.parametrize(
    ("events", "part"),
    [
        ([], "run demo-1a2b · local process · start · $0.00 spent"),
        ([Event("phase", 1, {"phase": "data"})], "local process · data · $0.00"),
        ([step(1000, step=3)], "step 3/10 30%"),
        ([step(1000, step=3, loss=2.3456)], "30% · loss 2.346 ·"),
        ([step(1000, step=3, loss=None)], "step 3/10 30% · $0.00 spent"),
        ([step(1000, step=3, tokens_per_s=999.6)], "1000 tok/s"),
        ([step(1000, step=3, tokens_per_s=12_345.0)], "12.3k tok/s"),
        ([step(1000, step=3, gpu_util=91.2, gpu_mib=9216)], "GPU 91% 9.0 GiB"),
        ([step(1000, step=3, gpu_util=91.2)], "step 3/10 30% · $0.00 spent"),
        ([step(1000)], "step 0/10 0%"),
        ([Event("warning", 1, {"text": "x"})], "start"),
    ],
)
def test_events_become_the_line(events: list[Event], part: str) -> None:
    """Each event changes its own part; parts that are not known are left out."""
    live = LIVE
    for event in events:
        live = live.after(event)
    assert part in live.text()


def test_money_is_counted_from_the_request_on() -> None:
    """The machine costs from when it was asked for, at its price an hour."""
    live = replace(LIVE, max_cost=Decimal("2")).at(1000 + 1800)
    assert live.spent == Decimal("1.80")
    assert "$1.80 spent · budget $2.00" in live.text()


def test_the_end_is_told_by_the_mean_step() -> None:
    """Four steps took 100 s, six are left: 150 s more, and what they will cost."""
    live = LIVE.after(step(1000, step=0)).after(step(1100, step=4)).at(1100)
    assert live.seconds_left == 150
    assert live.at_finish == Decimal("0.25")
    assert time.strftime("ends %H:%M", time.localtime(1250)) in live.text()


def test_steps_of_an_earlier_run_do_not_count_as_quick() -> None:
    """A resumed run begins at its first step here, not at step 0."""
    live = LIVE.after(step(1000, step=8)).after(step(1060, step=9)).at(1060)
    assert live.seconds_left == 60


def test_before_the_second_step_no_end_is_told() -> None:
    """One step is no measure."""
    live = LIVE.after(step(1000, step=1)).at(1010)
    assert (live.seconds_left, live.at_finish) == (None, None)
    assert "ends" not in live.text()


def test_a_far_end_is_told_in_days() -> None:
    """A time of day says nothing about next week."""
    live = LIVE.after(step(1000, step=0)).after(step(1010, step=1, steps=100_000)).at(1010)
    assert "ends in 11d 13h" in live.text()


def test_no_number_of_steps_breaks_the_line() -> None:
    """A job that says nonsense of its steps gets no forecast, and its watch goes on."""
    live = LIVE.after(step(1000, step=0)).after(step(1010, step=1, steps=10**300)).at(1010)
    assert "finish" not in live.text()
    assert "ends" not in live.text()


def test_hours_are_exact_to_the_millisecond() -> None:
    """Money is never multiplied with a float; time before the beginning is none."""
    assert hours(3600) == 1
    assert hours(0.0004) == 0
    assert hours(-5) == 0
