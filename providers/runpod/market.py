"""Where prices and stock come from: RunPod itself, its answer of a moment ago, or the bundle."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ...errors import (
    AccountError,
    NoCapacityError,
    NoOfferError,
    ProviderError,
    UnreachableError,
    did_you_mean,
)
from ..base import Need, Offer, PriceSource
from ..catalog import MOST_PODS
from . import bids
from .cached import cached
from .disks import NETWORK, hourly
from .offers import fitting
from .sales import CLOUDS, Sale, bundled, min_cuda
from .settings import Account

if TYPE_CHECKING:
    from .api import Api
    from .models import NetworkVolume


def offline(need: Need, why: str) -> list[Offer]:
    """What the bundled prices have, each with the reason why there are no newer ones."""
    found = _with_note(fitting(bundled(need), need), f"bundled price: {why}")
    return _with_note(found, _of_image(need))


class Market:
    """Live offers of one account."""

    def __init__(self, account: Account, api: "Api") -> None:
        self._account, self._api = account, api

    def offers(self, need: Need) -> list[Offer]:
        """What fits the need, cheapest first; by the bundled prices while RunPod is silent.

        Raises NoOfferError as `fitting` does, AccountError for a key that is refused.
        """
        try:
            return self._live(need)
        except UnreachableError as error:
            if need.spot == "only":
                raise
            return offline(need, str(error))

    def volume(self, need: Need) -> "NetworkVolume | None":
        """The job's network volume by id or name; raises ProviderError when it is not there."""
        wanted = need.runpod.volume
        if not wanted:
            return None
        volumes = self._api.volumes()
        found = [one for one in volumes if one.id == wanted]
        found = found or [one for one in volumes if one.name == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(one.id for one in found)
            raise ProviderError(f"several network volumes are named {wanted!r}", f"use one: {ids}")
        names = [one.name or one.id for one in volumes]
        hint = did_you_mean(wanted, names) if names else "this account has none"
        raise ProviderError(f"no network volume {wanted!r}", hint)

    def _live(self, need: Need) -> list[Offer]:
        volume = self.volume(need)
        listed = self._listed(need)
        taken, missed = self._bids(need, listed, volume)
        try:
            found = fitting([*listed, *taken], need, volume.data_center if volume else "")
        except NoCapacityError:
            self._refuse_unknown_centers(need)
            raise
        for note in (_of_volume(volume), missed, _of_image(need)):
            found = _with_note(found, note)
        return found

    def _listed(self, need: Need) -> list[Sale]:
        """Both clouds, so that the nearest to what was asked for can be named."""
        from .listing import listed

        count = min(need.gpu.count, MOST_PODS) if need.gpu else 1
        found: list[Sale] = []
        for cloud in CLOUDS:
            ask = partial(self._api.gpus, cloud.upper(), count, min_cuda(need))
            name = f"{self._account.base} {cloud} {count} {min_cuda(need)}"
            items, was_kept = cached(name, ask)
            source: PriceSource = "cache" if was_kept else "live"
            found += listed(items, cloud, source, datetime.now(UTC).date())
        return found

    def _bids(
        self, need: Need, listed: list[Sale], volume: "NetworkVolume | None"
    ) -> tuple[list[Sale], str]:
        """What may be bid for, and why there is nothing where that is no reason to give up."""
        instances = sorted({sale.instance for sale in listed if sale.is_asked(need)})
        if need.spot == "never" or not instances:
            return [], ""
        centers = (volume.data_center,) if volume else need.runpod.data_centers
        count = need.gpu.count if need.gpu else 1
        try:
            found = bids.floors(self._account, count, instances if need.gpu else (), centers)
            return found, "" if found else "RunPod takes no bids for it: it is withdrawing them"
        except AccountError:
            raise
        except ProviderError as error:
            if need.spot == "only":
                raise
            return [], f"no bids: {error}"

    def _refuse_unknown_centers(self, need: Need) -> None:
        known = {center.id for center in self._api.data_centers()}
        for name in need.runpod.data_centers:
            if known and name not in known:
                message = f"RunPod has no data center {name!r}"
                raise NoOfferError(message, did_you_mean(name, sorted(known)))


def _of_volume(volume: "NetworkVolume | None") -> str:
    if volume is None:
        return ""
    usd = hourly(volume.size, NETWORK)
    return f"network volume {volume.name or volume.id} costs {usd} USD an hour, run or no run"


def _of_image(need: Need) -> str:
    """What is different where a pod cannot pull the job's own image."""
    if need.has_image:
        return ""
    return f"no image.registry: on {need.runpod.base} the packages are installed at each start"


def _with_note(offers: list[Offer], note: str) -> list[Offer]:
    if not note:
        return offers
    return [replace(one, note="; ".join(filter(None, (one.note, note)))) for one in offers]
