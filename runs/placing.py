"""Find a machine: the plan's candidates one by one, and again for as long as the user waits."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..configs.spec import JobSpec
from ..costs.plan import NOTHING, Plan, Used, plan
from ..costs.words import duration, enough
from ..errors import (
    AccountError,
    GuardError,
    MachineLostError,
    NoCapacityError,
    NoOfferError,
    ProviderError,
    UnreachableError,
)
from ..providers.base import Machine, Need, Offer, Order, Provider, State
from ..providers.wait import wait_until
from . import teardown
from .ledger import Ledger
from .records import Attempt
from .screen import Screen
from .signals import Stop
from .teardown import Patience

PAUSE = 30.0
"""Seconds between two rounds of offers while one waits for a machine."""
UNSEEN = 5
"""Looks in a row in which a cloud may not yet know the machine it has just made."""


@dataclass
class Waiting:
    """How long a machine is waited for, and how that is shown."""

    seconds: float
    note: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _until: float = field(init=False)

    def __post_init__(self) -> None:
        self._until = self.clock() + self.seconds

    def again(self, why: object) -> bool:
        """Pause before another try; False when the time is over."""
        left = self._until - self.clock()
        if left <= 0:
            return False
        self.note(f"{why}; trying again for {duration(left)}")
        self.sleep(min(PAUSE, left))
        return True


@dataclass(frozen=True)
class Placed:
    """A machine that runs, its attempt, and the plan as it is with this machine."""

    plan: Plan
    attempt: Attempt
    machine: Machine


@dataclass(frozen=True)
class Placing:
    """Who takes part; `order` makes the order of an attempt."""

    ledger: Ledger
    provider: Provider
    screen: Screen
    stop: Stop
    patience: Patience
    order: Callable[[Attempt, Plan], Order]

    def place(self, run: str, project: Path, made: Plan, before: Used = NOTHING) -> Placed:
        """A machine that runs, by the first candidate that gives one.

        Raises:
            NoCapacityError: no candidate gave one in the time the job waits.
            ProviderError: the account or the request is refused; other offers would be, too.
            LeftRunningError: a machine that did not come up could not be proven gone.
        """
        spec = made.estimate.spec
        waiting = Waiting(spec.market.wait, self.screen.note, self._sleep)
        while True:
            found = self._round(run, made, before)
            if isinstance(found, Placed):
                return found
            if not isinstance(found, NoCapacityError) or not waiting.again(found):
                raise found
            made = self._fresh(spec, project) or made

    def _round(self, run: str, made: Plan, before: Used) -> Placed | ProviderError:
        """One try of every candidate: a machine, or the fault that says most."""
        faults: list[ProviderError] = []
        for tried in _affordable(made, before):
            try:
                return self._try(run, tried)
            except ProviderError as error:
                if not _may_differ(error, tried.offer):
                    raise
                faults.append(error)
                self.screen.note(f"{_where(tried.offer)}: {error}")
        return _verdict(faults)

    def _try(self, run: str, made: Plan) -> Placed:
        self.ledger.note(run, "provision", _where(made.offer))
        self.screen.phase("provision", _where(made.offer))
        attempt = self.ledger.intend(run, made.offer)
        try:
            attempt = self._request(attempt, made)
            machine = self._await_running(attempt, made)
            _refuse_dearer(machine, made)
        except BaseException:
            teardown.end(self.ledger, self.provider, self._last(run), self.patience)
            raise
        return Placed(made, attempt, machine)

    def _request(self, attempt: Attempt, made: Plan) -> Attempt:
        try:
            machine = self.provider.request(made.offer, self.order(attempt, made))
        except (NoCapacityError, AccountError):
            raise
        except ProviderError:
            machine = self._created_all_the_same(attempt)
            if not machine:
                raise
        self.ledger.adopt(attempt, machine)
        return self._last(attempt.run)

    def _created_all_the_same(self, attempt: Attempt) -> str:
        """A create call whose answer was lost may have made the machine."""
        owned = self.provider.list_owned()
        ids = [m.id for m in owned if (m.run, m.attempt) == (attempt.run, attempt.number)]
        return ids[0] if ids else ""

    def _await_running(self, attempt: Attempt, made: Plan) -> Machine:
        with self.stop.breaking():
            machine = boot(self.provider, attempt.machine, made.estimate.spec.guards.boot_timeout)
        self.ledger.move(attempt, State.RUNNING)
        return machine

    def _last(self, run: str) -> Attempt:
        return self.ledger.attempts(run)[-1]

    def _fresh(self, spec: JobSpec, project: Path) -> Plan | None:
        """The plan by the offers of this moment; None while there are none."""
        try:
            return plan(spec, self.provider.offers(Need.of(spec)), project)
        except NoOfferError:
            return None

    def _sleep(self, seconds: float) -> None:
        with self.stop.breaking():
            self.stop.wait(seconds)


def boot(provider: Provider, machine_id: str, deadline: float) -> Machine:
    """The machine once it runs; `deadline` in seconds.

    Raises:
        MachineLostError: it vanished.
        ProviderError: it did not come up in time, with what the provider says about it.
    """
    machine = wait_until(
        lambda: provider.look(machine_id),
        pending={State.REQUESTED, State.BOOTING},
        target={State.RUNNING},
        deadline=deadline,
        unseen=UNSEEN,
        interval=provider.capabilities.interval,
        longest=max(5 * provider.capabilities.interval, 2.0),
    )
    if machine is None:
        raise MachineLostError(f"machine {machine_id} vanished before it ran")
    return machine


def first_plan(provider: Provider, spec: JobSpec, project: Path, waiting: Waiting) -> Plan:
    """The plan by the provider's offers, once there is one to choose.

    Raises NoCapacityError when there is none in the time the job waits, else as `costs.plan.plan`:
    what does not exist, or does not fit, is not waited for.
    """
    while True:
        try:
            return plan(spec, provider.offers(Need.of(spec)), project)
        except NoCapacityError as error:
            if not waiting.again(error):
                raise


def _affordable(made: Plan, before: Used) -> Iterator[Plan]:
    """The plan with each candidate that the budget still allows; raises when not even one does."""
    refused: GuardError | None = None
    allowed = False
    for offer in made.candidates:
        try:
            yield made.on(offer, before)
            allowed = True
        except GuardError as error:
            refused = error
    if refused and not allowed:
        raise refused


def _may_differ(error: ProviderError, offer: Offer) -> bool:
    """Whether another offer may do where this one failed; one's own machine is what it is."""
    if isinstance(error, AccountError | UnreachableError):
        return False
    return offer.market != "own"


def _verdict(faults: list[ProviderError]) -> ProviderError:
    """No room anywhere can be waited for; a request that every offer refused cannot."""
    others = [fault for fault in faults if not isinstance(fault, NoCapacityError)]
    if others:
        return others[-1]
    last = faults[-1]
    tried = "" if len(faults) == 1 else f"none of {len(faults)} offers gave a machine, the last: "
    return NoCapacityError(f"{tried}{last}", last.hint or "wait for one with --wait 1h")


def _refuse_dearer(machine: Machine, made: Plan) -> None:
    """The price may rise between the offer and the machine: the bid is held all the same."""
    bid, offer = made.estimate.spec.market.bid, made.offer
    each = (machine.usd_per_hour - offer.disk_usd_per_hour) / max(1, offer.gpu_count)
    if bid is not None and offer.market != "own" and each > bid:
        raise NoCapacityError(f"it costs {enough(each)} a GPU-hour now, above the bid")


def _where(offer: Offer) -> str:
    if offer.market == "own":
        return offer.instance
    words = (offer.instance, offer.zone, "" if offer.region == "anywhere" else offer.region)
    return " ".join(dict.fromkeys(word for word in words if word))
