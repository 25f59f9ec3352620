"""How RunPod's pods look from behind the boundary."""

import re
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from ...errors import ProviderError
from ..base import Machine, State
from ..remote import Address, Connection, Keys, banner, enter
from . import disks
from .api import Api
from .models import Pod

STATES: Final = {
    "PROVISIONING": State.BOOTING,
    "STARTING": State.BOOTING,
    "RUNNING": State.RUNNING,
    "EXITED": State.STOPPED,
    "ERROR": State.STOPPED,
    "TERMINATED": State.GONE,
}
"""RunPod's words (REST v2, 2026-08). A word we do not know is BOOTING: it costs, and is waited for
no longer than that."""

NAME: Final = re.compile(r"longshore-(?P<run>.+)-(?P<attempt>\d{1,6})")
QUIET: Final = 15.0
"""Seconds of booting before its system log is asked for the reason."""
BANNER_SECONDS: Final = 2.0


def address(pod: Pod) -> Address | None:
    """Where its sshd is to be found now; it moves on every start."""
    return Address(*pod.address) if pod.address else None


def machine(pod: Pod, detail: str = "", state: State | None = None) -> Machine:
    """A pod as a machine; of one that is none of ours, the run is its name."""
    named = NAME.fullmatch(pod.name)
    return Machine(
        id=pod.id,
        run=named["run"] if named else pod.name,
        attempt=int(named["attempt"]) if named else 0,
        state=state or STATES.get(pod.status, State.BOOTING),
        usd_per_hour=rate(pod),
        detail=detail,
    )


def rate(pod: Pod) -> Decimal:
    """USD an hour now: `cost` leaves out the volume of a stopped pod, which is billed double."""
    if STATES.get(pod.status) is State.STOPPED:
        return disks.hourly(pod.volume_gb, disks.STOPPED)
    return pod.cost


def log_in(name: str, where: Address) -> None:
    """Log in to a pod once; where its keys are not on this computer its banner must do.

    Raises ProviderError while nobody is let in.
    """
    if Keys.are_here(name):
        enter(Connection(where, Keys.load(name)))


class Looker:
    """Looks at pods, and remembers since when they boot and where they have let us in."""

    def __init__(
        self,
        api: Api,
        clock: Callable[[], float] = time.monotonic,
        greets: Callable[[Address, float], bool] = banner,
        enters: Callable[[str, Address], None] = log_in,
    ) -> None:
        self._api, self._clock, self._greets, self._enters = api, clock, greets, enters
        self._since: dict[str, float] = {}
        self._entered: set[tuple[str, Address]] = set()
        self._shut: dict[str, str] = {}

    def look(self, pod_id: str) -> Machine | None:
        """The machine: it runs once its sshd lets us in, and says why where it does not."""
        pod = self._api.pod(pod_id)
        if pod is None or pod.status == "TERMINATED":
            return None
        seen = machine(pod)
        if seen.state is State.RUNNING and self._answers(pod):
            self._since.pop(pod.id, None)
            return seen
        if seen.state is State.STOPPED:
            return machine(pod, self.reason(pod))
        return machine(pod, self._waiting_for(pod), State.BOOTING)

    def reason(self, pod: Pod) -> str:
        """The last line of its system log, which alone says why a pod was stopped."""
        return self._api.last_line(pod.id) or pod.status

    def restarted(self, pod_id: str) -> None:
        """Forget what was seen of it: it boots anew, at another port."""
        self._since.pop(pod_id, None)
        self._entered = {one for one in self._entered if one[0] != pod_id}

    def _waiting_for(self, pod: Pod) -> str:
        since = self._since.setdefault(pod.id, self._clock())
        if self._clock() - since <= QUIET:
            return ""
        return self._shut.get(pod.id) or self._api.last_line(pod.id)

    def _answers(self, pod: Pod) -> bool:
        where = address(pod)
        if where is None:
            return False
        if (pod.id, where) not in self._entered and self._greets(where, BANNER_SECONDS):
            self._try(pod, where)
        return (pod.id, where) in self._entered

    def _try(self, pod: Pod, where: Address) -> None:
        """A port of an earlier boot may lead to somebody else's pod: that is no reason to end."""
        try:
            self._enters(pod.name, where)
        except ProviderError as error:
            self._shut[pod.id] = str(error)
        else:
            self._shut.pop(pod.id, None)
            self._entered.add((pod.id, where))
