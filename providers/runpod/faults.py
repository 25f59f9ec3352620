"""What RunPod's refusals mean: one table by status and text (RunPod API reference v2, 2026-08).

REST has no code for "no machine free": it is told from a bad request by its words, and the words
of GraphQL are the same. A create call's 403 may be about one pool only, so another may do.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ...errors import (
    AccountError,
    LongshoreError,
    NoCapacityError,
    ProviderError,
    UnreachableError,
)
from .settings import HINT, KEY

CAPACITY: Final = re.compile(
    r"instances available|not have the resources|not enough free gpus", re.IGNORECASE
)
NO_BIDS: Final = re.compile(r"no instances available with the request spec", re.IGNORECASE)
MONEY: Final = re.compile(r"spending limit|insufficient (balance|funds)", re.IGNORECASE)
DENIED: Final = re.compile(r"unauthorized|api key|forbidden", re.IGNORECASE)

MORE_MONEY: Final = "add credit or raise the limit at https://console.runpod.io/user/billing"
LATER: Final = "ask for another GPU or data center, or wait for one with --wait 1h"
WRONG_KEY: Final = f"{KEY} is wrong or was withdrawn: {HINT}"
WITHDRAWN: Final = (
    "RunPod accepts no bid for it now: it has been withdrawing bids since April 2026; "
    "market.spot: prefer goes on with on-demand machines within the bid"
)


class ConflictError(ProviderError):
    """What was asked for does not go with the state it is in now."""


@dataclass(frozen=True)
class Problem:
    """An answer that says no, `application/problem+json` (RFC 9457) or whatever a proxy wrote."""

    status: int
    detail: str = ""
    errors: tuple[str, ...] = ()
    is_whole: bool = False
    """Whether it is a problem document for this status: RunPod's own word."""

    @classmethod
    def of(cls, status: int, body: Any) -> "Problem":
        """A body that is no problem document leaves only the status."""
        if not isinstance(body, dict):
            return cls(status)
        errors = body.get("errors")
        listed = tuple(map(str, errors)) if isinstance(errors, list) else ()
        detail = str(body.get("detail") or body.get("title") or "")
        return cls(status, detail, listed, body.get("status") == status)

    def __str__(self) -> str:
        said = ": ".join(filter(None, (self.detail, "; ".join(self.errors))))
        return f"{said or 'no reason given'} (HTTP {self.status})"


def fault(problem: Problem, creating: bool = False) -> LongshoreError:
    """Our error for a refusal; `creating` while a pod is asked for."""
    if MONEY.search(problem.detail):
        return AccountError(f"RunPod refuses: {problem}", MORE_MONEY)
    if 400 <= problem.status < 500 and CAPACITY.search(problem.detail):
        return no_room(problem.detail)
    return _BY_STATUS.get(problem.status, _other)(problem, creating)


def fault_of_text(text: str) -> LongshoreError:
    """Our error for what GraphQL says in words only."""
    if MONEY.search(text):
        return AccountError(f"RunPod refuses: {text}", MORE_MONEY)
    if NO_BIDS.search(text):
        return NoCapacityError(f"no room for a bid: {text}", WITHDRAWN)
    if CAPACITY.search(text):
        return no_room(text)
    if DENIED.search(text):
        return AccountError(f"RunPod refuses the key: {text}", WRONG_KEY)
    if "something went wrong" in text.lower():
        return UnreachableError(f"RunPod had a fault of its own: {text}", "try again later")
    return ProviderError(f"RunPod refuses: {text}")


def no_room(text: str) -> NoCapacityError:
    return NoCapacityError(f"no machine free: {text}", LATER)


def _key(problem: Problem, creating: bool) -> LongshoreError:
    return AccountError(f"RunPod refuses the key: {problem}", WRONG_KEY)


def _balance(problem: Problem, creating: bool) -> LongshoreError:
    return AccountError(f"the RunPod balance is too low: {problem}", MORE_MONEY)


def _forbidden(problem: Problem, creating: bool) -> LongshoreError:
    if creating:
        hint = "the account may not use this pool, or the key may make no pods"
        return NoCapacityError(f"RunPod gives no access to it: {problem}", hint)
    return AccountError(f"the key may not do this: {problem}", f"give {KEY} the right to use pods")


def _conflict(problem: Problem, creating: bool) -> LongshoreError:
    return ConflictError(f"RunPod cannot do it in this state: {problem}", "try again later")


def _too_big(problem: Problem, creating: bool) -> LongshoreError:
    return ProviderError(
        f"RunPod takes no request this big: {problem}", "shorten env, at most 100 KB in all"
    )


def _away(problem: Problem, creating: bool) -> LongshoreError:
    return UnreachableError(f"RunPod cannot answer now: {problem}", "try again later")


def _other(problem: Problem, creating: bool) -> LongshoreError:
    if problem.status >= 500:
        return _away(problem, creating)
    return ProviderError(
        f"RunPod refuses the request: {problem}",
        "check the settings under runpod, image and resources",
    )


_BY_STATUS: Final[dict[int, Callable[[Problem, bool], LongshoreError]]] = {
    401: _key,
    402: _balance,
    403: _forbidden,
    409: _conflict,
    413: _too_big,
    429: _away,
}
