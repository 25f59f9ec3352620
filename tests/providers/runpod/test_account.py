"""What the account is charged and holds, and what happens without a key."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from longshore.errors import (
    AccountError,
)
from longshore.providers.runpod import RunpodProvider

from .pods import ORDER, offer
from .server import Reply, Server


@pytest.mark.parametrize(
    ("records", "usd"),
    [
        ([], None),
        ([{"podId": "other", "totalAmount": 9.0}], None),
        (
            [
                {"podId": "abc123", "totalAmount": 0.1, "gpuAmount": 0.1},
                {"podId": "abc123", "totalAmount": 0.2},
                {"podId": "other", "totalAmount": 9.0},
            ],
            Decimal("0.3"),
        ),
    ],
)
def test_the_bill_is_the_sum_of_its_own_records(
    server: Server,
    provider: RunpodProvider,
    records: list[dict[str, Any]],
    usd: Decimal | None,
) -> None:
    """To the cent, without other pods' records, and None while there are none."""
    server.on("GET /v2/billing/pods", Reply(200, {"records": records, "metadata": {}}))
    assert provider.billed("abc123") == usd
    assert server.asked[0].query == {"podId": "abc123"}


@pytest.mark.parametrize(
    ("answer", "usd"),
    [
        ({"data": {"myself": {"clientBalance": 12.34}}}, Decimal("12.34")),
        ({"data": {"myself": None}}, None),
        ({"errors": [{"message": "gone"}]}, None),
    ],
)
def test_the_balance(
    server: Server, provider: RunpodProvider, answer: Any, usd: Decimal | None
) -> None:
    """What the prepaid account still holds, when RunPod says it."""
    server.on("POST /graphql", Reply(200, answer))
    assert provider.balance() == usd


CALLS: list[Callable[[RunpodProvider], object]] = [
    lambda provider: provider.look("abc123"),
    lambda provider: provider.tear_down("abc123"),
    lambda provider: provider.wake("abc123"),
    lambda provider: provider.billed("abc123"),
    lambda provider: provider.balance(),
    lambda provider: provider.request(offer(), ORDER),
]


@pytest.mark.parametrize("call", CALLS)
def test_every_call_without_a_key_says_what_to_set(
    call: Callable[[RunpodProvider], object],
) -> None:
    """Wherever the key is first needed, the message is the same."""
    with pytest.raises(AccountError, match="no RunPod API key"):
        call(RunpodProvider(environ={}))
