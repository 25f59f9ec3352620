"""A machine is found by trying the plan's candidates, one request at a time."""

from dataclasses import replace
from decimal import Decimal

import pytest

from longshore.configs.spec import Gpu, Guards, JobSpec, Market, Resources
from longshore.costs.plan import Plan, Used
from longshore.errors import (
    AccountError,
    GuardError,
    NoCapacityError,
    NoOfferError,
    ProviderError,
    UnreachableError,
)
from longshore.providers.base import Machine, Need, Offer, Order, State
from longshore.providers.fake import FakeProvider, Faults
from longshore.runs.life import Session, start
from longshore.runs.placing import PAUSE, Waiting, first_plan
from longshore.runs.records import Status
from longshore.runs.signals import Stop

from .conftest import Bench

BOTH = JobSpec("demo", "fake", run="true", market=Market("prefer"))
"""Two candidates: spot at 0.04, on-demand at 0.12."""


class Counter(FakeProvider):
    """A fake provider with a queue of faults, one for each request; None lets it through."""

    def __init__(self, *faults: ProviderError | None, boots: int = 0) -> None:
        super().__init__(faults=Faults(pace=0.01, boots=boots))
        self.queue = list(faults)
        self.asked: list[str] = []

    def request(self, offer: Offer, order: Order) -> str:
        self.asked.append(offer.market)
        fault = self.queue.pop(0) if self.queue else None
        if fault:
            raise fault
        return super().request(offer, order)


def session(bench: Bench, provider: FakeProvider) -> Session:
    return replace(bench.session(), provider=provider)


@pytest.mark.parametrize("fault", [NoCapacityError("none left"), ProviderError("a bad request")])
def test_the_next_candidate_is_tried(bench: Bench, fault: ProviderError) -> None:
    """Where one offer gives no machine the next one may; the refused attempt stays on record."""
    provider = Counter(fault)
    outcome = start(session(bench, provider), bench.launch(BOTH))
    assert provider.asked == ["spot", "on-demand"]
    states = [attempt.state for attempt in bench.ledger.attempts(outcome.run.id)]
    assert states == [State.REFUSED, State.GONE]
    assert any(str(fault) in note for note in bench.screen.notes)


@pytest.mark.parametrize("fault", [AccountError("no balance"), UnreachableError("no network")])
def test_what_holds_for_every_offer_ends_the_search(bench: Bench, fault: ProviderError) -> None:
    """An account that says no, or a place that does not answer: no other offer would help."""
    provider = Counter(fault)
    with pytest.raises(type(fault), match=str(fault)):
        start(session(bench, provider), bench.launch(BOTH))
    assert provider.asked == ["spot"]
    assert bench.ledger.unfinished() == []


def test_when_no_candidate_will_do_the_last_word_is_told(bench: Bench) -> None:
    """How many were tried, what the last one said, and that one can wait."""
    provider = Counter(NoCapacityError("none left"), NoCapacityError("none here either"))
    with pytest.raises(NoCapacityError, match=r"none of 2 offers .* none here either") as caught:
        start(session(bench, provider), bench.launch(BOTH))
    assert "--wait" in caught.value.hint


def test_a_machine_that_never_boots_is_given_back_and_the_next_tried(bench: Bench) -> None:
    """The deadline of a boot ends the attempt, not the run."""

    class Stubborn(Counter):
        def look(self, machine_id: str) -> Machine | None:
            machine = super().look(machine_id)
            if machine is None or not machine_id.endswith("-1"):
                return machine
            return replace(machine, state=State.BOOTING, detail="pulling")

    provider = Stubborn()
    spec = replace(BOTH, guards=Guards(boot_timeout=1))
    outcome = start(session(bench, provider), bench.launch(spec))
    assert outcome.run.status is Status.DONE
    assert [one.state for one in bench.ledger.attempts(outcome.run.id)] == [State.GONE] * 2
    assert any("still BOOTING after 1 s: pulling" in note for note in bench.screen.notes)


