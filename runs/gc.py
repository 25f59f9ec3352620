"""Find what dead commands left behind, bring home what it holds, and end it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..configs.container import EVENTS, JOB
from ..errors import LeftRunningError, MachineLostError, OutputsKeptError, SyncError
from ..providers.base import Exit, Host, Machine, Provider
from . import collect, locks, reports, teardown
from .endings import Ending, ending_of, status_of
from .events import read_all
from .ledger import Ledger
from .records import Attempt, Run, Status
from .teardown import Patience

NEVER_RAN = Ending(137, "lost", "its command died before the job began")
GONE = Ending(137, "lost", "its machine is gone")
KILL_SECONDS = 10.0


@dataclass(frozen=True)
class Leftover:
    """A run that nobody looks after (with its last attempt), or a machine that no run knows."""

    why: str
    run: Run | None = None
    attempt: Attempt | None = None
    machine: Machine | None = None
    provider: Provider | None = None

    @property
    def name(self) -> str:
        return self.run.id if self.run else self.machine.id if self.machine else ""


@dataclass(frozen=True)
class Sweep:
    """What a collection works with; a running job gets `grace` seconds to write a checkpoint."""

    ledger: Ledger
    providers: dict[str, Provider]
    note: Callable[[str], None]
    grace: float = 60.0
    patience: Patience = field(default_factory=Patience)


def find(sweep: Sweep) -> list[Leftover]:
    """Everything of this ledger that no living command looks after."""
    machines = {name: provider.list_owned() for name, provider in sweep.providers.items()}
    runs = [run for run in sweep.ledger.unfinished() if not locks.is_held(run.id)]
    return [_of_run(sweep, run, machines) for run in runs] + _unknown(sweep, machines)


def settle(sweep: Sweep, leftover: Leftover, give_up_outputs: bool = False) -> None:
    """Stop its job with a checkpoint, bring home what it holds, end its machine, close the run.

    Raises:
        OutputsKeptError: outputs did not come home and are not to be given up.
        LeftRunningError: its machine could not be proven gone.
    """
    if leftover.run is None:
        _end_unknown(sweep, leftover)
        return
    attempt, provider = leftover.attempt, leftover.provider
    with locks.hold(leftover.run.id, f"run {leftover.run.id}"):
        if attempt is not None and provider is None:
            raise _nobody_can_say(attempt)
        ending = _emptied(sweep, leftover, leftover.run, give_up_outputs)
        if attempt is not None and provider is not None:
            teardown.end(sweep.ledger, provider, attempt, sweep.patience)
        _close(sweep, leftover.run, ending)


def _nobody_can_say(attempt: Attempt) -> LeftRunningError:
    return LeftRunningError(
        f"machine {attempt.machine or 'of ' + attempt.run} may still run: "
        f"no provider {attempt.provider!r} here",
        "install the package that brings it, then `longshore gc`",
    )


def _of_run(sweep: Sweep, run: Run, machines: dict[str, list[Machine]]) -> Leftover:
    attempts = [attempt for attempt in sweep.ledger.attempts(run.id) if attempt.gone is None]
    if not attempts:
        return Leftover("its command died before it had a machine", run)
    attempt = attempts[-1]
    machine = _machine_of(attempt, machines.get(attempt.provider, []))
    if machine and not attempt.machine:
        sweep.ledger.adopt(attempt, machine.id)
        attempt = sweep.ledger.attempts(run.id)[attempt.number - 1]
    return Leftover(_why(run), run, attempt, machine, sweep.providers.get(attempt.provider))


def _why(run: Run) -> str:
    if run.is_over:
        return "its machine could not be proven gone"
    kept = run.status is Status.KEPT
    return "its outputs are not home" if kept else "its command died"


def _machine_of(attempt: Attempt, machines: list[Machine]) -> Machine | None:
    key = (attempt.run, attempt.number)
    return next((one for one in machines if (one.run, one.attempt) == key), None)


def _unknown(sweep: Sweep, machines: dict[str, list[Machine]]) -> list[Leftover]:
    known = {run.id for run in sweep.ledger.runs()}
    return [
        Leftover("no run of this ledger knows it", machine=machine, provider=sweep.providers[name])
        for name, owned in machines.items()
        for machine in owned
        if machine.run not in known
    ]


def _emptied(sweep: Sweep, left: Leftover, run: Run, give_up: bool) -> Ending:
    """The job ended and what its machine holds brought home."""
    if left.machine is None or left.provider is None:
        return GONE if left.attempt and left.attempt.machine else NEVER_RAN
    if run.is_over:
        return Ending(run.code or 0, run.reason)
    host = left.provider.host(left.machine)
    exit_ = _stopped(host, 0 if give_up else sweep.grace)
    ending = ending_of(exit_, read_all(host.read(EVENTS)))
    try:
        home = collect.bring_home(host, run, is_done=ending.code == 0)
        sweep.note(f"{run.id}: {home.files} files are in {home.folder}")
    except MachineLostError:
        sweep.note(f"{run.id}: its machine went away with what was not home yet")
    except SyncError as error:
        if not give_up:
            sweep.ledger.mark(run.id, Status.KEPT)
            raise OutputsKeptError(str(error), error.hint) from error
        sweep.note(f"{run.id}: outputs given up: {error}")
    return ending


def _stopped(host: Host, grace: float) -> Exit:
    """The job's exit; one that still runs is asked to stop, and killed when it will not.

    One that was never started (its job is sent in last of all) has nothing to save. Where a
    container was removed by somebody else, its files may still be there to bring home.
    """
    try:
        return _asked_to_stop(host, grace)
    except MachineLostError:
        return Exit(137)


def _asked_to_stop(host: Host, grace: float) -> Exit:
    if (exit_ := host.poll()) is not None:
        return exit_
    if not host.read(JOB):
        return Exit(137)
    host.signal("TERM")
    if (exit_ := _awaited(host, grace)) is not None:
        return exit_
    host.signal("KILL")
    return _awaited(host, KILL_SECONDS) or Exit(137)


def _awaited(host: Host, seconds: float) -> Exit | None:
    until = time.monotonic() + seconds
    while (exit_ := host.poll()) is None and time.monotonic() < until:
        time.sleep(0.1)
    return exit_


def _end_unknown(sweep: Sweep, left: Leftover) -> None:
    """A machine whose run was lost with a damaged ledger: save what it holds, then end it."""
    if left.machine is None or left.provider is None:
        return
    attempt = Attempt.of_machine(left.provider.name, left.machine)
    host = left.provider.host(left.machine)
    _stopped(host, sweep.grace)
    folder = collect.rescue(host, left.machine.run)
    sweep.note(f"{left.machine.run}: what it held is in {folder}")
    teardown.end(sweep.ledger, left.provider, attempt, sweep.patience)


def _close(sweep: Sweep, run: Run, ending: Ending) -> None:
    ledger = sweep.ledger
    if not run.is_over:
        ledger.note(run.id, "end", ending.reason)
        ledger.close_run(run.id, status_of(ending, run.id), ending.code, ending.reason)
    reports.write(ledger, ledger.run(run.id), sweep.note)
