"""Where prices and stock come from: RunPod itself, its answer of a moment ago, or the bundle."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
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
from . import bids
from .cached import cached
from .disks import NETWORK, hourly
from .offers import fitting
from .sales import Sale, bundled, clouds
from .settings import Account

if TYPE_CHECKING:
    from .api import Api
    from .models import NetworkVolume


def offline(need: Need, why: str) -> list[Offer]:
    """What the bundled prices have, each with the reason why there are no newer ones."""
    return _with_note(fitting(bundled(need), need), f"bundled price: {why}")


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
        bids_of, missed = self._bids(need, volume)
        sales = [*self._listed(need), *bids_of]
        try:
            found = fitting(sales, need, volume.data_center if volume else "")
        except NoCapacityError:
            self._refuse_unknown_centers(need)
            raise
        return _with_note(_with_note(found, _of_volume(volume)), missed)

    def _listed(self, need: Need) -> list[Sale]:
        from .listing import listed

        count = need.gpu.count if need.gpu else 1
        found: list[Sale] = []
        for cloud in clouds(replace(need, runpod=replace(need.runpod, volume=None, cloud="any"))):
            ask = self._asking(cloud.upper(), count)
            items, was_kept = cached(f"{self._account.base} {cloud} {count}", ask)
            source: PriceSource = "cache" if was_kept else "live"
            found += listed(items, cloud, source, datetime.now(UTC).date())
        return found

    def _asking(self, cloud: str, count: int) -> Callable[[], list[object]]:
        return lambda: self._api.gpus(cloud, count)

    def _bids(self, need: Need, volume: "NetworkVolume | None") -> tuple[list[Sale], str]:
        """What may be bid for, and why there is nothing where that is no reason to give up."""
        if need.spot == "never":
            return [], ""
        centers = (volume.data_center,) if volume else need.runpod.data_centers
        count = need.gpu.count if need.gpu else 1
        try:
            return bids.floors(self._account, count, centers), ""
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


def _with_note(offers: list[Offer], note: str) -> list[Offer]:
    if not note:
        return offers
    return [replace(one, note="; ".join(filter(None, (one.note, note)))) for one in offers]
