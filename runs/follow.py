"""Watch a job until its entrypoint ends: events, log, lease, budget, and the user's Ctrl-C."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..configs.container import EVENTS, EXIT_DONE, LEASE, LOG
from ..errors import MachineLostError, SyncError, UnreachableError
from ..providers.base import Exit, Host
from .endings import Ending, ending_of
from .events import Event, EventReader
from .live import Live
from .printed import Printed
from .screen import Screen
from .signals import Stop

POLL = 0.2
PATIENCE = 60.0
"""Seconds for which a place may be silent: an engine that is restarted needs some."""
LEASE_EVERY = 10.0


@dataclass
class Watch:
    """One job being watched."""

    host: Host
    screen: Screen
    stop: Stop
    live: Live
    secrets: dict[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    _events: EventReader = field(default_factory=EventReader)
    _event_offset: int = 0
    _log_offset: int = 0
    _lease_at: float = 0.0
    _noted: str = ""
    _silent_since: float = 0.0
    _asked: int = 0
    _over_budget: bool = False
    _last: dict[str, Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._printed = Printed(self.secrets)

    def until_end(self) -> Ending:
        """Watch until the entrypoint ends, or its machine is lost.

        Raises:
            UnreachableError: nobody has answered for PATIENCE seconds; the job may live.
        """
        try:
            while (exit_ := self._poll()) is None:
                self._round()
                self.stop.wait(POLL)
            self._read()
            self._hear(b"\n")
            self._show(self._printed.end())
            self.screen.live(self.live.at(self.clock()))
        except MachineLostError as lost:
            self._show(self._printed.end())
            return Ending(137, "lost", str(lost), lost.hint)
        return self._ending(exit_)

    def _poll(self) -> Exit | None:
        """How the job ended, if it did; a place that falls silent is given time to come back."""
        try:
            exit_ = self.host.poll()
        except UnreachableError as error:
            self._silent_since = self._silent_since or self.clock()
            self._note_once(f"{error}; waiting for it to come back")
            if self.stop.presses or self.clock() - self._silent_since > PATIENCE:
                raise
            return None
        self._silent_since = 0.0
        return exit_

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
        self._hear(chunk)

    def _hear(self, chunk: bytes) -> None:
        for event in self._events.feed(chunk):
            self._take(event)

    def _take(self, event: Event) -> None:
        self._last[event.kind] = event
        self.live = self.live.after(event)
        if event.kind == "warning":
            self.screen.note(self._printed.safe(event.text("text")))

    def _read_log(self) -> None:
        chunk = self.host.read(LOG, self._log_offset)
        self._log_offset += len(chunk)
        self._show(self._printed.feed(chunk))

    def _show(self, lines: str) -> None:
        if lines:
            self.screen.log(lines)

    def _renew_lease(self, now: float) -> None:
        """A disk that is full must not end the watch: the job's own progress keeps it alive."""
        if now - self._lease_at < LEASE_EVERY:
            return
        self._lease_at = now
        try:
            self.host.write(LEASE, str(now).encode())
        except SyncError as error:
            self._note_once(f"the lease cannot be renewed: {error}")

    def _note_once(self, text: str) -> None:
        if text != self._noted:
            self._noted = text
            self.screen.note(text)

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
        if self._over_budget and ending.code != EXIT_DONE:
            return replace(ending, reason="budget", detail=f"${self.live.max_cost} are spent")
        return replace(ending, detail=self._printed.safe(ending.detail))
