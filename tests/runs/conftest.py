"""A job on the fake provider, and a screen that remembers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest

from longshore.configs.spec import JobSpec
from longshore.costs.plan import plan
from longshore.providers.base import Exit, Need
from longshore.providers.fake import FakeProvider, Faults
from longshore.runs.ledger import Ledger
from longshore.runs.life import Launch, Session
from longshore.runs.live import Live
from longshore.runs.signals import Stop
from longshore.runs.teardown import Patience

QUICK = 0.01
"""Real seconds for a second of the fake job's script."""


@dataclass
class Record:
    """A screen that remembers; `act` is called on every live line."""

    phases: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lives: list[Live] = field(default_factory=list)
    act: Callable[[], None] = lambda: None
    on_phase: Callable[[str], None] = lambda name: None

    def phase(self, name: str, detail: str = "") -> None:
        self.phases.append(name)
        self.on_phase(name)

    def live(self, live: Live) -> None:
        self.lives.append(live)
        self.act()

    def log(self, text: str) -> None:
        self.logs.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass
class Bench:
    """All that a run needs, on one temporary folder."""

    project: Path
    screen: Record = field(default_factory=Record)
    stop: Stop = field(default_factory=Stop)
    faults: Faults = field(default_factory=Faults)

    @property
    def ledger(self) -> Ledger:
        return Ledger()

    @property
    def provider(self) -> FakeProvider:
        pace = min(self.faults.pace, QUICK) if self.faults.pace == 1.0 else self.faults.pace
        return FakeProvider(faults=replace(self.faults, pace=pace))

    def session(self) -> Session:
        patience = Patience(seconds=0.5, sleep=lambda _: None)
        return Session(self.ledger, self.provider, self.screen, _no_image, self.stop, patience)

    def launch(self, spec: JobSpec | None = None, resume_from: str = "") -> Launch:
        job = spec or JobSpec("demo", provider="fake", run="true")
        offers = self.provider.offers(Need.of(job))
        return Launch(job, self.project, plan(job, offers, self.project), resume_from)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    project = tmp_path / "project"
    project.mkdir()
    return Bench(project)


def _no_image(_launch: Launch, _progress: Callable[[str], None]) -> str:
    raise AssertionError("a fake machine runs no image")


class NoJob:
    """The job of a machine on which nothing runs."""

    def start(self) -> None:
        raise AssertionError("nothing is to be started here")

    def poll(self) -> Exit | None:
        return None

    def signal(self, name: Literal["TERM", "KILL"]) -> None:
        raise AssertionError("nothing is to be stopped here")
