"""Watch a job until its entrypoint ends: events, log, lease, budget, and the user's Ctrl-C."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..configs.container import EVENTS, EXIT_DONE, LEASE, LOG
from ..costs.words import duration
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
OVERDUE = 60.0
"""Seconds past its limit after which a job that did not stop by itself is told to from here."""
LAST_WORD = 180.0
"""Seconds past its limit after which it is ended."""


@dataclass(frozen=True)
class Habits:
    """How a job is watched, in seconds; it is over `limit` seconds after its start."""

    poll: float = POLL
    patience: float = PATIENCE
    limit: float = float("inf")


@dataclass
class Watch:
    """One job being watched; what `offsets` say of events and log was seen before."""

    host: Host
    screen: Screen
    stop: Stop
    live: Live
    secrets: dict[str, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.time
    habits: Habits = Habits()
    worries: Callable[[], str] = str
    offsets: dict[str, int] = field(default_factory=lambda: {EVENTS: 0, LOG: 0})
    _events: EventReader = field(default_factory=EventReader)
    _lease_at: float = 0.0
    _noted: str = ""
    _silent_since: float = 0.0
    _asked: int = 0
    _overdue: int = 0
    _over_budget: bool = False
    _last: dict[str, Event] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._printed = Printed(self.secrets)
        self._began = self.clock()

    def until_end(self) -> Ending:
        """Watch until the entrypoint ends, or its machine is lost.

        Raises:
            UnreachableError: nobody has answered for as long as `habits` allow; the job may live.
        """
        try:
            while (exit_ := self._turn()) is None:
                self.stop.wait(self.habits.poll)
            self._hear(b"\n")
            self._show(self._printed.end())
            self.screen.live(self.live.at(self.clock()))
        except MachineLostError as lost:
            self._show(self._printed.end())
            return Ending(137, "lost", str(lost), lost.hint)
        return self._ending(exit_)

    def _turn(self) -> Exit | None:
        """How the job ended, if it did; a place that falls silent is given time to come back."""
        try:
            exit_ = self.host.poll()
            self._read()
            if exit_ is None:
                self._mind()
        except UnreachableError as error:
            self._bear(error)
            return None
        self._silent_since = 0.0
        return exit_

    def _bear(self, error: UnreachableError) -> None:
        now = self.clock()
        self._silent_since = self._silent_since or now
        self._note_once(f"{error}; waiting for it to come back")
        if self.stop.presses > self._asked or now - self._silent_since > self.habits.patience:
            raise error

    def _mind(self) -> None:
        now = self.clock()
        self._renew_lease(now)
        self._pass_on_presses()
        self._mind_budget()
        self._mind_limit(now)
        if worry := self.worries():
            self._note_once(f"not copied home yet: {worry}")
        self.live = self.live.at(now)
        self.screen.live(self.live)

    def _read(self) -> None:
        self._show(self._printed.feed(self._fresh(LOG)))
        self._hear(self._fresh(EVENTS))

    def _fresh(self, path: str) -> bytes:
        chunk = self.host.read(path, self.offsets[path])
        self.offsets[path] += len(chunk)
        return chunk

    def _hear(self, chunk: bytes) -> None:
        for event in self._events.feed(chunk):
            self._take(event)

    def _take(self, event: Event) -> None:
        self._last[event.kind] = event
        self.live = self.live.after(event)
        if event.kind == "warning":
            self.screen.note(self._printed.safe(event.text("text")))

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
        presses = self.stop.presses
        if presses == 1:
            self.screen.note("stopping with a checkpoint; Ctrl-C again ends the job now")
            self.host.signal("TERM")
        else:
            self.screen.note("ending the job now")
            self.host.signal("KILL")
        self._asked = presses

    def _mind_budget(self) -> None:
        limit = self.live.max_cost
        if limit is None or self._over_budget or self.live.spent < limit:
            return
        self.screen.note(f"the budget of ${limit} is spent: stopping with a checkpoint")
        self.host.signal("TERM")
        self._over_budget = True

    def _mind_limit(self, now: float) -> None:
        """The job keeps its own time limit; this one holds when it does not."""
        late = now - self._began - self.habits.limit
        if late > LAST_WORD and self._overdue < 2:
            self.screen.note("ending the job: it did not stop at its time limit")
            self.host.signal("KILL")
            self._overdue = 2
        elif late > OVERDUE and self._overdue < 1:
            over = duration(self.habits.limit)
            self.screen.note(f"the time limit of {over} is over: stopping with a checkpoint")
            self.host.signal("TERM")
            self._overdue = 1

    def _ending(self, exit_: Exit) -> Ending:
        ending = ending_of(exit_, self._last.values())
        if ending.code == EXIT_DONE:
            return replace(ending, detail=self._printed.safe(ending.detail))
        if self._over_budget:
            return replace(ending, reason="budget", detail=f"${self.live.max_cost} are spent")
        if self._overdue:
            return replace(ending, reason="deadline")
        return replace(ending, detail=self._printed.safe(ending.detail))
