"""The contract of every provider. A new one adds a function to PLACES and passes it all.

def mine(state: Path, request: pytest.FixtureRequest) -> Place:
    return Place(MyProvider(state, …), need=Need(…))
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from operator import methodcaller
from pathlib import Path
from typing import Literal

import pytest

from longshore.configs import container, jobfile
from longshore.configs.spec import Gpu, JobSpec
from longshore.errors import LongshoreError, MachineLostError
from longshore.providers.base import ENDS, MOVES, Exit, Host, Machine, Need, Order, Provider, State
from longshore.providers.fake import FakeClock, FakeProvider, Faults
from longshore.providers.local import LocalProvider
from longshore.providers.runpod import RunpodProvider
from longshore.providers.wait import wait_until

GPU_OF_NOBODY = Gpu("Voodoo 2", 99)
PENDING = {State.REQUESTED, State.BOOTING}


@dataclass(frozen=True)
class Place:
    """A provider under test, what to ask of it, and how to let time pass there."""

    provider: Provider
    need: Need = field(default_factory=Need)
    image: str | None = None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def fake(state: Path, request: pytest.FixtureRequest) -> Place:
    clock = FakeClock()
    provider = FakeProvider(state, Faults(unseen=1, boots=3), clock)
    return Place(provider, sleep=clock.sleep, clock=clock)


def fake_real(state: Path, request: pytest.FixtureRequest) -> Place:
    return Place(FakeProvider(state, Faults(), real=True))


def local_process(state: Path, request: pytest.FixtureRequest) -> Place:
    return Place(LocalProvider(state), Need(runtime="process"))


def local_docker(state: Path, request: pytest.FixtureRequest) -> Place:
    image = request.getfixturevalue("image")
    return Place(LocalProvider(state), Need(runtime="docker"), image)


def runpod(state: Path, request: pytest.FixtureRequest) -> Place:
    emulator = request.getfixturevalue("runpod")
    image = request.getfixturevalue("pod_image")
    need = Need(gpu=Gpu("RTX 4090"), device="cpu", has_image=True)
    (state / "owner").parent.mkdir(parents=True, exist_ok=True)
    (state / "owner").write_text("tests")
    return Place(RunpodProvider(state, emulator.environment), need, image)


PLACES = [
    pytest.param(fake, id="fake"),
    pytest.param(fake_real, id="fake-real"),
    pytest.param(local_process, id="local-process"),
    pytest.param(local_docker, id="local-docker", marks=pytest.mark.docker),
    pytest.param(runpod, id="runpod", marks=pytest.mark.docker),
]


@pytest.fixture(params=PLACES)
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    made = request.param(tmp_path / "state", request)
    yield made
    for machine in made.provider.list_owned():
        made.provider.tear_down(machine.id)


def order(place: Place, run: str = "contract", attempt: int = 1) -> Order:
    return Order(run=run, attempt=attempt, owner="tests", need=place.need, image=place.image)


def requested(place: Place, run: str = "contract") -> str:
    offer = place.provider.offers(place.need)[0]
    return place.provider.request(offer, order(place, run))


def running(place: Place) -> Machine:
    name = requested(place)
    machine = wait_until(
        lambda: place.provider.look(name),
        pending=PENDING,
        target={State.RUNNING},
        deadline=60,
        unseen=3,
        interval=0.1,
        clock=place.clock,
        sleep=place.sleep,
    )
    assert machine is not None
    return machine


def begun(place: Place, command: str) -> Host:
    host = place.provider.host(running(place))
    host.write(container.JOB, jobfile.dump(JobSpec("contract", run=command)).encode())
    host.start()
    return host


def ended(place: Place, host: Host) -> Exit:
    until = place.clock() + 60
    while place.clock() < until:
        if (end := host.poll()) is not None:
            return end
        place.sleep(0.05)
    pytest.fail("the job did not end")


def test_offers_are_cheapest_first(place: Place) -> None:
    """The first offer is the one to take: nothing after it costs less."""
    prices = [offer.usd_per_hour for offer in place.provider.offers(place.need)]
    assert prices
    assert prices == sorted(prices)


def test_offers_name_their_provider(place: Place) -> None:
    """An offer carries what a plan and a report need: provider, market, and the price's age."""
    for offer in place.provider.offers(place.need):
        assert offer.provider == place.provider.name
        assert offer.as_of is not None
        assert offer.instance


def test_an_unknown_machine_is_none(place: Place) -> None:
    """None, not an error, is the answer for a machine that is not there."""
    assert place.provider.look("longshore-nobody-1") is None


def test_a_request_is_listed_and_looked_at(place: Place) -> None:
    """What was asked for is found again by run and attempt, with the price of its offer."""
    offer = place.provider.offers(place.need)[0]
    name = place.provider.request(offer, order(place))
    (machine,) = place.provider.list_owned()
    assert (machine.id, machine.run, machine.attempt) == (name, "contract", 1)
    assert machine.usd_per_hour == offer.usd_per_hour


def test_a_repeated_request_makes_nothing_new(place: Place) -> None:
    """A request whose answer was lost can be made again: the same name is the same machine."""
    assert requested(place) == requested(place)
    assert len(place.provider.list_owned()) == 1


