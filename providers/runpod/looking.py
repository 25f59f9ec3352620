"""How RunPod's pods look from behind the boundary."""

import re
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Final

from ..base import Machine, State
from ..remote import Address, banner
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


class Looker:
    """Looks at pods, and remembers since when they boot and where their sshd has answered."""

    def __init__(
        self,
        api: Api,
        clock: Callable[[], float] = time.monotonic,
        greets: Callable[[Address, float], bool] = banner,
    ) -> None:
        self._api, self._clock, self._greets = api, clock, greets
        self._since: dict[str, float] = {}
        self._greeted: set[tuple[str, Address]] = set()

    def look(self, pod_id: str) -> Machine | None:
        """The machine: it runs once its sshd answers, and says why where it does not."""
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
        self._greeted = {one for one in self._greeted if one[0] != pod_id}

    def _waiting_for(self, pod: Pod) -> str:
        since = self._since.setdefault(pod.id, self._clock())
        return self._api.last_line(pod.id) if self._clock() - since > QUIET else ""

    def _answers(self, pod: Pod) -> bool:
        where = address(pod)
        if where is None:
            return False
        if (pod.id, where) not in self._greeted and self._greets(where, BANNER_SECONDS):
            self._greeted.add((pod.id, where))
        return (pod.id, where) in self._greeted
