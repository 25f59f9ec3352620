"""RunPod behind the boundary. What needs a library is loaded when RunPod is first asked."""

import json
import os
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from ...configs import container, folders
from ...errors import (
    AccountError,
    MachineLostError,
    NoCapacityError,
    ProviderError,
    UnreachableError,
)
from ..base import Capabilities, Host, Machine, Need, Offer, Order, State
from . import settings
from .faults import ConflictError
from .known import KnownPods
from .market import Market, offline
from .settings import Account

if TYPE_CHECKING:
    from ..remote import Connection, RemoteHost
    from .api import Api
    from .looking import Looker
    from .models import Pod

PAUSES: Final = (1.0, 2.0, 4.0)
"""Seconds before each further try of what does not go with a pod's state just now."""


class RunpodProvider:
    """Pods of one RunPod account. It is made without a key, which is read when it is needed.

    `state` is where its pods are on record; `boot` is the script for public images.
    """

    name: ClassVar[str] = "runpod"
    capabilities: ClassVar[Capabilities] = Capabilities(
        spot=True, bid=True, expose=True, interval=1.0, poll=1.0
    )

    def __init__(
        self,
        state: Path | None = None,
        environ: Mapping[str, str] = os.environ,
        boot: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._state = state or folders.state()
        self._environ, self._boot, self._sleep = environ, boot, sleep
        self._known = KnownPods(self._state / "runpod")
        self._hosts: dict[str, RemoteHost] = {}

    def offers(self, need: Need) -> list[Offer]:
        if not settings.has_key(self._environ) and need.spot != "only":
            return offline(need, "no RunPod API key")
        return Market(self._account, self._api).offers(need)

    def needs_image(self, offer: Offer, need: Need) -> bool:
        return need.has_image

    def request(self, offer: Offer, order: Order) -> str:
        from .requesting import BOOT, Maker

        boot = self._boot or BOOT
        maker = Maker(self._account, self._api, self._known, boot, self._sleep)
        return maker.make(offer, order)

    def preview(self, offer: Offer, order: Order) -> str:
        from .creation import Given, pod

        given = Given("…", "…", "…", order.need.runpod.volume or "")
        return json.dumps(pod(offer, order, given).body(), indent=2, ensure_ascii=False)

    def look(self, machine_id: str) -> Machine | None:
        seen = self._looker.look(machine_id)
        if seen is None:
            self._refuse_other_account(machine_id)
        return seen

    def list_owned(self) -> list[Machine]:
        owners = self._owners()
        if not owners or not (settings.has_key(self._environ) or self._known.all()):
            return []
        from .looking import NAME, machine

        ours = [pod for pod in self._api.pods() if pod.env.get(container.OWNER) in owners]
        named = [pod for pod in ours if NAME.fullmatch(pod.name) and pod.status != "TERMINATED"]
        for pod in named:
            self._known.learn(pod.name, pod.id)
        return [machine(pod) for pod in named]

    def tear_down(self, machine_id: str) -> None:
        from .requesting import forget

        if self._api.pod(machine_id) is None:
            self._refuse_other_account(machine_id)
        self._patiently(lambda: self._api.delete(machine_id))
        self._hang_up(machine_id)
        known = self._known.of(machine_id)
        if known:
            forget(self._known, known.name)

    def host(self, machine: Machine) -> Host:
        from ..remote import RemoteHost

        made = RemoteHost(lambda: self._way_in(machine.id))
        return self._hosts.setdefault(machine.id, made)

    def wake(self, machine_id: str) -> None:
        pod = self._there(machine_id)
        known = self._known.of(machine_id)
        if not _is_stopped(pod):
            return
        self._looker.restarted(machine_id)
        if known and known.bid is not None:
            from . import bids

            bids.resume(self._account, machine_id, known.bid, known.count)
        else:
            self._start(machine_id)

    def billed(self, machine_id: str) -> Decimal | None:
        return self._api.billed(machine_id)

    def has_account(self) -> bool:
        return settings.has_key(self._environ)

    def balance(self) -> Decimal | None:
        return self._api.balance()

    @cached_property
    def _account(self) -> Account:
        return Account.of(self._environ)

    @cached_property
    def _api(self) -> "Api":
        account = self._account
        from .api import Api
        from .client import Client

        return Api(Client(account, sleep=self._sleep))

    @cached_property
    def _looker(self) -> "Looker":
        from .looking import Looker

        return Looker(self._api)

    def _owners(self) -> set[str]:
        """The marks of this ledger: its own, and those of the orders on record."""
        found = {known.owner for known in self._known.all()}
        try:
            return found | {(self._state / "owner").read_text().strip()}
        except FileNotFoundError:
            return found
        except OSError as error:
            raise ProviderError(f"{self._state / 'owner'}: {error.strerror}") from error

    def _hang_up(self, machine_id: str) -> None:
        """A container that is being ended answers for a moment yet: nobody is to believe it."""
        host = self._hosts.pop(machine_id, None)
        if host:
            host.close()

    def _refuse_other_account(self, machine_id: str) -> None:
        """Raise when it was made by another account: that this one has no such pod proves nothing.

        With another key of the same account it would have been found.
        """
        known = self._known.of(machine_id)
        if known and known.account != self._account.mark:
            record = self._known.path(known)
            raise AccountError(
                f"pod {machine_id} was made with another key, or at another {settings.BASE}",
                f"set both as they were; if it is gone for certain, remove {record}",
            )

    def _way_in(self, machine_id: str) -> "Connection":
        """Where its sshd is now; the port moves on every start, and may be stale for 90 s."""
        from ..remote import Connection, Keys
        from .looking import address

        pod = self._there(machine_id)
        if _is_stopped(pod):
            raise MachineLostError(f"pod {pod.id} was stopped: {self._looker.reason(pod)}")
        where = address(pod)
        if where is None:
            raise UnreachableError(f"pod {pod.id} has no ssh port yet", "it is starting")
        return Connection(where, Keys.load(pod.name))

    def _there(self, machine_id: str) -> "Pod":
        pod = self._api.pod(machine_id)
        if pod is None or pod.status == "TERMINATED":
            raise MachineLostError(f"pod {machine_id} is gone")
        return pod

    def _start(self, machine_id: str) -> None:
        try:
            self._api.start(machine_id)
        except ConflictError as error:
            if _is_stopped(self._there(machine_id)):
                message = f"pod {machine_id} cannot be started now: {error}"
                raise NoCapacityError(message, error.hint) from error

    def _patiently(self, act: Callable[[], None]) -> None:
        for pause in PAUSES:
            try:
                return act()
            except ConflictError:
                self._sleep(pause)
        return act()


def _is_stopped(pod: "Pod") -> bool:
    from .looking import STATES

    return STATES.get(pod.status) is State.STOPPED