def test_a_price_that_rose_above_the_bid_is_not_paid(bench: Bench) -> None:
    """The machine is given back at once when it costs more than its offer and the bid."""

    class Dear(Counter):
        def look(self, machine_id: str) -> Machine | None:
            machine = super().look(machine_id)
            return replace(machine, usd_per_hour=Decimal("0.75")) if machine else None

    spec = replace(BOTH, market=Market("prefer", Decimal("0.50")))
    with pytest.raises(NoCapacityError, match=r"costs \$0\.75 a GPU-hour now, above the bid"):
        start(session(bench, Dear()), bench.launch(spec))
    assert bench.provider.list_owned() == []


def test_an_offer_that_the_budget_cannot_pay_is_passed_over(bench: Bench) -> None:
    """Of a budget that is used up nothing is asked for any more."""
    launch = bench.launch(replace(BOTH, guards=Guards(max_cost=Decimal(1))))
    with pytest.raises(GuardError, match=r"\$1\.00 and 5s are used up"):
        launch.plan.on(launch.plan.candidates[-1], before=Used(Decimal("1.00"), 5))


def test_waiting_asks_again_until_there_is_one(bench: Bench) -> None:
    """With `market.wait` a round without a machine is followed by another, with fresh offers."""
    provider = Counter(*[NoCapacityError("none left")] * 3)
    bench.stop = Hasty()
    spec = replace(BOTH, market=Market("prefer", wait=3600))
    outcome = start(session(bench, provider), bench.launch(spec))
    assert outcome.run.status is Status.DONE
    assert provider.asked == ["spot", "on-demand"] * 2
    assert any("trying again for" in note for note in bench.screen.notes)


class Hasty(Stop):
    """A stop that never waits."""

    def wait(self, seconds: float) -> None:
        return None


class Late(FakeProvider):
    """A provider that has nothing on offer the first few times."""

    def __init__(self, empty: int) -> None:
        super().__init__(faults=Faults(pace=0.01))
        self.empty = empty

    def offers(self, need: Need) -> list[Offer]:
        self.empty -= 1
        if self.empty >= 0:
            raise NoCapacityError("nothing now")
        return super().offers(need)


def waiting(seconds: float, notes: list[str]) -> Waiting:
    now = [0.0]

    def sleep(pause: float) -> None:
        now[0] += pause

    return Waiting(seconds, notes.append, sleep, lambda: now[0])


def planned(bench: Bench, provider: FakeProvider, seconds: float, notes: list[str]) -> Plan:
    return first_plan(provider, BOTH, bench.project, waiting(seconds, notes))


@pytest.mark.parametrize(("empty", "seconds"), [(1, 60), (3, 3 * PAUSE)])
def test_a_plan_is_waited_for(bench: Bench, empty: int, seconds: float) -> None:
    """While nothing is on offer, and until the time is over; each wait is told."""
    notes: list[str] = []
    assert planned(bench, Late(empty), seconds, notes).offer.market == "spot"
    assert len(notes) == empty


def test_a_plan_is_not_waited_for_in_vain(bench: Bench) -> None:
    """When the time is over the last fault is told as it was."""
    with pytest.raises(NoCapacityError, match="nothing now"):
        planned(bench, Late(9), 2 * PAUSE, [])


def test_what_does_not_exist_is_not_waited_for(bench: Bench) -> None:
    """No time of waiting brings a GPU that nobody sells."""
    spec = replace(BOTH, resources=Resources(gpu=Gpu("Voodoo 2")))
    notes: list[str] = []
    provider = FakeProvider(faults=Faults(pace=0.01))
    with pytest.raises(NoOfferError):
        first_plan(provider, spec, bench.project, waiting(3600, notes))
    assert notes == []


def test_a_bid_that_is_too_low_names_the_price_that_would_do(bench: Bench) -> None:
    """And says that one can wait for a lower one."""
    spec = replace(BOTH, market=Market("never", Decimal("0.05")))
    with pytest.raises(NoCapacityError, match=r"the cheapest is \$0\.12") as caught:
        bench.launch(spec)
    assert "$0.12" in caught.value.hint
    assert "--wait" in caught.value.hint
