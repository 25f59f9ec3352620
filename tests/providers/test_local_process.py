"""The process runtime: whatever happens to the command, its job can be found and ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from longshore.configs import container, jobfile
from longshore.configs.spec import JobSpec
from longshore.errors import MachineLostError, ProviderError
from longshore.providers.base import Bind, Exit, Host, Machine, Need, Order, State
from longshore.providers.local import LocalProvider, tree

NEED = Need(runtime="process")
ORDER = Order(run="solo", attempt=1, owner="tests", need=NEED)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[LocalProvider]:
    made = LocalProvider(tmp_path)
    yield made
    for machine in made.list_owned():
        made.tear_down(machine.id)


def machine_of(provider: LocalProvider, order: Order = ORDER) -> Machine:
    name = provider.request(provider.offers(NEED)[0], order)
    machine = provider.look(name)
    assert machine is not None
    return machine


def begun(provider: LocalProvider, command: str) -> tuple[Machine, Host]:
    machine = machine_of(provider)
    host = provider.host(machine)
    host.write(container.JOB, jobfile.dump(JobSpec("solo", run=command)).encode())
    host.start()
    return machine, host


def wait_for(path: Path) -> str:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if path.exists() and (text := path.read_text()):
            return text
        time.sleep(0.02)
    pytest.fail(f"{path} did not come")


def exit_of(host: Host) -> Exit:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if (end := host.poll()) is not None:
            return end
        time.sleep(0.02)
    pytest.fail("it did not end")


PARENT = """
import sys, time
from pathlib import Path
from longshore.providers.base import Need, Order
from longshore.providers.local import LocalProvider
provider, need = LocalProvider(Path(sys.argv[1])), Need(runtime="process")
name = provider.request(provider.offers(need)[0], Order("orphan", 1, "tests", need))
host = provider.host(provider.look(name))
host.write("job.json", sys.stdin.buffer.read())
host.start()
time.sleep(600)
"""
FAMILY = """
setsid sh -c 'echo $$ > $LONGSHORE_ROOT/outputs/own-session; sleep 600' &
sleep 600 & echo $! > $LONGSHORE_ROOT/outputs/child; wait
"""


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
def test_a_killed_command_leaves_nothing_that_is_not_found(tmp_path: Path) -> None:
    """After kill -9 the next command lists the job, and ends it with all its children."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, tmp_path], stdin=subprocess.PIPE)
    assert parent.stdin
    parent.stdin.write(jobfile.dump(JobSpec("orphan", run=FAMILY)).encode())
    parent.stdin.close()
    outputs = tmp_path / "machines" / "longshore-orphan-1" / container.OUTPUTS
    pids = [int(wait_for(outputs / name)) for name in ("child", "own-session")]
    parent.kill()
    parent.wait()

    later = LocalProvider(tmp_path)
    (machine,) = later.list_owned()
    assert (machine.run, machine.state) == ("orphan", State.RUNNING)
    assert later.host(machine).poll() is None
    assert all(tree.birth(pid) for pid in pids)
    later.tear_down(machine.id)
    assert not any(tree.birth(pid) for pid in pids)
    assert later.list_owned() == []
    assert not outputs.exists()


def test_another_command_sees_how_it_ended(provider: LocalProvider, tmp_path: Path) -> None:
    """The exit code is in the job's own account, for a command that is not its parent."""
    machine, host = begun(provider, "exit 3")
    assert exit_of(host) == Exit(3)
    assert LocalProvider(tmp_path).host(machine).poll() == Exit(3)


def test_a_killed_entrypoint_is_told_from_one_that_ended(
    provider: LocalProvider, tmp_path: Path
) -> None:
    """Who died without an account was killed, for its parent and for others alike."""
    machine, host = begun(provider, "sleep 600")
    record = json.loads((tmp_path / "machines" / f"{machine.id}.json").read_text())
    os.kill(record["pid"], signal.SIGKILL)
    assert exit_of(host) == Exit(137)
    assert LocalProvider(tmp_path).host(machine).poll() == Exit(137)


