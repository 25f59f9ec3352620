"""The one live line of a run: where it is, how far, what it costs now and will cost."""

import time
from dataclasses import dataclass, replace
from decimal import Decimal

from ..costs.words import money, rough
from .events import Event

DAY = 24 * 3600.0
NEVER = 10 * 365 * DAY
"""What would take longer is a fault in what the job says of its steps."""


@dataclass(frozen=True)
class Live:
    """What is known of a running job now; `spent` in USD, times in seconds.

    `before`: what earlier machines of the run have cost.
    """

    run: str
    where: str
    usd_per_hour: Decimal
    max_cost: Decimal | None = None
    began: float = 0.0
    before: Decimal = Decimal(0)
    first_step_at: float | None = None
    first_step: int = 0
    now: float = 0.0
    phase: str = "start"
    step: int = 0
    steps: int = 0
    loss: float | None = None
    tokens_per_s: float | None = None
    gpu_util: float | None = None
    gpu_mib: float | None = None

    def after(self, event: Event) -> "Live":
        """This line once the event is known."""
        if event.kind == "phase":
            return replace(self, phase=event.text("phase"))
        if event.kind == "step":
            return self._stepped(event)
        return self

    def at(self, now: float) -> "Live":
        """This line at another time."""
        return replace(self, now=now)

    @property
    def spent(self) -> Decimal:
        """What the run has cost: this machine since it was asked for, and those before it."""
        return self.before + hours(self.now - self.began) * self.usd_per_hour

    @property
    def seconds_left(self) -> float | None:
        """By the mean step so far; None before the second step."""
        done = self.step - self.first_step
        if self.first_step_at is None or done < 1:
            return None
        left = (self.now - self.first_step_at) / done * max(self.steps - self.step, 0)
        return left if left < NEVER else None

    @property
    def at_finish(self) -> Decimal | None:
        """What the run will have cost at its end, or None before that can be said."""
        left = self.seconds_left
        return None if left is None else self.spent + hours(left) * self.usd_per_hour

    def text(self) -> str:
        """The line, parts that are not known left out."""
        return " · ".join(part for part in self._parts() if part)

    def _stepped(self, event: Event) -> "Live":
        step = int(event.number("step") or 0)
        first = self.first_step_at is None
        return replace(
            self,
            step=step,
            steps=int(event.number("steps") or 0),
            loss=event.number("loss"),
            tokens_per_s=event.number("tokens_per_s"),
            gpu_util=event.number("gpu_util"),
            gpu_mib=event.number("gpu_mib"),
            first_step_at=event.at if first else self.first_step_at,
            first_step=step if first else self.first_step,
        )

    def _parts(self) -> list[str]:
        return [
            f"run {self.run}",
            self.where,
            self._progress(),
            "" if self.loss is None else f"loss {self.loss:.3f}",
            "" if self.tokens_per_s is None else f"{_short(self.tokens_per_s)} tok/s",
            self._gpu(),
            f"{money(self.spent)} spent",
            "" if self.at_finish is None else f"{money(self.at_finish)} at finish",
            "" if self.max_cost is None else f"budget {money(self.max_cost)}",
            self._end(),
        ]

    def _progress(self) -> str:
        if not self.steps:
            return self.phase
        return f"step {self.step}/{self.steps} {100 * self.step // self.steps}%"

    def _gpu(self) -> str:
        if self.gpu_util is None or self.gpu_mib is None:
            return ""
        return f"GPU {self.gpu_util:.0f}% {self.gpu_mib / 1024:.1f} GiB"

    def _end(self) -> str:
        left = self.seconds_left
        if left is None:
            return ""
        if left >= DAY:
            return f"ends in {rough(left)}"
        return f"ends {time.strftime('%H:%M', time.localtime(self.now + left))}"


def hours(seconds: float) -> Decimal:
    """Seconds as hours, exact to the millisecond."""
    return Decimal(round(max(seconds, 0) * 1000)) / Decimal(3_600_000)


def _short(number: float) -> str:
    return f"{number / 1000:.1f}k" if number >= 1000 else f"{number:.0f}"
