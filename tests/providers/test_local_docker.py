"""The docker runtime: what it asks of the engine, and what it makes of the engine's faults."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from longshore.configs import container, jobfile
from longshore.configs.spec import JobSpec
from longshore.errors import MachineLostError, NoEngineError, ProviderError
from longshore.images.engine import address, connect
from longshore.providers.base import Bind, Exit, Host, Machine, Need, Order, State
from longshore.providers.local import LocalProvider
from longshore.providers.local.creation import ENVIRONMENT, Creation, Mount

if TYPE_CHECKING:
    from docker import DockerClient

NEED = Need(runtime="docker", watts=100.0, usd_per_kwh=Decimal("0.30"))
MIB = 1024**2


def order(image: str | None, need: Need = NEED, binds: tuple[Bind, ...] = ()) -> Order:
    return Order("whale", 1, "tests", need, image, binds)


def test_a_container_is_a_value_first(tmp_path: Path) -> None:
    """All that is asked of the engine can be read before it is asked."""
    (offer,) = LocalProvider(tmp_path).offers(replace(NEED, runtime="process"))
    need = replace(NEED, cpus=1.5, memory=64 * MIB, shm=32 * MIB)
    asked = order("job:1", need, (Bind(tmp_path, "data/set"),))
    creation = Creation.of(offer, asked, "job:1", tmp_path / "whale", ("python",))
    words = creation.arguments()
    assert creation.labels["longshore.run"] == "whale"
    assert creation.labels["longshore.usd_per_hour"] == "0.030"
    assert creation.mounts[-1] == Mount(tmp_path, "data/set", read_only=True)
    assert words["nano_cpus"] == 1_500_000_000
    assert words["mem_limit"] == words["memswap_limit"] == 64 * MIB
    assert words["shm_size"] == 32 * MIB
    assert words["device_requests"] is None
    assert words["init"] is True
    assert words["environment"] == ENVIRONMENT


@pytest.fixture
def client(engine: None) -> Iterator["DockerClient"]:
    made = connect()
    yield made
    made.close()


@pytest.fixture
def provider(engine: None, tmp_path: Path) -> Iterator[LocalProvider]:
    made = LocalProvider(tmp_path)
    yield made
    for machine in made.list_owned():
        made.tear_down(machine.id)


def machine_of(provider: LocalProvider, asked: Order) -> Machine:
    name = provider.request(provider.offers(asked.need)[0], asked)
    machine = provider.look(name)
    assert machine is not None
    return machine


def begun(provider: LocalProvider, asked: Order, command: str) -> Host:
    host = provider.host(machine_of(provider, asked))
    host.write(container.JOB, jobfile.dump(JobSpec("whale", run=command)).encode())
    host.start()
    return host


def exit_of(host: Host) -> Exit:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if (end := host.poll()) is not None:
            return end
        time.sleep(0.05)
    pytest.fail("it did not end")


LIMITS = r"""
python - <<'END'
import json, os, pathlib, tempfile
out = {"uid": os.getuid(), "shm": os.statvfs("/dev/shm").f_blocks * os.statvfs("/dev/shm").f_frsize}
try:
    pathlib.Path("/longshore/data/set/new").touch()
except OSError as error:
    out["data"] = error.strerror
for folder in (os.environ["HOME"], "/longshore/cache", "/longshore/checkpoints"):
    tempfile.TemporaryFile(dir=folder).close()
pathlib.Path("/longshore/outputs/seen.json").write_text(json.dumps(out))
END
"""


@pytest.mark.docker
def test_limits_and_binds_hold(
    provider: LocalProvider, client: "DockerClient", image: str, tmp_path: Path
) -> None:
    """The job gets what was asked for: memory, processors, shm, and data that it cannot change."""
    data = tmp_path / "set"
    data.mkdir()
    need = replace(NEED, cpus=0.5, memory=256 * MIB, shm=32 * MIB)
    host = begun(provider, order(image, need, (Bind(data, "data/set"),)), LIMITS)
    assert exit_of(host) == Exit(0)
    seen = json.loads(host.read("outputs/seen.json"))
    assert seen["uid"] == tmp_path.stat().st_uid
    assert (seen["shm"], seen["data"]) == (32 * MIB, "Read-only file system")
    limits = client.containers.get("longshore-whale-1").attrs["HostConfig"]
    assert (limits["Memory"], limits["NanoCpus"]) == (256 * MIB, 500_000_000)


@pytest.mark.docker
def test_out_of_memory_is_told(image: str, tmp_path: Path) -> None:
    """The kernel's kill for memory is told from other ends."""
    provider = LocalProvider(tmp_path, ("python", "-c", "b'x' * (1 << 30)"))
    machine = machine_of(provider, order(image, replace(NEED, memory=48 * MIB)))
    host = provider.host(machine)
    host.start()
    end = exit_of(host)
    provider.tear_down(machine.id)
    assert end == Exit(137, out_of_memory=True)


@pytest.mark.docker
def test_an_entrypoint_that_cannot_begin_says_why(image: str, tmp_path: Path) -> None:
    """The last line that the container printed is shown where nothing else tells of the fault."""
    provider = LocalProvider(tmp_path, ("python", "-c", "raise SystemExit('no such thing')"))
    machine = machine_of(provider, order(image))
    host = provider.host(machine)
    host.start()
    assert exit_of(host) == Exit(1)
    seen = provider.look(machine.id)
    provider.tear_down(machine.id)
    assert seen is not None
    assert seen.detail == "ended with 1: no such thing"


