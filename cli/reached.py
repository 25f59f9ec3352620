"""The machine of a run as a host that can be entered by ssh, for `ssh` and `tunnel`."""

from ..errors import NotFoundError, ProviderError
from ..providers import registry
from ..providers.base import Host, Reaches, State
from ..runs.ledger import Ledger
from ..runs.records import Run


def reached(run: Run, ledger: Ledger) -> tuple[Host, Reaches]:
    """The way into the run's machine, as a host and as one that ssh can enter.

    Raises NotFoundError when it has none that runs, ProviderError where ssh does not lead there.
    """
    attempts = [one for one in ledger.attempts(run.id) if one.gone is None and one.machine]
    provider = registry.get(attempts[-1].provider) if attempts else None
    machine = provider.look(attempts[-1].machine) if provider else None
    if provider is None or machine is None or machine.state is not State.RUNNING:
        raise NotFoundError(f"run {run.id} has no machine that runs", "`longshore ps` lists runs")
    host = provider.host(machine)
    if not isinstance(host, Reaches):
        raise ProviderError(
            f"a machine of {provider.name} is not reached by ssh",
            "it is this machine: `longshore ps` names its container or folder",
        )
    return host, host
