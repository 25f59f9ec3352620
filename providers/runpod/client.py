"""RunPod's API over HTTP: what is tried again, what never is, and how long one waits.

A create call is sent once: an answer that was lost may have made a machine that costs money, so
who sent it looks for the machine by its name. A 429 was refused before anything was done.
"""

import json
import logging
import random
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

import httpx

from ... import __version__
from ...errors import ProviderError, UnreachableError
from . import limits
from .faults import Problem, fault
from .settings import BASE, Account

Method = Literal["GET", "POST", "PUT", "DELETE"]
Query = Mapping[str, str | int]

TRIES: Final = 4
PATIENCE: Final = 120.0
"""Seconds that one request may wait in all for the rate limit."""
TIMEOUT: Final = httpx.Timeout(20.0, connect=5.0)
LONG_TIMEOUT: Final = httpx.Timeout(60.0, connect=5.0)
"""For what is sent once: an answer that comes late is better than one that is lost."""

logger = logging.getLogger(__name__)


class Client:
    """One account's API; paths begin at its base URL.

    `say` is told of every wait for the rate limit. The key is in no message.
    """

    def __init__(
        self,
        account: Account,
        say: Callable[[str], None] = logger.warning,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account, self._say, self._sleep, self._clock = account, say, sleep, clock
        self._not_before = 0.0
        headers = {
            "Authorization": f"Bearer {account.key}",
            "User-Agent": f"longshore/{__version__}",
            "Accept": "application/json",
        }
        self._http = httpx.Client(headers=headers)
        weakref.finalize(self, self._http.close)

    def get(self, path: str, query: Query | None = None) -> Any:
        """The answer as JSON; None when there is no such thing."""
        return self._asked("GET", path, query=query)

    def pages(self, path: str, key: str, query: Query | None = None) -> Iterator[Any]:
        """The items of a list, page by page; an answer without pagination is the only page."""
        cursor, seen = "", set[str]()
        while cursor not in seen:
            seen.add(cursor)
            found = self.get(path, {**(query or {}), **({"cursor": cursor} if cursor else {})})
            if found is None:
                raise ProviderError(f"there is no {self._url(path)}", f"check {BASE}")
            yield from _list(found, key)
            after = found.get("pagination") or {}
            if not after.get("hasNextPage") or not after.get("nextCursor"):
                return
            cursor = str(after["nextCursor"])

    def post(self, path: str, body: Any, idempotent: bool, creating: bool = False) -> Any:
        """Send once, or until it is answered when a second time changes nothing."""
        return self._asked("POST", path, body=body, again=idempotent, creating=creating)

    def delete(self, path: str) -> None:
        """Remove; what is not there is removed already."""
        self._asked("DELETE", path)

    @contextmanager
    def stream(self, path: str, query: Query, seconds: float) -> Iterator[Iterator[str]]:
        """The lines of an answer that never ends; a silence of so many seconds raises httpx's."""
        timeout = httpx.Timeout(seconds)
        with self._http.stream("GET", self._url(path), params=query, timeout=timeout) as answer:
            yield answer.iter_lines() if answer.is_success else iter(())

    def _asked(
        self,
        method: Method,
        path: str,
        query: Query | None = None,
        body: Any = None,
        again: bool = True,
        creating: bool = False,
    ) -> Any:
        answer = self._answer(method, path, query, body, again)
        if answer.is_success:
            return self._content(answer)
        problem = Problem.of(answer.status_code, self._json(answer))
        if answer.status_code == 404 and method in ("GET", "DELETE"):
            return self._absent(problem)
        raise fault(problem, creating)

    def _answer(
        self, method: Method, path: str, query: Query | None, body: Any, again: bool
    ) -> httpx.Response:
        """The first answer that settles it; raises UnreachableError while there is none."""
        waited, failed = 0.0, 0
        while True:
            self._keep_pace()
            try:
                answer = self._send(method, path, query, body, TIMEOUT if again else LONG_TIMEOUT)
            except httpx.HTTPError as error:
                failed += 1
                if not again or failed == TRIES:
                    raise self._unreachable(error) from None
                self._back_off(failed, type(error).__name__)
                continue
            if answer.status_code == 429:
                pause = self._refused_for(answer)
                if waited + pause > PATIENCE:
                    return answer
                waited += pause
                self._say(f"RunPod's rate limit is reached; trying again in {pause:.0f} s")
                self._sleep(pause)
                continue
            failed += 1
            if answer.status_code < 500 or not again or failed == TRIES:
                return answer
            self._back_off(failed, f"HTTP {answer.status_code}")

    def _send(
        self, method: Method, path: str, query: Query | None, body: Any, timeout: httpx.Timeout
    ) -> httpx.Response:
        url = self._url(path)
        answer = self._http.request(method, url, params=query, json=body, timeout=timeout)
        self._not_before = self._clock() + limits.pace(answer.headers.get("RateLimit", ""))
        request = answer.headers.get("x-request-id", "-")
        logger.debug("%s %s: %s, x-request-id %s", method, path, answer.status_code, request)
        return answer

    def _url(self, path: str) -> str:
        return f"{self._account.base}{path}"

    def _keep_pace(self) -> None:
        pause = self._not_before - self._clock()
        if pause > 0:
            self._sleep(pause)

    def _back_off(self, failed: int, why: str) -> None:
        pause = 0.5 * 2 ** (failed - 1) * random.uniform(1.0, 1.5)
        logger.info("RunPod: %s; trying again in %.1f s", why, pause)
        self._sleep(pause)

    @staticmethod
    def _refused_for(answer: httpx.Response) -> float:
        headers = answer.headers
        return limits.refused_for(headers.get("RateLimit", ""), headers.get("Retry-After", ""))

    def _absent(self, problem: Problem) -> None:
        """Only RunPod itself can say that something is gone: a proxy's 404 proves nothing."""
        if not problem.is_whole:
            raise self._not_runpod()

    def _content(self, answer: httpx.Response) -> Any:
        if not answer.content:
            return None
        found = self._json(answer)
        if found is None:
            raise self._not_runpod()
        return found

    def _not_runpod(self) -> UnreachableError:
        return UnreachableError(
            f"{self._account.base} answers with something that is not RunPod's API",
            f"check {BASE}; a proxy or a login page may stand between",
        )

    def _unreachable(self, error: httpx.HTTPError) -> UnreachableError:
        what = str(error) or type(error).__name__
        return UnreachableError(
            f"RunPod at {self._account.base} does not answer: {what}",
            "check the network; what runs there runs on",
        )

    def _json(self, answer: httpx.Response) -> Any:
        """The body, without the key should it say it back; None when it is no JSON."""
        try:
            return json.loads(answer.text.replace(self._account.key, "…"))
        except ValueError:
            return None


def _list(found: Any, key: str) -> list[Any]:
    items = found.get(key) if isinstance(found, dict) else None
    if isinstance(items, list):
        return items
    raise ProviderError(
        f"RunPod's answer is not as its API says: no list of {key}", "look for a newer longshore"
    )