@pytest.mark.docker
def test_a_killed_container_has_ended(
    provider: LocalProvider, client: "DockerClient", image: str
) -> None:
    """Killed from outside, the job has ended but its files are still there."""
    host = begun(provider, order(image), "sleep 600")
    client.containers.get("longshore-whale-1").kill()
    assert exit_of(host) == Exit(137)
    assert host.read(container.JOB)


@pytest.mark.docker
def test_a_removed_container_is_a_lost_machine(
    provider: LocalProvider, client: "DockerClient", image: str
) -> None:
    """Its files can still be saved; it is listed until someone tears it down."""
    host = begun(provider, order(image), "sleep 600")
    client.containers.get("longshore-whale-1").remove(force=True)
    with pytest.raises(MachineLostError, match="the container longshore-whale-1 is gone"):
        host.poll()
    assert host.read(container.JOB)
    (left,) = provider.list_owned()
    assert left.state is State.TEARING_DOWN
    provider.tear_down(left.id)
    assert provider.look(left.id) is None


@pytest.mark.docker
def test_a_lost_record_is_made_up_by_the_labels(
    provider: LocalProvider, image: str, tmp_path: Path
) -> None:
    """Who clears the state folder leaves a container behind; it is found and removed."""
    machine = machine_of(provider, order(image))
    (tmp_path / "machines" / f"{machine.id}.json").unlink()
    later = LocalProvider(tmp_path)
    assert later.list_owned() == [machine]
    later.tear_down(machine.id)
    assert later.look(machine.id) is None


@pytest.mark.docker
def test_somebody_elses_containers_are_left_alone(
    provider: LocalProvider, image: str, tmp_path: Path
) -> None:
    """Two ledgers may share an engine: neither lists, adopts nor ends what is the other's."""
    other = LocalProvider(tmp_path / "other")
    machine = machine_of(other, order(image))
    assert provider.list_owned() == []
    for reach in (provider.look, provider.tear_down):
        with pytest.raises(ProviderError, match="was made by somebody else"):
            reach(machine.id)
    with pytest.raises(ProviderError, match="was made by somebody else"):
        machine_of(provider, order(image))
    assert other.look(machine.id) == machine
    other.tear_down(machine.id)


@pytest.mark.docker
def test_an_image_that_is_not_here(provider: LocalProvider) -> None:
    """It is named, and so is the command that makes it; the refusal leaves nothing behind."""
    with pytest.raises(ProviderError, match="longshore-test-nothing") as caught:
        machine_of(provider, order("longshore-test-nothing:1"))
    assert caught.value.hint == "build it with `longshore build`"
    assert provider.list_owned() == []


def test_a_machine_without_an_image_is_refused(tmp_path: Path) -> None:
    """The docker runtime has nothing of its own to run."""
    provider = LocalProvider(tmp_path)
    (offer,) = provider.offers(replace(NEED, runtime="process"))
    with pytest.raises(ProviderError, match="has no image"):
        provider.request(replace(offer, instance="docker"), order(None))


class Door:
    """A socket that leads to the engine until it is shut, as when an engine dies."""

    def __init__(self, path: Path) -> None:
        self._inner = address().removeprefix("unix://")
        self._lines: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._is_open = True
        threading.Thread(target=self._serve, daemon=True).start()

    def shut(self) -> None:
        """Cut every line, and every later one as soon as it is made."""
        self._is_open = False
        for line in self._lines:
            _cut(line)

    def close(self) -> None:
        self.shut()
        _cut(self._listener)

    def _serve(self) -> None:
        while True:
            try:
                outer, _ = self._listener.accept()
            except OSError:
                return
            if not self._is_open:
                outer.close()
                continue
            inner = socket.socket(socket.AF_UNIX)
            inner.connect(self._inner)
            self._lines += [outer, inner]
            for pair in ((outer, inner), (inner, outer)):
                threading.Thread(target=_pour, args=pair, daemon=True).start()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


def _pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.mark.docker
def test_an_engine_that_dies_mid_run(
    engine: None, image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our errors only; files can still be read; nothing is forgotten until it is proven gone."""
    state = tmp_path / "state"
    with closing(Door(tmp_path / "engine.sock")) as door, monkeypatch.context() as through:
        through.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
        provider = LocalProvider(state)
        host = begun(provider, order(image), "sleep 600")
        (machine,) = provider.list_owned()
        door.shut()
        for reach in (host.poll, host.start, lambda: host.signal("TERM")):
            with pytest.raises(NoEngineError, match="the Docker engine no longer answers"):
                reach()
        assert host.read(container.JOB)
        with pytest.raises(NoEngineError):
            provider.look(machine.id)
        for again in (provider, LocalProvider(state)):
            with pytest.raises(NoEngineError):
                again.list_owned()
        provider.tear_down(machine.id)
        seen = provider.look(machine.id)
        assert seen is not None
        assert seen.state is State.STUCK
    later = LocalProvider(state)
    assert [machine.state for machine in later.list_owned()] == [State.STUCK]
    later.tear_down(machine.id)
    assert later.list_owned() == []
