"""Watch a job until its entrypoint ends: events, log, lease, budget, and the user's Ctrl-C."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..configs.container import EVENTS, LEASE, LOG
from ..errors import MachineLostError
from ..providers.base import Exit, Host
from .endings import Ending, ending_of
from .events import Event, EventReader
from .live import Live
from .screen import Screen, redacted
from .signals import Stop

POLL = 0.2
LEASE_EVERY = 10.0
MAX_LOG = 1 << 20
"""A line longer than this many bytes is shown in parts."""


@dataclass
class Watch:
    """One job being watched. `began` is when its machine was asked for (seconds since 1970)."""

    host: Host
    screen: Screen
    stop: Stop
    live: Live
    secrets: dict[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    _events: EventReader = field(default_factory=EventReader)
    _event_offset: int = 0
    _log_offset: int = 0
    _log_rest: bytes = b""
    _lease_at: float = 0.0
    _asked: int = 0
    _over_budget: bool = False
    _last: dict[str, Event] = field(default_factory=dict)

    def until_end(self) -> Ending:
        """Watch until the entrypoint ends, or its machine is lost."""
        try:
            while (exit_ := self.host.poll()) is None:
                self._round()
                self.stop.wait(POLL)
            self._read()
            self.screen.live(self.live.at(self.clock()))
        except MachineLostError as lost:
            return Ending(137, "lost", str(lost), lost.hint)
        return self._ending(exit_)

    def _round(self) -> None:
        now = self.clock()
        self._read()
        self._renew_lease(now)
        self._pass_on_presses()
        self._mind_budget()
        self.live = self.live.at(now)
        self.screen.live(self.live)

    def _read(self) -> None:
        self._read_log()
        chunk = self.host.read(EVENTS, self._event_offset)
        self._event_offset += len(chunk)
        for event in self._events.feed(chunk):
            self._take(event)

    def _take(self, event: Event) -> None:
        self._last[event.kind] = event
        self.live = self.live.after(event)
        if event.kind == "phase":
            self.screen.phase(event.text("phase"))
        elif event.kind == "warning":
            self.screen.note(event.text("text"))

    def _read_log(self) -> None:
        chunk = self.host.read(LOG, self._log_offset)
        self._log_offset += len(chunk)
        whole, newline, rest = (self._log_rest + chunk).rpartition(b"\n")
        if len(rest) > MAX_LOG:
            whole, newline, rest = whole + newline + rest, b"\n", b""
        self._log_rest = rest
        if newline:
            self.screen.log(redacted(whole.decode(errors="replace"), self.secrets))

    def _renew_lease(self, now: float) -> None:
        if now - self._lease_at >= LEASE_EVERY:
            self.host.write(LEASE, str(now).encode())
            self._lease_at = now

    def _pass_on_presses(self) -> None:
        if self.stop.presses == self._asked:
            return
        self._asked = self.stop.presses
        if self._asked == 1:
            self.screen.note("stopping with a checkpoint; Ctrl-C again ends the job now")
            self.host.signal("TERM")
        else:
            self.screen.note("ending the job now")
            self.host.signal("KILL")

    def _mind_budget(self) -> None:
        limit = self.live.max_cost
        if limit is None or self._over_budget or self.live.spent < limit:
            return
        self._over_budget = True
        self.screen.note(f"the budget of ${limit} is spent: stopping with a checkpoint")
        self.host.signal("TERM")

    def _ending(self, exit_: Exit) -> Ending:
        ending = ending_of(exit_, self._last.values())
        if self._over_budget:
            return replace(ending, reason="budget", detail=f"${self.live.max_cost} are spent")
        return ending
