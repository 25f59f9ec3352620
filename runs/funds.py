"""Whether a prepaid account can pay for the run, asked before anything is built or rented."""

from decimal import Decimal

from ..costs.plan import Plan
from ..costs.words import money
from ..errors import AccountError, ProviderError
from ..providers.base import Funds, Provider


def refuse_poor(provider: Provider, made: Plan) -> None:
    """Raise AccountError when the balance is below what a slow run costs, or the key is refused.

    Without a forecast it must pay for one hour. A balance that nobody tells is no reason to stop.
    """
    needed = made.chosen.cost.p90 if made.chosen.cost else made.offer.usd_per_hour
    balance = _balance(provider)
    if balance is not None and balance < needed:
        what = "a slow run" if made.chosen.cost else "one hour"
        raise AccountError(
            f"the account at {provider.name} holds {money(balance)}, {what} costs {money(needed)}",
            "top it up, or take a cheaper machine or a smaller job",
        )


def _balance(provider: Provider) -> Decimal | None:
    if not isinstance(provider, Funds):
        return None
    try:
        return provider.balance()
    except AccountError:
        raise
    except ProviderError:
        return None
