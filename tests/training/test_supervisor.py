"""The entrypoint keeps its word to the outside: exit codes, stops, limits, and what it leaves."""

import json
import os
import signal
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from longshore.configs import container
from longshore.configs.spec import Gpu, Guards, Resources, Train
from longshore.training import supervise
from longshore.training.limits import Cgroup
from longshore.training.stop import EXIT_OUT_OF_MEMORY
from longshore.training.supervise import Outcome, Settings, judge

from .conftest import MakeSite, Site

TRAP = "trap 'exit 75' TERM; echo ready; while :; do sleep 0.05; done"
"""A script that saves when asked to, as one would write it: bash waits for its own commands."""
DEAF = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
SAVES = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
print("ready", flush=True)
time.sleep(60)
"""
PYTHON = f"{sys.executable} saves.py"


@pytest.mark.parametrize(
    ("script", "code", "reason"),
    [
        ("true", 0, "done"),
        ("exit 3", 3, "failed"),
        ("exit 75", 75, "preempted"),
        ("kill -9 $$", 137, "killed"),
        ("kill -11 $$", 139, "failed"),
        ("no-such-command", 127, "failed"),
    ],
)
def test_ends_as_its_script(script: str, code: int, reason: str, make_site: MakeSite) -> None:
    """The exit code of the script is ours, and `done.json` and the last event tell why."""
    site = make_site(run=script)
    assert site.run().code == code
    assert (site.done()["code"], site.done()["reason"]) == (code, reason)
    assert site.events()[-1].items() >= {"kind": "end", "code": code, "reason": reason}.items()


@pytest.mark.parametrize(
    ("code", "asked", "out_of_memory", "outcome"),
    [
        (0, None, False, Outcome(0, "done")),
        (0, "deadline", False, Outcome(0, "done")),
        (75, None, False, Outcome(75, "preempted")),
        (75, "lease", False, Outcome(75, "lease")),
        (-9, None, True, Outcome(6, "oom")),
        (-9, None, False, Outcome(137, "killed")),
        (-9, "deadline", False, Outcome(137, "deadline")),
        (143, "preempted", False, Outcome(143, "killed")),
        (1, "preempted", False, Outcome(1, "failed")),
    ],
)
def test_judges(
    code: int, asked: supervise.Reason | None, out_of_memory: bool, outcome: Outcome
) -> None:
    """A stop counts as one only when a checkpoint was committed (75)."""
    assert judge(code, asked, out_of_memory) == outcome


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(PYTHON, id="one command"),
        pytest.param(f"true\n{PYTHON}\necho never", id="a command among others"),
        pytest.param(f"bash -c 'true; {PYTHON}; exit $?'", id="behind a second shell"),
        pytest.param(f'bash -c "{TRAP}"', id="a shell that traps"),
    ],
)
def test_forwards_a_stop(script: str, make_site: MakeSite) -> None:
    """SIGTERM reaches the program itself through any shells, and its code 75 comes back."""
    site = make_site(run=script)
    (site.path / "code/saves.py").write_text(SAVES)
    process = site.start()
    site.wait_for(container.LOG, "ready")
    process.terminate()
    screen, _ = process.communicate(timeout=20)
    assert (process.returncode, site.done()["reason"]) == (75, "preempted")
    assert "never" not in screen


def test_second_stop_is_now(make_site: MakeSite) -> None:
    """A job that does not listen ends at the second signal, with all it started."""
    site = make_site(run=f'sh -c "{DEAF}" & echo $! > pid; {DEAF}')
    process = site.start()
    site.wait_for(container.LOG, "ready\nready")
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert (process.returncode, site.done()["reason"]) == (137, "killed")
    assert not is_alive(int(site.read("code/pid")))


def test_leaves_nothing_running(make_site: MakeSite) -> None:
    """What a script left in the background ends with it."""
    site = make_site(run="sleep 60 & echo $! > pid")
    assert site.run().code == 0
    assert not is_alive(int(site.read("code/pid")))


@pytest.mark.parametrize(
    ("script", "code"),
    [pytest.param(TRAP, 75, id="saves"), pytest.param(DEAF, 137, id="does not listen")],
)
def test_stops_at_its_time_limit(script: str, code: int, make_site: MakeSite) -> None:
    """`guards.max_time` asks for a checkpoint, and ends what does not save in its last seconds."""
    site = make_site(run=f'bash -c "{script}"', guards=Guards(max_time=1))
    assert supervise.main(site.path, Settings(grace=0.3)) == code
    assert site.done()["reason"] == "deadline"
    assert "time limit" in str(site.events("warning")[0]["text"])


def test_stops_when_its_lease_lapses(make_site: MakeSite) -> None:
    """A hung job that nobody watches any more is stopped."""
    site = make_site(run=f'bash -c "{TRAP}"', guards=Guards(idle=1))
    (site.path / container.LEASE).touch()
    assert supervise.main(site.path) == 75
    assert site.done()["reason"] == "lease"


def test_progress_keeps_the_lease(make_site: MakeSite) -> None:
    """A job that moves outlives a dead watcher."""
    site = make_site(run="for i in 1 2 3 4 5; do sleep 0.5; echo $i; done", guards=Guards(idle=1))
    (site.path / container.LEASE).touch()
    assert supervise.main(site.path) == 0


def test_no_lease_file_no_lease(make_site: MakeSite) -> None:
    """A job started by hand is not watched, and not stopped for it."""
    assert supervise.main(make_site(run="sleep 1.5", guards=Guards(idle=1)).path) == 0


def test_manifest_tells_every_output(make_site: MakeSite) -> None:
    """Each file under outputs/ with its size and SHA-256, the log and the events included."""
    script = 'mkdir "$LONGSHORE_OUTPUT/sub"; echo -n four > "$LONGSHORE_OUTPUTS/sub/file"'
    site = make_site(run=script)
    site.run()
    files = json.loads(site.read(container.MANIFEST))["files"]
    assert list(files) == ["events.jsonl", "sub/file", "train.log"]
    for name, entry in files.items():
        content = (site.path / "outputs" / name).read_bytes()
        assert entry == {"bytes": len(content), "sha256": sha256(content).hexdigest()}


def test_script_sees_the_contract(make_site: MakeSite) -> None:
    """A plain script gets the paths, the ranks, the device and its own variables; cwd is code/."""
    site = make_site(run="pwd; env", env={"OWN": "x", "RANK": "7"})
    newest = site.path / "checkpoints/step-000020"
    for folder, whole in ((newest, True), (newest.with_name("step-000030"), False)):
        folder.mkdir(parents=True)
        if whole:
            (folder / "COMMITTED.json").write_text('{"step": 20, "files": {}}')
    lines = site.run().screen.splitlines()
    assert str(site.path / "code") in lines
    assert {
        f"LONGSHORE_ROOT={site.path}",
        f"LONGSHORE_DATA={site.path}/data",
        f"LONGSHORE_OUTPUTS={site.path}/outputs",
        f"LONGSHORE_CHECKPOINTS={site.path}/checkpoints",
        f"LONGSHORE_RESUME_FROM={newest}",
        "LONGSHORE_DEVICE=cpu",
        "WORLD_SIZE=1",
        "LOCAL_RANK=0",
        "RANK=7",
        "OWN=x",
    } <= set(lines)


def test_secrets_stay_secret(make_site: MakeSite) -> None:
    """A secret reaches the job and nothing else: its file is gone, what prints it is blanked."""
    site = make_site(run="echo $TOKEN; env; test $TOKEN = the-pass\\-word", secrets=("TOKEN",))
    (site.path / container.SECRETS).write_text('{"TOKEN": "the-pass-word"}')
    ended = site.run()
    assert ended.code == 0
    assert "TOKEN=***" in ended.screen
    assert not (site.path / container.SECRETS).exists()
    for file in (path for path in site.path.rglob("*") if path.is_file()):
        assert b"the-pass-word" not in file.read_bytes(), file
    assert "the-pass-word" not in ended.screen + ended.errors


@pytest.mark.parametrize(
    ("job", "words"),
    [
        pytest.param(None, "there is no job to run", id="no file"),
        pytest.param("{", "is not a job", id="no JSON"),
        pytest.param("{}", "is not a job", id="no fields"),
        pytest.param("[]", "is not a job", id="a list"),
    ],
)
def test_bad_job_file(job: str | None, words: str, make_site: MakeSite) -> None:
    """A job that cannot be read is one line and code 2."""
    site = make_site(run="true")
    (site.path / container.JOB).unlink()
    if job:
        (site.path / container.JOB).write_text(job)
    ended = site.run()
    assert ended.code == 2
    assert words in ended.errors
    assert "Traceback" not in ended.errors
    assert site.done()["code"] == 2


def test_missing_secret(make_site: MakeSite) -> None:
    """A secret without a value ends the job before it starts, and the event says so."""
    site = make_site(run="echo started", secrets=("TOKEN",))
    ended = site.run()
    assert ended.code == 2
    assert "started" not in ended.screen
    assert "TOKEN" in str(site.events("error")[0]["text"])


def test_gpu_that_is_not_there(make_site: MakeSite) -> None:
    """A script whose GPU was asked for and is missing does not start on a paid CPU."""
    site = make_site(run="true", resources=Resources(gpu=Gpu("RTX 4090")))
    ended = site.run()
    assert ended.code == 6
    assert "RTX 4090" in ended.errors


def test_does_not_run_twice(make_site: MakeSite) -> None:
    """A container that is restarted after its job was done does nothing; a new job runs."""
    site = make_site(run="echo x >> count")
    assert [site.run().code, site.run().code] == [0, 0]
    assert site.read("code/count") == "x\n"
    time.sleep(0.02)
    site.write_job(site.spec)
    assert site.run().code == 0
    assert site.read("code/count") == "x\nx\n"


WORKER = """
import json, os, signal, sys
from pathlib import Path
root = Path(os.environ["LONGSHORE_ROOT"])
micro = int(os.environ.get("LONGSHORE_MICRO_BATCH", 8))
with (root / "outputs/events.jsonl").open("a") as file:
    file.write(json.dumps({"t": 0, "kind": "plan", "micro_batch": micro, "batch_size": 8}) + "\\n")
