"""Ask for a pod, once: what its name already stands for is adopted, never made again."""

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from ...configs import container
from ...errors import NoCapacityError, ProviderError, UnreachableError
from ..base import Offer, Order
from ..remote import Keys
from . import bids, creation
from .api import Api
from .known import Known, KnownPods
from .market import Market
from .models import CreatePod
from .settings import Account

BOOT: Final = Path(__file__).parents[2] / "images" / "boot.sh"
"""What makes a public image do the work of ours."""
LOOKS: Final = (0.0, 1.0, 2.0, 4.0)
"""Seconds before each look for a pod whose create call was not answered."""


class Maker:
    """Makes the pods of one account."""

    def __init__(
        self,
        account: Account,
        api: Api,
        known: KnownPods,
        boot: Path = BOOT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._account, self._api, self._known = account, api, known
        self._market = Market(account, api)
        self._boot, self._sleep = boot, sleep

    def make(self, offer: Offer, order: Order) -> str:
        """The id of the order's pod; raises as `Provider.request`, and nothing is left then."""
        bid = offer.usd_per_gpu_hour if offer.market == "spot" else None
        known = Known(order.name, order.owner, self._account.mark, offer.gpu_count, bid)
        made = self._of(order) or self._made(offer, order, known)
        self._known.save(replace(known, pod=made))
        return made

    def _made(self, offer: Offer, order: Order, known: Known) -> str:
        if known.bid is not None:
            self._refuse_low(offer, known.bid)
        body = self._body(offer, order)
        self._known.save(known)
        try:
            return self._sent(order, body, known.bid)
        except UnreachableError:
            raise
        except ProviderError:
            forget(self._known, order.name)
            raise

    def _body(self, offer: Offer, order: Order) -> CreatePod:
        volume = self._market.volume(order.need)
        registry = self._login(order.image) if order.image else None
        boot = "" if order.image else self._boot_text()
        keys = Keys.make(order.name)
        given = creation.Given(
            keys.public, keys.host_private, boot, volume.id if volume else "", registry
        )
        return creation.pod(offer, order, given)

    def _sent(self, order: Order, body: CreatePod, bid: Decimal | None) -> str:
        try:
            if bid is not None:
                return bids.rent(self._account, body, bid)
            return self._api.create(body).id
        except NoCapacityError as error:
            raise NoCapacityError(str(error), f"{error.hint}{_narrowed(body)}") from error
        except UnreachableError as lost:
            return self._adopted(order, lost)

    def _adopted(self, order: Order, lost: UnreachableError) -> str:
        """The pod that was made although its answer was lost; it may show late."""
        for seconds in LOOKS:
            self._sleep(seconds)
            found = self._of(order)
            if found:
                return found
        message = f"RunPod did not take the request for {order.name}: {lost}"
        raise ProviderError(message, lost.hint) from lost

    def _of(self, order: Order) -> str | None:
        """The pod of this order, if there is one; a name alone may be somebody else's."""
        for pod in self._api.pods():
            ours = pod.env.get(container.OWNER) == order.owner
            if pod.name == order.name and ours and pod.status != "TERMINATED":
                return pod.id
        return None

    def _refuse_low(self, offer: Offer, bid: Decimal) -> None:
        centers = () if offer.region == "anywhere" else (offer.region,)
        floors = bids.floors(self._account, offer.gpu_count, [offer.instance], centers)
        bids.refuse_low(floors, offer.instance, offer.zone, offer.region, bid)

    def _login(self, image: str) -> str | None:
        from .registries import login_for

        return login_for(image, self._api)

    def _boot_text(self) -> str:
        try:
            return self._boot.read_text()
        except OSError as error:
            hint = "install longshore again to restore it"
            raise ProviderError(f"{self._boot}: {error.strerror}", hint) from error


def _narrowed(body: CreatePod) -> str:
    """What may be the reason besides stock: RunPod's words are the same, and do not say."""
    least, centers = body.gpu.min_cuda_version, body.data_center_ids or ()
    words = {"runpod.min_cuda": least or "", "runpod.data_centers": ", ".join(centers)}
    told = " and ".join(f"{name} {value}" for name, value in words.items() if value)
    return f"; asked for with {told}" if told else ""


def forget(known: KnownPods, name: str) -> None:
    """Remove what was kept of a pod that is gone: its keys, where they are here, and its record."""
    try:
        keys = Keys.load(name)
    except ProviderError:
        known.drop(name)
    else:
        keys.remove()
        known.drop(name)
