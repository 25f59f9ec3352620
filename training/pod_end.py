"""The dead-man's switch of a pod: when it must end itself, and how it asks for its own end."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from ..configs import container
from .guards import Clock

Verb = Literal["podStop", "podTerminate"]

BASE: Final = "https://api.runpod.io"
ANSWER_SECONDS: Final = 20.0
FIRST_PAUSE: Final = 10.0
LONGEST_PAUSE: Final = 600.0
_FIELDS: Final[dict[Verb, str]] = {"podStop": " { id desiredStatus }", "podTerminate": ""}


class Switch:
    """Says why the machine must end: it is too old, or nobody cares for it.

    Without LIFETIME or IDLE in the environment that rule does not apply.
    """

    def __init__(
        self, lease: Path, environ: Mapping[str, str], clock: Clock = time.monotonic
    ) -> None:
        self._lease = lease
        self._lifetime = seconds(environ.get(container.LIFETIME, ""))
        self._idle = seconds(environ.get(container.IDLE, ""))
        self._clock = clock
        self._booted = self._moved = clock()
        self._stamp = self._read()

    def why(self, job_runs: bool) -> str:
        """The reason to end now, empty while there is none.

        Silence counts only while no job runs: a job has a lease of its own.
        """
        stamp = self._read()
        if job_runs or stamp != self._stamp:
            self._stamp = stamp
            self._moved = self._clock()
        if self._lifetime and self._clock() - self._booted >= self._lifetime:
            return f"its time of {self._lifetime:.0f} s is over"
        if self._idle and self._clock() - self._moved >= self._idle:
            return f"nobody has asked for it for {self._idle:.0f} s"
        return ""

    def _read(self) -> int | None:
        try:
            return self._lease.stat().st_mtime_ns
        except OSError:
            return None


@dataclass(frozen=True)
class Account:
    """What a pod may ask in its own name: its key is for itself alone (RunPod docs, 2026-08)."""

    base: str
    pod: str
    key: str = field(repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Account | None":
        """The pod's own, None where RunPod gave none."""
        pod, key = environ.get("RUNPOD_POD_ID", ""), environ.get("RUNPOD_API_KEY", "")
        base = environ.get("RUNPOD_API_BASE_URL") or BASE
        return cls(base.rstrip("/"), pod, key) if pod and key else None

    def body(self, verb: Verb) -> bytes:
        """The request that ends this pod."""
        words = f"{verb}(input: {{podId: {json.dumps(self.pod)}}}){_FIELDS[verb]}"
        return json.dumps({"query": f"mutation {{ {words} }}"}).encode()

    def ask(self, verb: Verb) -> str:
        """Ask once; what stood in the way, empty when RunPod agreed."""
        from http.client import HTTPException
        from urllib.request import Request, urlopen

        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "User-Agent": "longshore",
        }
        request = Request(f"{self.base}/graphql", self.body(verb), headers)
        try:
            with urlopen(request, timeout=ANSWER_SECONDS) as answer:
                return refusal(answer.read())
        except (OSError, HTTPException, ValueError) as error:
            return str(error)


class Ending:
    """Asks for this machine's end, again and again, until it has come."""

    def __init__(
        self, account: Account | None, note: Callable[[str], None], clock: Clock = time.monotonic
    ) -> None:
        self._account = account
        self._note = note
        self._clock = clock
        self._pause = FIRST_PAUSE
        self._next = clock()

    def push(self, verb: Verb, why: str) -> None:
        """Ask once if it is time to; the pause until the next time grows."""
        if self._clock() < self._next:
            return
        fault = self._account.ask(verb) if self._account else "it has no key of its own"
        self._note(f"warning: {verb} of this machine, as {why}: {fault or 'asked for'}")
        self._next = self._clock() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)


def refusal(answer: bytes) -> str:
    """What an answer with status 200 says against it: GraphQL puts errors there too."""
    content = json.loads(answer)
    if not isinstance(content, dict) or (not content.get("data") and not content.get("errors")):
        return "an answer that is none of GraphQL's"
    errors = content.get("errors") or []
    return "; ".join(str(one.get("message", one)) for one in errors)


def seconds(text: str) -> float:
    """A length of time from the environment, 0 where there is none."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return 0.0