if micro > int(sys.argv[1]):
    if sys.argv[2] == "device":
        sys.exit(79)
    (root / "memory/memory.oom_control").write_text(f"oom_kill {9 - micro}\\n")
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""A worker that fits in memory with as many sequences at once as its first argument says."""


def shrinking(site: Site, fits: int, where: str) -> Settings:
    (site.path / "memory").mkdir()
    (site.path / "memory/memory.oom_control").write_text("oom_kill 0\n")
    membership = site.path / "cgroup"
    membership.write_text("4:memory:/\n")
    worker = (sys.executable, "-c", WORKER, str(fits), where)
    return Settings(worker=worker, cgroup=Cgroup(site.path, membership))


TRAIN = Train("lora", "model", "data")


@pytest.mark.parametrize("where", ["device", "machine"])
def test_out_of_memory_takes_less_at_once(where: str, make_site: MakeSite) -> None:
    """The micro-batch is halved until it fits; the batch, so what is learned, stays."""
    site = make_site(train=TRAIN)
    assert supervise.main(site.path, shrinking(site, 2, where)) == 0
    assert [plan["micro_batch"] for plan in site.events("plan")] == [8, 4, 2]
    assert {plan["batch_size"] for plan in site.events("plan")} == {8}


@pytest.mark.parametrize("where", ["device", "machine"])
def test_out_of_memory_with_one(
    where: str, make_site: MakeSite, capsys: pytest.CaptureFixture[str]
) -> None:
    """When a single sequence does not fit, one line says so and what helps."""
    site = make_site(train=TRAIN)
    assert supervise.main(site.path, shrinking(site, 0, where)) == 6
    assert site.done()["reason"] == "oom"
    assert "a single sequence does not fit" in capsys.readouterr().err
    assert "sequence_length" in str(site.events("error")[0]["hint"])


def test_killed_without_want_of_memory(make_site: MakeSite) -> None:
    """SIGKILL alone is no sign of missing memory: the job is not run again."""
    site = make_site(train=TRAIN)
    settings = Settings(
        worker=(sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"),
        cgroup=shrinking(site, 0, "").cgroup,
    )
    assert supervise.main(site.path, settings) == 137
    assert site.done()["reason"] == "killed"


def test_own_code_is_no_memory_fault(make_site: MakeSite) -> None:
    """A script may end with any code; only our own worker means memory by 79."""
    site = make_site(run=f"exit {EXIT_OUT_OF_MEMORY}")
    assert supervise.main(site.path) == EXIT_OUT_OF_MEMORY
    assert site.done()["reason"] == "failed"


def test_read_only_root(make_site: MakeSite) -> None:
    """Outputs that cannot be written are one line, not a traceback."""
    site = make_site(run="true")
    (site.path / "outputs").write_text("a file, where a folder should be")
    ended = site.run()
    assert ended.code == 6
    assert "cannot write" in ended.errors
    assert "Traceback" not in ended.errors


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" and os.getpid() != pid
