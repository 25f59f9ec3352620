"""A prepaid account is looked at before anything is built or rented."""

from dataclasses import replace
from decimal import Decimal

import pytest

from longshore.errors import AccountError, UnreachableError
from longshore.providers.fake import FakeProvider, Faults
from longshore.runs.life import start
from longshore.runs.records import Status

from .conftest import Bench


class Prepaid(FakeProvider):
    """A provider that tells its balance, or fails to."""

    def __init__(self, balance: Decimal | UnreachableError | None) -> None:
        super().__init__(faults=Faults(pace=0.01))
        self._balance = balance

    def balance(self) -> Decimal | None:
        if isinstance(self._balance, UnreachableError):
            raise self._balance
        return self._balance


def test_a_run_that_cannot_be_paid_does_not_begin(bench: Bench) -> None:
    """One line says what there is and what is needed; no machine was asked for."""
    provider = Prepaid(Decimal("0.05"))
    with pytest.raises(AccountError, match=r"holds \$0\.0500, one hour costs \$0\.12"):
        start(replace(bench.session(), provider=provider), bench.launch())
    (run,) = bench.ledger.runs()
    assert (run.status, bench.ledger.attempts(run.id)) == (Status.FAILED, [])


@pytest.mark.parametrize("balance", [Decimal("0.12"), None, UnreachableError("no network")])
def test_enough_or_nobody_knows_lets_it_begin(
    bench: Bench, balance: Decimal | UnreachableError | None
) -> None:
    """What the provider does not tell it will say itself, at the request."""
    outcome = start(replace(bench.session(), provider=Prepaid(balance)), bench.launch())
    assert outcome.run.status is Status.DONE
