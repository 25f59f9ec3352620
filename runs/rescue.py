"""Get at what a machine still holds whose job is over, or that was stopped under its job."""

from ..configs.container import EVENTS
from ..errors import LongshoreError, ProviderError
from ..providers.base import Exit, Host, Machine, Provider, State, Wakes
from . import collect
from .collect import Collected
from .endings import Ending, ending_of
from .events import read_all
from .placing import boot
from .records import Run


def is_asleep(machine: Machine | None) -> bool:
    """Whether it runs nothing while its disk is kept."""
    return machine is not None and machine.state is State.STOPPED


def woken(provider: Provider, machine: Machine, deadline: float) -> Machine:
    """The machine once it can be entered; one that is stopped is started, its job is not.

    Raises:
        ProviderError: it cannot be started now, or does not come up.
    """
    if is_asleep(machine) and isinstance(provider, Wakes):
        provider.wake(machine.id)
    elif machine.state not in (State.REQUESTED, State.BOOTING):
        return machine
    return boot(provider, machine.id, deadline)


def emptied(host: Host, run: Run, exit_: Exit) -> tuple[Ending, Collected]:
    """How its job ended, by what it left behind, and all of that at home.

    Raises:
        SyncError: something did not arrive whole.
        MachineLostError: it went away.
    """
    ending = ending_of(exit_, read_all(host.read(EVENTS)))
    return ending, collect.bring_home(host, run, is_done=ending.code == 0)


def is_kept(provider: Provider, machine_id: str) -> bool:
    """Whether a machine is stopped and keeps its disk; not known counts as no."""
    try:
        return is_asleep(provider.look(machine_id))
    except ProviderError:
        return False


def out_of_sleep(provider: Provider, machine_id: str, run: Run) -> tuple[Ending, Collected] | str:
    """What a machine that was stopped under its job still held, or why that is not to be had."""
    try:
        machine = provider.look(machine_id)
        if machine is None or not is_asleep(machine):
            return "it is gone"
        awake = woken(provider, machine, run.spec.guards.boot_timeout)
        host = provider.host(awake)
        return emptied(host, run, host.poll() or Exit(137))
    except LongshoreError as error:
        return str(error)
