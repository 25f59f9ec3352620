"""A pod runs its job once, stays afterwards, and ends itself when nobody cares for it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from longshore.configs import container
from longshore.training.pod import MARK, Log, Pod, Settings
from longshore.training.pod_end import Account, Ending, Switch, refusal
from longshore.training.pod_volume import make_folders

from .conftest import MakeSite, Serve, Site

SAVES = f"""
import signal, sys, time
from pathlib import Path
def save(*_):
    Path("../{container.CHECKPOINTS}/saved").touch()
    sys.exit(75)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
time.sleep(60)
"""
SECRET = "not-for-the-job-5711"


@dataclass
class Clock:
    """Time that a test makes pass."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


ENDED = (200, {"data": {"podTerminate": None}})
STOPPED = (200, {"data": {"podStop": {"id": "abc", "desiredStatus": "EXITED"}}})
REFUSED = (200, {"errors": [{"message": "Something went wrong."}], "data": None})


@contextmanager
def machine(site: Site, **env: str) -> Iterator["subprocess.Popen[str]"]:
    """The entrypoint on a pod, killed at the end."""
    process = site.start(**{container.POD: "1", **env})
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def begin(site: Site) -> None:
    (site.path / container.START).touch()


def idle_pod(site: Site, clock: Clock, **env: str) -> Pod:
    """A pod without a loop: the test makes it tick."""
    settings = Settings((sys.executable, "-c", "import time; time.sleep(60)"), grace=5)
    return Pod(site.path, env, Log(site.path / "control/pod.log"), settings, clock)


def test_stays_after_its_job(make_site: MakeSite) -> None:
    """The job starts with control/start, ends in done.json, and its machine lives on."""
    site = make_site(run="echo hello")
    with machine(site) as process:
        begin(site)
        site.wait_for(container.DONE, '"done"')
        site.wait_for(container.PID)
        assert "hello" in site.read(container.LOG)
        site.wait_for("control/pod.log", "ended with code 0")
        assert process.poll() is None


def test_waits_for_the_word(make_site: MakeSite) -> None:
    """Nothing runs before control/start is there."""
    site = make_site(run="echo hello")
    with machine(site):
        site.wait_for("control/pod.log", "nobody can log in")
        assert not (site.path / container.STARTED).exists()


@pytest.mark.parametrize(
    ("done", "after"),
    [(None, {"code": 137, "reason": "killed"}), ({"code": 0, "reason": "done"},) * 2],
)
def test_never_runs_a_job_twice(
    done: dict[str, Any] | None, after: dict[str, Any], make_site: MakeSite
) -> None:
    """A machine that boots again says that its job was killed, unless it had ended."""
    site = make_site(run="touch again")
    for name in (container.START, container.STARTED):
        (site.path / name).touch()
    if done:
        (site.path / container.DONE).write_text(json.dumps(done))
    with machine(site):
        site.wait_for(container.DONE, str(after["code"]))
        pod_log = "control/pod.log"
        site.wait_for(pod_log, "nobody can log in")
        assert site.done().items() >= after.items()
    assert not (site.path / "code/again").exists()


def test_a_stop_reaches_the_job_first(make_site: MakeSite) -> None:
    """SIGTERM to the machine lets the job save; then the machine goes."""
    site = make_site(run=f"{sys.executable} saves.py")
    (site.path / "code/saves.py").write_text(SAVES)
    (site.path / container.CHECKPOINTS).mkdir()
    with machine(site) as process:
        begin(site)
        site.wait_for(container.LOG, "ready")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert (site.path / container.CHECKPOINTS / "saved").exists()
    assert site.done()["reason"] == "preempted"


def test_a_job_whose_watch_was_killed_is_ended_whole(make_site: MakeSite) -> None:
    """done.json tells of it, and no process of the job is left to cost money."""
    site = make_site(run="echo $$ >pid; echo ready; sleep 60; true")
    with machine(site):
        begin(site)
        site.wait_for(container.LOG, "ready")
        site.wait_for(container.PID)
        os.killpg(int(site.read(container.PID)), signal.SIGKILL)
        site.wait_for(container.DONE, "killed")
        assert site.done()["code"] == 137
        stat = Path("/proc", site.read("code/pid").strip(), "stat")
        assert not stat.exists() or stat.read_text().split()[2] == "Z"


def test_a_job_that_cannot_start_has_ended(make_site: MakeSite) -> None:
    """So that nobody waits for it in vain."""
    site = make_site(run="true")
    settings = Settings(("/no/such/program",))
    pod = Pod(site.path, {}, Log(site.path / "control/pod.log"), settings)
    begin(site)
    pod.tick()
    assert site.done()["code"] == 126


def test_secrets_of_the_pod_stay_with_it(make_site: MakeSite) -> None:
    """The job sees neither the key of the account nor the machine's own."""
    site = make_site(run="env")
    private = dict.fromkeys(("RUNPOD_API_KEY", "LONGSHORE_BOOT", container.HOST_KEY), SECRET)
    with machine(site, **private, RUNPOD_POD_ID="abc"):
        begin(site)
        site.wait_for(container.DONE, "done")
    assert "RUNPOD_POD_ID=abc" in site.read(container.LOG)
    assert f"{MARK}=" in site.read(container.LOG)
    assert SECRET not in site.read(container.LOG)


