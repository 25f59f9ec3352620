"""The life of one run: intent, image, machine, files in, job, files out, proof that it is gone."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from ..configs.spec import JobSpec
from ..costs.document import Document
from ..costs.plan import Plan, Used
from ..errors import (
    BusyError,
    LedgerError,
    LongshoreError,
    MachineLostError,
    OutputsKeptError,
)
from ..providers.base import Bind, Host, Need, Offer, Order, Provider
from . import collect, funds, locks, reports, sending, teardown
from .background import repeating
from .collect import Collected
from .endings import Ending, status_of
from .fetching import Fetching
from .follow import PATIENCE, Habits, Watch
from .inputs import Cargo, pack, secrets
from .ledger import Ledger
from .live import Live, hours
from .orders import order
from .owner import owner
from .placing import Placed, Placing
from .records import Attempt, Run, Status
from .screen import Screen
from .sending import Freight
from .signals import Stop
from .teardown import Patience
from .tunnels import exposed


@dataclass(frozen=True)
class Launch:
    """What is to be started: the job, the plan with its offer, and the run it goes on from."""

    spec: JobSpec
    project: Path
    plan: Plan
    resume_from: str = ""

    @property
    def offer(self) -> Offer:
        return self.plan.offer

    @property
    def need(self) -> Need:
        return Need.of(self.spec)


Build = Callable[[Launch, Callable[[str], None]], str]
"""Makes sure the job's image exists and returns its name; the callable shows progress."""


@dataclass(frozen=True)
class Session:
    """Who takes part in a run's life; the callables exist to be replaced in tests.

    `luggage` makes the folder of what a machine without the job's image lacks.
    """

    ledger: Ledger
    provider: Provider
    screen: Screen
    build: Build
    stop: Stop = field(default_factory=Stop)
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.time
    luggage: Callable[[Launch], Path | None] = lambda launch: None


@dataclass(frozen=True)
class Outcome:
    """How a run ended, what came home, and its report."""

    run: Run
    ending: Ending
    collected: Collected
    report: Document


CUT_SHORT = ("lost", "preempted", "killed")
"""Endings that are not the job's own: where nobody here asked for it, it goes on elsewhere."""


def start(session: Session, launch: Launch) -> Outcome:
    """Lead one run to its end; when this returns or raises, no machine of it is left.

    Raises:
        BusyError: the same job is running, or an earlier run of it is unattended.
        OutputsKeptError: outputs did not come home; the machine is kept for `gc`.
        LeftRunningError: the machine could not be proven gone.
        LongshoreError: whatever else went wrong; the run is closed as failed.
    """
    cargo = pack(launch.spec, launch.project)
    values = secrets(launch.spec)
    job = launch.spec.name
    with locks.hold(f"job-{job}", f"job {job!r}"), session.stop.listening():
        _refuse_unattended(session.ledger, job)
        run = session.ledger.open_run(launch.spec, launch.project, launch.resume_from)
        with locks.hold(run.id, f"run {run.id}"):
            return _Life(session, launch, run, cargo, values).lead()


def _refuse_unattended(ledger: Ledger, job: str) -> None:
    for run in ledger.unfinished():
        if run.job == job:
            raise BusyError(
                f"run {run.id} of this job was left by a command that died",
                "`longshore gc` brings it home and ends its machine",
            )


