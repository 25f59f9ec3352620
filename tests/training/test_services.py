"""Exposed services listen on the machine only, and never harm the job."""

import json
import os
import sys
import time
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

from longshore.configs import container
from longshore.configs.spec import Service
from longshore.training import board, services
from longshore.training.board import feed, scalars
from longshore.training.events import Event
from longshore.training.kept import Command, Kept

from .conftest import MakeSite
from .test_pod import Clock, begin, machine

ROOT = Path("/longshore")
TOKEN = "token-of-the-owner-81"


def test_jupyter_hides_its_token() -> None:
    """It listens on 127.0.0.1, on the project, and no process list shows its token."""
    (command,) = services.commands(["jupyter"], ROOT, {"A": "b"}, {"jupyter": TOKEN})
    assert command.argv == (
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port=8888",
        "--ServerApp.port_retries=0",
        "--ServerApp.root_dir=/longshore/code",
    )
    assert command.env == {"A": "b", "JUPYTER_TOKEN": TOKEN}
    assert TOKEN not in repr(command)


def test_tensorboard_shows_the_jobs_events_and_its_own_logs() -> None:
    """A second helper turns events into what it reads."""
    served, fed = services.commands(["tensorboard"], ROOT, {}, {})
    assert served.argv[1:7] == ("-m", "tensorboard.main", "--host", "127.0.0.1", "--port", "6006")
    assert served.argv[7:] == (
        "--logdir_spec",
        "job:/longshore/control/tensorboard,own:/longshore/outputs/tensorboard",
    )
    assert fed.argv[1:] == ("-m", "longshore.training.board", "/longshore")


@pytest.mark.parametrize("names", [[], ["ssh"], ["jupyter"]])
def test_nothing_runs_that_was_not_asked_for(names: list[Service]) -> None:
    """ssh is there anyway, and Jupyter without a token would let anybody in."""
    assert list(services.commands(names, ROOT, {}, {})) == []


@pytest.mark.parametrize(
    ("content", "tokens"),
    [('{"jupyter": "x"}', {"jupyter": "x"}), ("[]", {}), ("{", {}), (None, {})],
)
def test_reads_tokens(content: str | None, tokens: dict[str, str], tmp_path: Path) -> None:
    """A damaged file means no tokens, never a fault."""
    if content:
        (tmp_path / "control").mkdir()
        (tmp_path / container.TOKENS).write_text(content)
    assert services.read_tokens(tmp_path) == tokens


def test_a_helper_that_dies_is_started_a_few_times(tmp_path: Path) -> None:
    """After pauses that double; then it is given up, with a warning that names its log."""
    clock, notes = Clock(), list[str]()
    log = tmp_path / "log"
    words = (sys.executable, "-c", "print('up', flush=True); raise SystemExit(3)")
    kept = Kept(Command("helper", words, tmp_path, log, os.environ), notes.append, 2, clock)
    while len(notes) < 3:
        kept.keep()
        clock.now += 0.5
        time.sleep(0.01)
    assert "code 3" in notes[0]
    assert [note.rpartition(": ")[2] for note in notes[:2]] == [
        "trying again in 1 s",
        "trying again in 2 s",
    ]
    assert notes[2].endswith(f"see {log}")
    clock.now += 1e6
    kept.keep()
    assert kept.pid is None
    assert log.read_text() == "up\n" * 3


def test_a_program_that_is_missing_is_a_death_too(tmp_path: Path) -> None:
    """An image without it must not end the machine."""
    notes = list[str]()
    command = Command("helper", ("/no/such/program",), tmp_path, tmp_path / "log")
    Kept(command, notes.append, 0).keep()
    assert "cannot be started" in notes[0]


def test_services_that_fail_leave_the_job_alone(make_site: MakeSite) -> None:
    """The job ends well although what it exposes is not installed."""
    site = make_site(run="sleep 0.5", expose=("jupyter",))
    (site.path / container.TOKENS).write_text(json.dumps({"jupyter": TOKEN}))
    with machine(site):
        begin(site)
        site.wait_for(container.DONE, '"done"')
        site.wait_for("control/pod.log", "jupyter ended with code")
    assert TOKEN not in site.read("control/pod.log")


class Sink:
    """Remembers what it was given."""

    def __init__(self) -> None:
        self.added: list[tuple[str, float, int]] = []
        self.flushed = 0

    def add(self, tag: str, value: float, step: int, t: float) -> None:
        self.added.append((tag, value, step))

    def flush(self) -> None:
        self.flushed += 1


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {"kind": "step", "step": 3, "loss": 2.5, "tokens_per_s": 90, "gpu_util": None},
            {"train/loss": 2.5, "train/tokens_per_s": 90.0},
        ),
        ({"kind": "eval", "step": 3, "loss": 2.0}, {"eval/loss": 2.0}),
        ({"kind": "phase", "phase": "load"}, {}),
    ],
)
def test_numbers_of_an_event(event: Event, expected: dict[str, float]) -> None:
    """Training and held-out numbers by their names; what is not known is left out."""
    assert scalars(event) == expected


def test_feeding_ends_with_the_job() -> None:
    """What came with the last event is passed on."""
    sink = Sink()
    events: list[Event] = [
        {"kind": "step", "step": 1, "t": 5.0, "loss": 2.5},
        {"kind": "step", "step": "odd", "t": 5.0, "loss": 2.5},
    ]
    assert not feed(iter(events), sink)
    assert feed(iter([{"kind": "end", "code": 0}]), sink)
    assert sink.added == [("train/loss", 2.5, 1)]
    assert sink.flushed == 2


def test_event_files_are_tensorboards_own(tmp_path: Path) -> None:
    """Its own reader finds the scalar that was written."""
    files = board.Files(tmp_path)
    feed(iter([{"kind": "step", "step": 7, "t": 5.0, "loss": 2.5}]), files)
    (file,) = tmp_path.iterdir()
    events = LegacyEventFileLoader(str(file)).Load()
    found = [(e.step, v.tag, v.simple_value) for e in events for v in e.summary.value]
    assert found == [(7, "train/loss", 2.5)]