def test_outputs_lie_on_the_volume(tmp_path: Path) -> None:
    """Each pod has folders of its own there, and all share the cache; twice is as good as once."""
    root, volume = tmp_path / "root", tmp_path / "volume"
    (root / "outputs").mkdir(parents=True)
    environ = {container.VOLUME: str(volume), container.NAME: "longshore-x-1"}
    for _ in range(2):
        assert make_folders(root, environ) == []
    (root / container.DONE).write_text("{}")
    (root / "cache/tokens").touch()
    assert (volume / "longshore-x-1" / container.DONE).exists()
    assert (volume / "cache/tokens").exists()


def test_a_folder_that_holds_something_stays(tmp_path: Path) -> None:
    """What the image brought is not hidden, and the log says what that means."""
    root = tmp_path / "root"
    (root / "outputs").mkdir(parents=True)
    (root / "outputs/kept").touch()
    (fault,) = make_folders(root, {container.VOLUME: str(tmp_path / "volume")})
    assert "is not on the volume" in fault
    assert (root / "outputs/kept").exists()


@pytest.mark.parametrize(
    ("environ", "job_runs", "passed", "ends"),
    [
        ({}, False, 1e9, False),
        ({container.IDLE: "60"}, False, 59, False),
        ({container.IDLE: "60"}, False, 60, True),
        ({container.IDLE: "60"}, True, 600, False),
        ({container.LIFETIME: "60"}, True, 59, False),
        ({container.LIFETIME: "60"}, True, 60, True),
        ({container.LIFETIME: "soon"}, False, 1e9, False),
    ],
)
def test_the_switch(
    environ: dict[str, str], job_runs: bool, passed: float, ends: bool, tmp_path: Path
) -> None:
    """LIFETIME counts always, IDLE only while no job runs."""
    clock = Clock()
    switch = Switch(tmp_path / "lease", environ, clock)
    clock.now += passed
    assert bool(switch.why(job_runs)) is ends


def test_a_touch_of_the_lease_and_a_job_are_signs_of_life(tmp_path: Path) -> None:
    """Silence is counted from the last of them."""
    clock, lease = Clock(), tmp_path / "lease"
    switch = Switch(lease, {container.IDLE: "60"}, clock)
    clock.now += 50
    lease.touch()
    assert not switch.why(False)
    clock.now += 50
    assert not switch.why(True)
    clock.now += 50
    assert not switch.why(False)
    clock.now += 50
    assert switch.why(False)


@pytest.mark.parametrize(("begun", "verb"), [(False, "podTerminate"), (True, "podStop")])
def test_a_machine_left_alone_ends_itself(
    begun: bool, verb: str, make_site: MakeSite, graphql: Serve
) -> None:
    """A machine whose job had begun is stopped, so that its volume keeps what was made."""
    base, asked = graphql(STOPPED if begun else ENDED)
    site, clock = make_site(run="true"), Clock()
    keys = {"RUNPOD_API_KEY": "own", "RUNPOD_POD_ID": 'a"c', "RUNPOD_API_BASE_URL": base}
    pod = idle_pod(site, clock, **keys, **{container.IDLE: "60"})
    if begun:
        (site.path / container.STARTED).touch()
    pod.tick()
    assert asked.queries == []
    clock.now += 60
    pod.tick()
    assert asked.verbs == [verb]
    assert r'podId: "a\"c"' in asked.queries[0]
    assert asked.keys == ["Bearer own"]
    assert f"{verb} of this machine" in site.read("control/pod.log")
    assert "own" not in site.read("control/pod.log")


def test_a_refused_end_is_asked_for_again(graphql: Serve) -> None:
    """After pauses that grow; status 200 with errors is a refusal, and the log names it."""
    base, asked = graphql(REFUSED, (503, {}), ENDED)
    clock, notes = Clock(), list[str]()
    ending = Ending(Account(base, "abc", "own"), notes.append, clock)
    times = []
    for second in range(80):
        clock.now = 1000.0 + second
        before = len(asked.queries)
        ending.push("podTerminate", "it is old")
        times += [second] * (len(asked.queries) - before)
    assert times == [0, 10, 30, 70]
    assert "Something went wrong." in notes[0]
    assert "503" in notes[1]
    assert "asked for" in notes[2]


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [
        (ENDED[1], True),
        (STOPPED[1], True),
        (REFUSED[1], False),
        ({"data": None}, False),
        ([], False),
    ],
)
def test_reads_answers(answer: object, agreed: bool) -> None:
    """Only data without errors is consent."""
    assert (refusal(json.dumps(answer).encode()) == "") is agreed


def test_a_job_that_outlives_its_machine_is_asked_and_then_ended(
    make_site: MakeSite, graphql: Serve
) -> None:
    """LIFETIME gives it time to save, then kills it, then stops the machine."""
    base, asked = graphql(STOPPED)
    site, clock = make_site(run="true"), Clock()
    deaf = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); open(sys.argv[1], 'w')"
    words = (sys.executable, "-c", f"{deaf}; time.sleep(60)", str(site.path / "up"))
    settings = Settings(words, grace=5)
    keys = {"RUNPOD_API_KEY": "own", "RUNPOD_POD_ID": "abc", "RUNPOD_API_BASE_URL": base}
    environ = {**keys, container.LIFETIME: "60"}
    pod = Pod(site.path, environ, Log(site.path / "control/pod.log"), settings, clock)
    begin(site)
    pod.tick()
    site.wait_for("up")
    for passed in (60, 6):
        clock.now += passed
        pod.tick()
    while not (site.path / container.DONE).exists():
        pod.tick()
    pod.tick()
    assert site.done()["code"] == 137
    assert asked.verbs == ["podStop"]
