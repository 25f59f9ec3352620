"""This machine's offer beside those one could rent."""

from collections.abc import Iterable

from ..errors import NoOfferError, ProviderError
from ..providers import catalog, registry
from ..providers.base import Accounts, Need, Offer


def local_offers(need: Need) -> list[Offer]:
    """How the job would run here, or nothing where it cannot."""
    try:
        return registry.get("local").offers(need)[:1]
    except ProviderError:
        return []


def rented_offers(need: Need, names: Iterable[str]) -> list[Offer]:
    """What these providers rent, cheapest first: live where an account is at hand, else bundled.

    Raises ProviderError for an account that is refused.
    """
    asked = list(names)
    live = {name: found for name in asked if (found := _live(need, name)) is not None}
    bundled = catalog.offers(need, [name for name in asked if name not in live])
    offers = [*bundled, *(offer for found in live.values() for offer in found)]
    return sorted(offers, key=lambda offer: offer.usd_per_hour)


def _live(need: Need, name: str) -> list[Offer] | None:
    """What the provider itself says; None without an account there."""
    if name not in registry.BUILT_IN:
        return None
    provider = registry.get(name)
    if not isinstance(provider, Accounts) or not provider.has_account():
        return None
    try:
        return provider.offers(need)
    except NoOfferError:
        return []