@dataclass(frozen=True)
class _Life:
    session: Session
    launch: Launch
    run: Run
    cargo: Cargo
    secrets: dict[str, str]

    def lead(self) -> Outcome:
        try:
            collect.prepare(self.run)
            funds.refuse_poor(self.session.provider, self.launch.plan)
            reports.keep_plan(self.run, self.launch.plan)
            ending, collected = self._through(self._image())
        except LongshoreError as error:
            self._close_after(error)
            raise
        return self._close(ending, collected)

    @property
    def _is_far(self) -> bool:
        return not self.session.provider.capabilities.shares_files

    @property
    def _fetching(self) -> Fetching:
        ours = self.session
        return Fetching(ours.ledger, ours.provider, ours.screen, ours.stop, ours.clock, self.run)

    def _image(self) -> str | None:
        if not self.session.provider.needs_image(self.launch.offer, self.launch.need):
            return None
        self._phase("build")
        with self.session.stop.breaking():
            return self.session.build(self.launch, self.session.screen.note)

    def _through(self, image: str | None) -> tuple[Ending, Collected]:
        """The job on one machine after another, until it ends in its own way."""
        freight = self._freight(image)
        losses = 0
        while True:
            with self._machine(image) as (placed, host):
                ending = self._work(placed, host, freight, goes_on=losses > 0)
                ending, collected = self._bring_home(placed, host, ending, losses)
            if not self._goes_on(placed.plan.offer, ending, losses):
                return ending, collected
            losses += 1
            self.session.screen.note(f"{self._loss(ending)}: going on with another machine")

    def _freight(self, image: str | None) -> Freight:
        bare = image is None and self._is_far
        # An image that we did not build does not hold the project.
        foreign = self.launch.spec.image.name is not None and self._is_far
        return Freight(
            run=self.run,
            cargo=self.cargo,
            project=self.launch.project,
            uploads=self._is_far,
            code=image is None or foreign,
            luggage=self.session.luggage(self.launch) if bare else None,
            resume_from=self.launch.resume_from,
            secrets=self.secrets,
            tokens=sending.new_tokens(self.launch.spec),
        )

    @contextmanager
    def _machine(self, image: str | None) -> Iterator[tuple[Placed, Host]]:
        """A machine that runs; it is torn down at the end, whatever happens inside."""
        placed = self._place(image)
        try:
            self.session.ledger.runs_at(placed.attempt, _price(placed))
            reports.keep_plan(self.run, placed.plan)
            yield placed, self.session.provider.host(placed.machine)
        except OutputsKeptError:
            raise
        except BaseException:
            self._tear_down(placed.attempt)
            raise
        self._tear_down(placed.attempt)

    def _place(self, image: str | None) -> Placed:
        session = self.session
        session.ledger.mark(self.run.id, Status.STARTING)
        placing = Placing(
            session.ledger,
            session.provider,
            session.screen,
            session.stop,
            session.patience,
            lambda attempt, plan: self._order(attempt, plan, image),
        )
        number = len(session.ledger.attempts(self.run.id)) + 1
        before = self._used(number)
        return placing.place(self.run.id, self.launch.project, self.launch.plan, before)

    def _order(self, attempt: Attempt, plan: Plan, image: str | None) -> Order:
        uploads = () if self._is_far else self.cargo.uploads
        binds = (Bind(upload.source, upload.target) for upload in uploads)
        spec, number = self.launch.spec, attempt.number
        return order(spec, self.run.id, number, owner(), plan.stop_after, image, binds)

    def _used(self, number: int) -> Used:
        """What the machines before the attempt of that number have used of the run's budget."""
        attempts = self.session.ledger.attempts(self.run.id)
        rented = [one for one in attempts if one.machine and one.number < number]
        spans = [((one.gone or self.session.clock()) - one.requested, one) for one in rented]
        usd = sum((hours(seconds) * one.usd_per_hour for seconds, one in spans), start=hours(0))
        return Used(usd, sum(seconds for seconds, _ in spans))

    def _work(self, placed: Placed, host: Host, freight: Freight, goes_on: bool) -> Ending:
        self._phase("sync")
        stop_after = placed.plan.stop_after
        with self.session.stop.breaking(), self._fetching.alive(host):
            try:
                seen = self._fetching.patiently(lambda: freight.send(host, stop_after, goes_on))
            except MachineLostError as error:
                return Ending(137, "lost", str(error), error.hint)
        self._phase("train")
        self.session.ledger.mark(self.run.id, Status.RUNNING)
        try:
            ending = self._watched(placed, host, seen, freight.tokens)
        except (LongshoreError, OSError) as error:
            raise self._fetching.kept("the job cannot be watched", error) from error
        told = self.cargo.in_users_words(ending.detail, self.launch.project)
        return replace(ending, detail=told)

    def _watched(
        self, placed: Placed, host: Host, seen: dict[str, int], tokens: dict[str, str]
    ) -> Ending:
        spec, screen = self.launch.spec, self.session.screen
        with ExitStack() as stack:
            try:
                self._fetching.patiently(host.start)
            except MachineLostError as error:
                return Ending(137, "lost", str(error), error.hint)
            stack.enter_context(exposed(host, spec.expose, tokens, screen.note))
            watch = self._watch(placed, host, seen)
            if self._is_far:
                copies = repeating(lambda: collect.copy_home(host, self.run), spec.sync.every)
                watch.worries = stack.enter_context(copies).fault
            return watch.until_end()

    def _watch(self, placed: Placed, host: Host, seen: dict[str, int]) -> Watch:
        session, limit = self.session, float(placed.plan.stop_after)
        offer = placed.plan.offer
        live = Live(
            run=self.run.id,
            where=f"{offer.provider} {offer.instance}",
            usd_per_hour=_price(placed),
            max_cost=self.launch.spec.guards.max_cost,
            began=placed.attempt.requested,
            before=self._used(placed.attempt.number).usd,
        )
        poll = session.provider.capabilities.poll
        habits = Habits(poll, max(limit, PATIENCE) if self._is_far else PATIENCE, limit)
        return Watch(
            host,
            session.screen,
            session.stop,
            live,
            self.secrets,
            session.clock,
            habits,
            offsets=seen,
        )

    def _bring_home(
        self, placed: Placed, host: Host, ending: Ending, losses: int
    ) -> tuple[Ending, Collected]:
        try:
            self._phase("collect")
            self.session.ledger.mark(self.run.id, Status.COLLECTING)
            return ending, self._fetching.all_of(host, is_done=ending.code == 0)
        except MachineLostError:
            goes_on = self._goes_on(placed.plan.offer, ending, losses)
            return self._fetching.out_of_sleep(placed.machine.id, ending, goes_on)
        except (LongshoreError, OSError) as error:
            raise self._fetching.kept("outputs are not home", error) from error

    def _goes_on(self, offer: Offer, ending: Ending, losses: int) -> bool:
        """Whether a job that was cut short begins again where its last checkpoint left it."""
        is_ours_to_end = self.session.stop.presses > 0 or offer.market == "own"
        left = self.launch.spec.guards.recoveries - losses
        return ending.reason in CUT_SHORT and not is_ours_to_end and left > 0

    def _loss(self, ending: Ending) -> str:
        from_where = "its last checkpoint" if collect.has_checkpoint(self.run.id) else "its start"
        return f"the job was cut short ({ending.detail or ending.reason}), from {from_where}"

    def _tear_down(self, attempt: Attempt) -> None:
        # A full disk must not keep a machine that costs money.
        with suppress(LedgerError):
            self._phase("teardown")
        session = self.session
        teardown.end(session.ledger, session.provider, attempt, session.patience)
        reports.ask_bill(session.ledger, session.provider, attempt)

    def _phase(self, name: str, detail: str = "") -> None:
        self.session.ledger.note(self.run.id, name, detail)
        self.session.screen.phase(name, detail)

    def _close(self, ending: Ending, collected: Collected) -> Outcome:
        status = status_of(ending, self.run.id)
        self.session.ledger.note(self.run.id, "end", ending.reason)
        self.session.ledger.close_run(self.run.id, status, ending.code, ending.reason)
        run = self.session.ledger.run(self.run.id)
        report = reports.write(self.session.ledger, run, self.session.screen.note)
        return Outcome(run, ending, collected, report)

    def _close_after(self, error: LongshoreError) -> None:
        """A kept machine leaves its run open; every other fault ends it."""
        ledger = self.session.ledger
        # The fault itself is what the user must read, not that it cannot be written down.
        with suppress(LedgerError):
            ledger.note(self.run.id, "end", type(error).__name__)
            if not isinstance(error, OutputsKeptError):
                ledger.close_run(self.run.id, Status.FAILED, error.exit_code, str(error))
                reports.write(ledger, ledger.run(self.run.id), self.session.screen.note)


def _price(placed: Placed) -> Decimal:
    """USD an hour: what the provider says of the machine, where that is more than its offer."""
    return max(placed.machine.usd_per_hour, placed.plan.offer.usd_per_hour)
