"""Find what dead commands left behind, bring home what it holds, and end it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..configs.container import JOB
from ..errors import (
    LeftRunningError,
    MachineLostError,
    OutputsKeptError,
    ProviderError,
    SyncError,
    UnreachableError,
)
from ..providers.base import Exit, Host, Machine, Provider
from . import collect, locks, reports, rescue, teardown
from .endings import Ending, status_of
from .ledger import Ledger
from .records import Attempt, Run, Status
from .teardown import Patience

NEVER_RAN = Ending(137, "lost", "its command died before the job began")
GONE = Ending(137, "lost", "its machine is gone")
GIVEN_UP = Ending(137, "lost", "its outputs were given up")
BOOT_SECONDS = 10 * 60.0
KILL_SECONDS = 10.0


@dataclass(frozen=True)
class Leftover:
    """A run that nobody looks after (with its last attempt), or a machine that no run knows.

    `silent` names a provider that could not be asked what it holds.
    """

    why: str
    run: Run | None = None
    attempt: Attempt | None = None
    machine: Machine | None = None
    provider: Provider | None = None
    silent: str = ""

    @property
    def name(self) -> str:
        return self.run.id if self.run else self.machine.id if self.machine else self.silent


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
    machines: dict[str, list[Machine]] = {}
    silent: list[Leftover] = []
    for name, provider in sweep.providers.items():
        try:
            machines[name] = provider.list_owned()
        except ProviderError as error:
            silent.append(Leftover(f"cannot be asked: {error}", silent=name))
    runs = [run for run in sweep.ledger.unfinished() if not locks.is_held(run.id)]
    return [_of_run(sweep, run, machines) for run in runs] + _unknown(sweep, machines) + silent


def settle(sweep: Sweep, leftover: Leftover, give_up_outputs: bool = False) -> None:
    """Stop its job with a checkpoint, bring home what it holds, end its machine, close the run.

    Raises:
        OutputsKeptError: outputs did not come home and are not to be given up.
        LeftRunningError: its machine could not be proven gone.
        UnreachableError: its provider cannot be asked.
    """
    if leftover.silent:
        raise UnreachableError(leftover.why, "once it answers, `longshore gc` again")
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
            reports.ask_bill(sweep.ledger, provider, attempt)
        _close(sweep, leftover.run, ending)


def _nobody_can_say(attempt: Attempt) -> LeftRunningError:
    return LeftRunningError(
        f"machine {attempt.machine or 'of ' + attempt.run} may still run: "
        f"provider {attempt.provider!r} cannot be asked from here",
        "install the package that brings it, or mend the way to it, then `longshore gc`",
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
    asked = sweep.providers.get(attempt.provider) if attempt.provider in machines else None
    return Leftover(_why(run), run, attempt, machine, asked)


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
    if run.status is Status.STARTING:
        return NEVER_RAN
    if give_up and rescue.is_asleep(left.machine):
        return GIVEN_UP
    try:
        host = left.provider.host(_awake(left.provider, left.machine, run))
        exit_ = _stopped(host, 0 if give_up else sweep.grace)
        ending, home = rescue.emptied(host, run, exit_)
        sweep.note(f"{run.id}: {home.files} files are in {home.folder}")
    except MachineLostError:
        sweep.note(f"{run.id}: its machine went away with what was not home yet")
        return GONE
    except (SyncError, ProviderError) as error:
        if not give_up:
            sweep.ledger.mark(run.id, Status.KEPT)
            raise OutputsKeptError(str(error), error.hint) from error
        sweep.note(f"{run.id}: outputs given up: {error}")
        return GIVEN_UP
    return ending


def _awake(provider: Provider, machine: Machine, run: Run) -> Machine:
    return rescue.woken(provider, machine, run.spec.guards.boot_timeout)


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
    host = left.provider.host(rescue.woken(left.provider, left.machine, BOOT_SECONDS))
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