def test_states_move_as_the_table_says(place: Place) -> None:
    """Each look is reached from the one before along MOVES, up to RUNNING."""
    name, before = requested(place), State.REQUESTED
    for _ in range(20):
        machine = place.provider.look(name)
        if machine is not None:
            assert machine.state is before or machine.state in reachable(before)
            before = machine.state
        if before is State.RUNNING:
            return
        place.sleep(0.1)
    pytest.fail(f"it stayed {before.name}")


def reachable(state: State) -> set[State]:
    found, todo = set[State](), {state}
    while todo:
        todo = {after for one in todo for after in MOVES[one]} - found
        found |= todo
    return found


def test_what_is_written_is_read_back(place: Place) -> None:
    """Whole files go in and come back; a file that is not there reads as empty."""
    host = place.provider.host(running(place))
    host.write("control/lease", b"0123456789")
    assert host.read("control/lease") == b"0123456789"
    assert host.read("control/lease", 4) == b"456789"
    assert host.read("control/lease", 99) == b""
    assert host.read("control/nothing") == b""


def test_put_and_get_keep_a_folder(place: Place, tmp_path: Path) -> None:
    """A folder goes in without what is excluded, and comes back as it was."""
    source, home = tmp_path / "project", tmp_path / "home"
    for name in ("a.py", "sub/b.py", ".git/config"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    host = place.provider.host(running(place))
    host.put(source, "data/project", exclude=(".git",))
    host.put(source / "a.py", "data/single.py")
    host.get("data", home)
    found = sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file())
    assert found == ["project/a.py", "project/sub/b.py", "single.py"]
    assert (home / "project/sub/b.py").read_text() == "sub/b.py"


def test_a_job_runs_to_its_end(place: Place, tmp_path: Path) -> None:
    """Nothing runs before `start`; afterwards come outputs, their manifest, and the exit code."""
    machine = running(place)
    host = place.provider.host(machine)
    assert host.poll() is None
    host.write(container.JOB, jobfile.dump(JobSpec("contract", run="echo hello")).encode())
    host.start()
    host.start()
    assert ended(place, host) == Exit(0)
    host.get(container.OUTPUTS, tmp_path / "outputs")
    manifest = json.loads((tmp_path / container.MANIFEST).read_text())["files"]
    for name, entry in manifest.items():
        assert (tmp_path / "outputs" / name).stat().st_size == entry["bytes"]
    kinds = [json.loads(line)["kind"] for line in host.read(container.EVENTS).splitlines()]
    assert kinds.count("end") == 1
    assert json.loads(host.read(container.DONE))["code"] == 0


def test_the_machine_outlives_its_job(place: Place) -> None:
    """Outputs are fetched after the end, so the machine stays until it is torn down."""
    machine = running(place)
    host = place.provider.host(machine)
    host.write(container.JOB, jobfile.dump(JobSpec("contract", run="true")).encode())
    host.start()
    ended(place, host)
    seen = place.provider.look(machine.id)
    assert seen is not None
    assert seen.state is State.RUNNING


@pytest.mark.parametrize("signal", ["TERM", "KILL"])
def test_a_signal_ends_the_job(place: Place, signal: Literal["TERM", "KILL"]) -> None:
    """TERM asks and KILL ends; either way the job did not come to its own end."""
    host = begun(place, "echo ready; sleep 600")
    while not host.read(container.LOG) and host.poll() is None:
        place.sleep(0.05)
    host.signal(signal)
    assert ended(place, host).code != 0


def test_a_signal_to_an_ended_job_is_nothing(place: Place) -> None:
    """The job may end while one decides to stop it."""
    host = begun(place, "true")
    end = ended(place, host)
    host.signal("TERM")
    host.signal("KILL")
    assert host.poll() == end


def test_tear_down_is_final_and_repeatable(place: Place) -> None:
    """Gone is gone, said twice; to tear down again, or what never was, is fine."""
    host = begun(place, "sleep 600")
    (machine,) = place.provider.list_owned()
    place.provider.tear_down(machine.id)
    place.provider.tear_down(machine.id)
    place.provider.tear_down("longshore-nobody-1")
    for _ in range(2):
        seen = place.provider.look(machine.id)
        assert seen is None or seen.state in ENDS
    assert place.provider.list_owned() == []
    with pytest.raises(MachineLostError):
        host.poll()


REACHES = [
    methodcaller("start"),
    methodcaller("poll"),
    methodcaller("read", container.LOG),
    methodcaller("write", container.LEASE, b""),
    methodcaller("get", container.OUTPUTS, Path("home")),
    methodcaller("signal", "TERM"),
]


@pytest.mark.parametrize("reach", REACHES, ids=str)
def test_a_lost_machine_is_said_so(place: Place, reach: Callable[[Host], object]) -> None:
    """Reaching into a machine that is gone raises our error, and no library's."""
    machine = running(place)
    host = place.provider.host(machine)
    place.provider.tear_down(machine.id)
    with pytest.raises(MachineLostError):
        reach(host)


def test_only_our_errors(place: Place) -> None:
    """What cannot be had is refused with an error that the command line can show."""
    with pytest.raises(LongshoreError) as caught:
        place.provider.offers(replace(place.need, gpu=GPU_OF_NOBODY))
    assert str(caught.value)
