"""Bring home what a machine holds: with patience while nobody answers, and out of its sleep."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from typing import TypeVar

from ..errors import LedgerError, MachineLostError, OutputsKeptError, UnreachableError
from ..providers.base import Host, Provider
from . import collect, rescue
from .background import beating
from .collect import Collected
from .endings import Ending
from .ledger import Ledger
from .records import Run, Status
from .screen import Screen
from .signals import Stop

Answer = TypeVar("Answer")

TRY_FOR = 5 * 60.0
"""Seconds for which files are tried to be moved while nobody answers."""
TRY_EVERY = 2.0
_HINT = "make room or mend it, then `longshore gc`; `longshore down` gives them up"


@dataclass(frozen=True)
class Fetching:
    """What one run's machines hold, and who helps to get it."""

    ledger: Ledger
    provider: Provider
    screen: Screen
    stop: Stop
    clock: Callable[[], float]
    run: Run

    @property
    def _is_far(self) -> bool:
        return not self.provider.capabilities.shares_files

    def patiently(self, work: Callable[[], Answer]) -> Answer:
        """Do it; where nobody answers, try again for a while, if the machine is elsewhere."""
        until = self.clock() + (TRY_FOR if self._is_far else 0)
        while True:
            try:
                return work()
            except UnreachableError as error:
                if self.clock() >= until or self.stop.presses > 1:
                    raise
                self.screen.note(f"{error}; trying again")
                self.stop.wait(TRY_EVERY)

    def alive(self, host: Host) -> AbstractContextManager[None]:
        """Signs of life for the length of a block in which files travel."""
        return beating(host) if self._is_far else nullcontext()

    def all_of(self, host: Host, is_done: bool) -> Collected:
        """Everything at home and verified; raises as `collect.bring_home`."""
        with self.alive(host):
            return self.patiently(lambda: collect.bring_home(host, self.run, is_done))

    def out_of_sleep(
        self, machine_id: str, ending: Ending, goes_on: bool
    ) -> tuple[Ending, Collected]:
        """What a machine that went away under its job still holds, where it can be woken.

        Raises:
            OutputsKeptError: it sleeps, cannot be woken, and the job will not go on elsewhere.
        """
        found = rescue.out_of_sleep(self.provider, machine_id, self.run)
        if not isinstance(found, str):
            self.screen.note("the machine was stopped; what it held is home")
            return found
        if rescue.is_kept(self.provider, machine_id) and not goes_on:
            raise self.kept("outputs are not home", MachineLostError(found))
        self.screen.note(f"the machine went away with what was not home yet ({found})")
        return ending, collect.counted(collect.home(self.run))

    def kept(self, what: str, error: Exception) -> OutputsKeptError:
        """Once a job has begun, no fault of ours may end its machine with what it made."""
        with suppress(LedgerError):
            self.ledger.mark(self.run.id, Status.KEPT)
        return OutputsKeptError(f"{what}: {error}", _HINT)
