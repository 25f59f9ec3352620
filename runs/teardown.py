"""End a machine and prove it gone; one that cannot be proven gone is STUCK, never forgotten."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ..errors import LedgerError, LeftRunningError, ProviderError
from ..providers.base import Provider, State
from ..providers.wait import wait_until
from .ledger import Ledger
from .records import Attempt

PROOFS = 2
PATIENCE = 60.0


@dataclass(frozen=True)
class Patience:
    """How long a tear-down is tried (seconds), and how to wait in between."""

    seconds: float = PATIENCE
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def end(ledger: Ledger, provider: Provider, attempt: Attempt, patience: Patience) -> None:
    """Tear the attempt's machine down until the provider says twice that it is gone.

    Raises:
        LeftRunningError: it could not be proven; the ledger keeps it as STUCK.
    """
    if not attempt.machine:
        ledger.move(attempt, State.REFUSED)
        return
    # A ledger that cannot be written, on a full disk say, must not keep a machine that costs money.
    with suppress(LedgerError):
        ledger.move(attempt, State.TEARING_DOWN)
    fault = _until_gone(provider, attempt.machine, patience)
    if fault is None:
        ledger.move(attempt, State.GONE)
        return
    ledger.move(attempt, State.STUCK)
    raise LeftRunningError(
        f"machine {attempt.machine} at {attempt.provider} may still run: {fault}",
        "`longshore gc` tries again; it costs "
        f"${attempt.usd_per_hour:.4f} an hour until it is gone",
    )


def _until_gone(provider: Provider, machine: str, patience: Patience) -> str | None:
    """None once it is gone, else the last thing the provider said."""
    deadline, pause = patience.clock() + patience.seconds, 0.25
    while True:
        try:
            provider.tear_down(machine)
            _await_gone(provider, machine, patience)
            return None
        except ProviderError as error:
            fault = str(error)
        if patience.clock() >= deadline:
            return fault
        patience.sleep(pause)
        pause = min(pause * 2, 10.0)


def _await_gone(provider: Provider, machine: str, patience: Patience) -> None:
    wait_until(
        lambda: provider.look(machine),
        pending=set(State) - {State.GONE, State.STUCK},
        target={State.GONE},
        deadline=patience.seconds / 2,
        times=PROOFS,
        interval=0.05,
        clock=patience.clock,
        sleep=patience.sleep,
    )