def test_an_entrypoint_that_cannot_begin_says_why(tmp_path: Path) -> None:
    """The last line that it printed is shown where nothing else tells of the fault."""
    provider = LocalProvider(tmp_path, entrypoint=("python", "-m", "nothing_of_this_name"))
    machine = machine_of(provider)
    host = provider.host(machine)
    host.start()
    assert exit_of(host) == Exit(1)
    seen = provider.look(machine.id)
    assert seen is not None
    assert seen.detail.endswith("No module named nothing_of_this_name")
    provider.tear_down(machine.id)


def test_out_of_memory_is_told(provider: LocalProvider, tmp_path: Path) -> None:
    """The job's own account says when memory ran out."""
    _, host = begun(provider, "true")
    exit_of(host)
    host.write(container.DONE, b'{"code": 6, "reason": "oom", "at": 0}')
    assert host.poll() == Exit(6, out_of_memory=True)


def test_another_process_of_the_same_number_is_left_alone(
    provider: LocalProvider, tmp_path: Path
) -> None:
    """Numbers come round again: only a process born at the recorded time is the job's."""
    machine = machine_of(provider)
    stranger = subprocess.Popen(["sleep", "600"], start_new_session=True)
    path = tmp_path / "machines" / f"{machine.id}.json"
    record = json.loads(path.read_text()) | {"pid": stranger.pid, "started": "long ago"}
    path.write_text(json.dumps(record))
    assert provider.host(machine).poll() == Exit(137)
    provider.tear_down(machine.id)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_failed_tear_down_is_kept_and_tried_again(
    provider: LocalProvider, tmp_path: Path
) -> None:
    """STUCK is a state with its reason, seen by every later command, until it works."""
    machine = machine_of(provider)
    work = tmp_path / "machines" / machine.id
    work.rename(tmp_path / "away")
    work.touch()
    provider.tear_down(machine.id)
    (seen,) = LocalProvider(tmp_path).list_owned()
    assert (seen.state, seen.detail) == (State.STUCK, f"{work}: Not a directory")
    work.unlink()
    provider.tear_down(machine.id)
    assert provider.look(machine.id) is None


def test_binds_and_cache_are_shown(provider: LocalProvider, tmp_path: Path) -> None:
    """What the order binds appears at its place, and the cache is the one kept between runs."""
    data, cache = tmp_path / "train.jsonl", tmp_path / "cache"
    data.write_text("{}")
    order = Order("solo", 1, "tests", NEED, None, (Bind(data, "data/train.jsonl"),), cache)
    machine = machine_of(provider, order)
    host = provider.host(machine)
    host.write("cache/tokens", b"kept")
    assert host.read("data/train.jsonl") == b"{}"
    provider.tear_down(machine.id)
    assert (cache / "tokens").read_bytes() == b"kept"
    assert data.exists()


def test_a_bind_that_is_not_there(provider: LocalProvider, tmp_path: Path) -> None:
    """It is named before anything is made."""
    order = Order("solo", 1, "tests", NEED, None, (Bind(tmp_path / "none", "data/x"),))
    with pytest.raises(ProviderError, match="none to the job: it is not there"):
        machine_of(provider, order)
    assert provider.list_owned() == []


def test_a_removed_work_folder_is_a_lost_machine(provider: LocalProvider, tmp_path: Path) -> None:
    """Whoever clears the state folder gets a clear word, and a tear-down that works."""
    machine = machine_of(provider)
    (tmp_path / "machines" / machine.id).rename(tmp_path / "away")
    with pytest.raises(MachineLostError, match="is gone"):
        provider.host(machine).start()
    provider.tear_down(machine.id)
    assert provider.list_owned() == []


def test_ps_tells_the_same_as_proc() -> None:
    """Where there is no /proc, `ps` finds a process, its children, and its end."""
    command = ["sh", "-c", "sleep 600 & echo $!; wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as shell:
        assert shell.stdout
        child = int(shell.stdout.readline())
        found = tree.ps_members(shell.pid)
        born = tree.ps_birth(shell.pid)
        os.killpg(shell.pid, signal.SIGKILL)
    assert {shell.pid, child} <= found
    assert born
    assert not tree.ps_birth(shell.pid)
    assert tree.ps_members(shell.pid) == set()
