"""The one loop that waits for a machine."""

import time
from collections.abc import Callable, Set

from ..errors import MachineLostError, ProviderError
from .base import Machine, State

GROWTH = 1.5


def wait_until(
    look: Callable[[], Machine | None],
    *,
    pending: Set[State],
    target: Set[State],
    deadline: float,
    unseen: int = 0,
    times: int = 1,
    interval: float = 1.0,
    longest: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Machine | None:
    """The machine once `look` has found it in a `target` state `times` in a row.

    A machine that is not found counts as GONE, and is the target where GONE is in `target` (None
    comes back); elsewhere `unseen` such looks in a row are borne, since a cloud may not know yet
    what it has just made. `deadline` is in seconds from now, by `clock`; the pause between two
    looks grows from `interval` to `longest` seconds. A state in neither set is a fault at once.

    Raises MachineLostError for a machine that stays unfound, ProviderError for a wrong state and
    for the deadline.
    """
    end, missed, seen = clock() + deadline, 0, 0
    while True:
        machine = look()
        state = machine.state if machine else State.GONE
        missed = 0 if machine else missed + 1
        seen = seen + 1 if state in target else 0
        if seen >= times:
            return machine
        if not seen:
            _refuse(machine, pending, target, missed, unseen)
        left = end - clock()
        if left <= 0:
            raise ProviderError(
                f"{_name(machine)} is still {state.name} after {deadline:g} s{_why(machine)}"
            )
        sleep(min(interval, left))
        interval = min(interval * GROWTH, longest)


def _refuse(
    machine: Machine | None, pending: Set[State], target: Set[State], missed: int, unseen: int
) -> None:
    """Raise unless waiting longer can help."""
    if machine is None:
        if missed > unseen:
            raise MachineLostError("the machine is not known to its provider")
    elif machine.state not in pending:
        wanted = " or ".join(sorted(state.name for state in target))
        raise ProviderError(f"{machine.id} is {machine.state.name}, not {wanted}{_why(machine)}")


def _why(machine: Machine | None) -> str:
    return f": {machine.detail}" if machine and machine.detail else ""


def _name(machine: Machine | None) -> str:
    return machine.id if machine else "the machine"
