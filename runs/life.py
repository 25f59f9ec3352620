"""The life of one run: intent, image, machine, files in, job, files out, proof that it is gone."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..configs import folders, jobfile
from ..configs.container import CHECKPOINTS, CODE, JOB, SECRETS
from ..configs.spec import JobSpec
from ..costs.document import Document
from ..costs.plan import Plan
from ..environments.paths import not_code
from ..errors import (
    BusyError,
    LedgerError,
    LongshoreError,
    MachineLostError,
    OutputsKeptError,
    ProviderError,
)
from ..providers.base import Bind, Host, Machine, Need, Offer, Order, Provider, State
from ..providers.wait import wait_until
from . import collect, locks, reports, teardown
from .collect import Collected
from .endings import Ending, status_of
from .follow import Watch
from .inputs import Cargo, limited, pack, secrets
from .ledger import Ledger
from .live import Live
from .owner import owner
from .records import Attempt, Run, Status
from .screen import Screen
from .signals import Stop
from .teardown import Patience


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


Build = Callable[[Launch, Callable[[str], None]], str]
"""Makes sure the job's image exists and returns its name; the callable shows progress."""


@dataclass(frozen=True)
class Session:
    """Who takes part in a run's life; the callables exist to be replaced in tests."""

    ledger: Ledger
    provider: Provider
    screen: Screen
    build: Build
    stop: Stop = field(default_factory=Stop)
    patience: Patience = field(default_factory=Patience)
    clock: Callable[[], float] = time.time


@dataclass(frozen=True)
class Outcome:
    """How a run ended, what came home, and its report."""

    run: Run
    ending: Ending
    collected: Collected
    report: Document


UNSEEN = 5
"""Looks in a row in which a cloud may not yet know the machine it has just made."""

_KEPT_HINT = "make room or mend it, then `longshore gc`; `longshore down` gives them up"


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
            reports.keep_plan(self.run, self.launch.plan)
            image = self._image()
            with self._machine(image) as host:
                ending = self._work(host)
                collected = self._bring_home(host, ending)
        except LongshoreError as error:
            self._close_after(error)
            raise
        return self._close(ending, collected)

    def _image(self) -> str | None:
        if not self.session.provider.needs_image(self.launch.offer, Need.of(self.launch.spec)):
            return None
        self._phase("build")
        with self.session.stop.breaking():
            return self.session.build(self.launch, self.session.screen.note)

    @contextmanager
    def _machine(self, image: str | None) -> Iterator[Host]:
        """A machine that runs; it is torn down at the end, whatever happens inside."""
        self._phase("provision", self.launch.offer.instance)
        attempt = self.session.ledger.intend(self.run.id, self.launch.offer)
        try:
            attempt = self._request(attempt, image)
            yield self.session.provider.host(self._await_running(attempt))
        except OutputsKeptError:
            raise
        except BaseException:
            self._tear_down(attempt)
            raise
        self._tear_down(attempt)

    def _request(self, attempt: Attempt, image: str | None) -> Attempt:
        order = self._order(attempt, image)
        try:
            machine = self.session.provider.request(self.launch.offer, order)
        except ProviderError:
            machine = self._created_all_the_same(attempt)
            if not machine:
                raise
        self.session.ledger.adopt(attempt, machine)
        return self.session.ledger.attempts(self.run.id)[-1]

    def _created_all_the_same(self, attempt: Attempt) -> str:
        """A create call whose answer was lost may have made the machine."""
        owned = self.session.provider.list_owned()
        ids = [m.id for m in owned if (m.run, m.attempt) == (attempt.run, attempt.number)]
        return ids[0] if ids else ""

    def _order(self, attempt: Attempt, image: str | None) -> Order:
        shares = self.session.provider.capabilities.shares_files
        uploads = self.cargo.uploads if shares else ()
        return Order(
            run=self.run.id,
            attempt=attempt.number,
            owner=owner(),
            need=Need.of(self.launch.spec),
            image=image,
            binds=tuple(Bind(upload.source, upload.target) for upload in uploads),
            cache=folders.cache() / "job",
        )

    def _await_running(self, attempt: Attempt) -> Machine:
        with self.session.stop.breaking():
            machine = wait_until(
                lambda: self.session.provider.look(attempt.machine),
                pending={State.REQUESTED, State.BOOTING},
                target={State.RUNNING},
                deadline=self.launch.spec.guards.boot_timeout,
                unseen=UNSEEN,
                interval=0.1,
            )
        if machine is None:
            raise MachineLostError(f"machine {attempt.machine} vanished before it ran")
        self.session.ledger.move(attempt, State.RUNNING)
        return machine

    def _work(self, host: Host) -> Ending:
        self._phase("sync")
        with self.session.stop.breaking():
            self._send(host)
        self._phase("train")
        self.session.ledger.mark(self.run.id, Status.RUNNING)
        host.start()
        try:
            ending = self._watch(host).until_end()
        except (LongshoreError, OSError) as error:
            raise self._kept("the job cannot be watched", error) from error
        told = self.cargo.in_users_words(ending.detail, self.launch.project)
        return replace(ending, detail=told)

    def _send(self, host: Host) -> None:
        provider, offer = self.session.provider, self.launch.offer
        if not provider.needs_image(offer, Need.of(self.launch.spec)):
            project = self.launch.project
            stays = (*not_code(self.launch.spec, project), *folders.inside(project))
            host.put(project, CODE, stays)
        if not provider.capabilities.shares_files:
            for upload in self.cargo.uploads:
                host.put(upload.source, upload.target)
        if self.launch.resume_from:
            host.put(collect.saved_checkpoints(self.launch.resume_from), CHECKPOINTS)
        if self.secrets:
            host.write(SECRETS, json.dumps(self.secrets).encode(), mode=0o600)
        job = limited(self.cargo.spec, self.launch.plan.stop_after)
        host.write(JOB, jobfile.dump(job).encode())

    def _watch(self, host: Host) -> Watch:
        offer = self.launch.offer
        live = Live(
            run=self.run.id,
            where=f"{offer.provider} {offer.instance}",
            usd_per_hour=offer.usd_per_hour,
            max_cost=self.launch.spec.guards.max_cost,
            began=self.session.ledger.attempts(self.run.id)[-1].requested,
        )
        session = self.session
        return Watch(host, session.screen, session.stop, live, self.secrets, session.clock)

    def _bring_home(self, host: Host, ending: Ending) -> Collected:
        try:
            self._phase("collect")
            self.session.ledger.mark(self.run.id, Status.COLLECTING)
            return collect.bring_home(host, self.run, is_done=ending.code == 0)
        except MachineLostError:
            self.session.screen.note("the machine went away with what was not home yet")
            return collect.counted(collect.home(self.run))
        except (LongshoreError, OSError) as error:
            raise self._kept("outputs are not home", error) from error

    def _kept(self, what: str, error: Exception) -> OutputsKeptError:
        """Once a job has begun, no fault of ours may end its machine with what it made."""
        with suppress(LedgerError):
            self.session.ledger.mark(self.run.id, Status.KEPT)
        return OutputsKeptError(f"{what}: {error}", _KEPT_HINT)

    def _tear_down(self, attempt: Attempt) -> None:
        # A full disk must not keep a machine that costs money.
        with suppress(LedgerError):
            self._phase("teardown")
        teardown.end(self.session.ledger, self.session.provider, attempt, self.session.patience)

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
