"""The fake provider tells a plausible run, and fails in just the way it is told to."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from longshore.configs import container, jobfile
from longshore.configs.spec import Gpu, JobSpec, Train
from longshore.errors import ConfigError, MachineLostError, NoOfferError, ProviderError
from longshore.providers.base import Exit, Host, Machine, Need, Order, State
from longshore.providers.copying import copy_in
from longshore.providers.fake import FakeClock, FakeProvider, Faults
from longshore.training import manifest

NEED = Need()
ORDER = Order("tale", 1, "tests", NEED)
JOB = JobSpec("tale", train=Train("full", "model", "data"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


Make = Callable[..., FakeProvider]


@pytest.fixture
def make(tmp_path: Path, clock: FakeClock) -> Make:
    def made(**faults: Any) -> FakeProvider:
        return FakeProvider(tmp_path / "state", Faults(**faults), clock)

    return made


def request(provider: FakeProvider, order: Order = ORDER) -> str:
    return provider.request(provider.offers(NEED)[0], order)


def machine_of(provider: FakeProvider, order: Order = ORDER) -> Machine:
    machine = provider.look(request(provider, order))
    assert machine is not None
    return machine


def begun(provider: FakeProvider, spec: JobSpec = JOB, order: Order = ORDER) -> Host:
    host = provider.host(machine_of(provider, order))
    host.write(container.JOB, jobfile.dump(spec).encode())
    host.start()
    return host


def events(host: Host, kind: str = "") -> list[dict[str, Any]]:
    told = [json.loads(line) for line in host.read(container.EVENTS).splitlines()]
    return [event for event in told if kind in ("", event["kind"])]


def test_a_run_is_told_from_start_to_end(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """Every kind of event comes, the loss falls, and what comes home is as the manifest says."""
    host = begun(make())
    assert [event["kind"] for event in events(host)] == ["phase"]
    clock.sleep(2.5)
    assert host.poll() is None
    half = len(events(host, "step"))
    clock.sleep(60)
    assert host.poll() == Exit(0)
    steps = events(host, "step")
    assert 0 < half < len(steps) == 20
    assert steps[-1]["loss"] < steps[0]["loss"] / 2
    kinds = {"phase", "hardware", "plan", "step", "eval", "checkpoint", "end"}
    assert {event["kind"] for event in events(host)} == kinds
    host.get(container.OUTPUTS, tmp_path / "home")
    listed = json.loads((tmp_path / "home" / "MANIFEST.json").read_text())["files"]
    assert set(listed) == {"events.jsonl", "metrics.json", "train.log"}
    assert manifest.fault(tmp_path / "home", listed) == ""


def test_events_tell_when_they_happened(make: Make, clock: FakeClock) -> None:
    """Their times are the script's, however late somebody looked."""
    began = clock.now
    host = begun(make())
    clock.sleep(1000)
    times = [event["t"] for event in events(host)]
    assert times == sorted(times)
    assert began <= times[0] <= times[-1] < began + 10


def test_another_command_goes_on(make: Make, clock: FakeClock) -> None:
    """The story is on the disk: after a kill the next command reads on and nothing twice."""
    host = begun(make())
    clock.sleep(2)
    early = len(events(host))
    clock.sleep(60)
    later = make()
    (machine,) = later.list_owned()
    told = events(later.host(machine))
    assert early < len(told) == len({json.dumps(event) for event in told})


def test_a_stopped_job_saves_and_resumes(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """TERM gives a checkpoint and 75; a second attempt with it goes on with the same losses."""
    host = begun(make())
    clock.sleep(2.5)
    host.signal("TERM")
    assert host.poll() == Exit(container.EXIT_PREEMPTED)
    saved = events(host, "checkpoint")[-1]
    assert saved["why"] == "stop"
    host.get(container.CHECKPOINTS, tmp_path / "saved")

    again = make()
    machine = machine_of(again, replace(ORDER, attempt=2))
    second = again.host(machine)
    second.put(tmp_path / "saved", container.CHECKPOINTS)
    second.write(container.JOB, jobfile.dump(JOB).encode())
    second.start()
    clock.sleep(60)
    assert second.poll() == Exit(0)
    assert events(second, "plan")[0]["resumed_from"] == saved["step"]
    assert events(second, "step")[0]["step"] == saved["step"] + 1


def test_a_kill_saves_nothing(make: Make, clock: FakeClock) -> None:
    """KILL ends it where it is."""
    host = begun(make())
    clock.sleep(2)
    host.signal("KILL")
    clock.sleep(60)
    assert host.poll() == Exit(137)
    assert events(host, "end") == []


def test_the_asked_steps_are_told(make: Make, clock: FakeClock) -> None:
    """A job that says how long it is gets that length."""
    host = begun(make(), JobSpec("tale", train=Train("lora", "m", "d", max_steps=3)))
    clock.sleep(60)
    assert [event["step"] for event in events(host, "step")] == [1, 2, 3]


def test_refused(make: Make) -> None:
    """No capacity for so many requests, then it works."""
    provider = make(refuse=1)
    with pytest.raises(ProviderError, match="no capacity"):
        request(provider)
    assert provider.list_owned() == []
    assert request(provider) == ORDER.name


def test_lost_answer(make: Make) -> None:
    """The machine was made although the request failed: it is listed, and asked for again."""
    provider = make(lose_answer=True)
    with pytest.raises(ProviderError, match="no answer"):
        request(provider)
    (machine,) = provider.list_owned()
    assert request(provider) == machine.id
    assert len(provider.list_owned()) == 1


SEEN = [
    ({}, ["RUNNING"]),
    ({"boots": 3}, ["REQUESTED", "BOOTING", "BOOTING", "RUNNING"]),
    ({"unseen": 2, "boots": 1}, [None, None, "REQUESTED", "RUNNING"]),
    ({"reject": True}, ["REQUESTED", "REFUSED"]),
]


@pytest.mark.parametrize(("faults", "states"), SEEN)
def test_looks(make: Make, faults: dict[str, Any], states: list[str | None]) -> None:
    """What look after look says."""
    provider = make(**faults)
    name = request(provider)
    looks = [provider.look(name) for _ in states]
    assert [machine.state.name if machine else None for machine in looks] == states


def test_stuck(make: Make) -> None:
    """A tear-down that fails leaves a state that others see, and works when tried again."""
    provider = make(stuck=2)
    name = request(provider)
    for _ in range(2):
        provider.tear_down(name)
        (machine,) = make().list_owned()
        assert machine.state is State.STUCK
    provider.tear_down(name)
    assert provider.look(name) is None


def test_vanished(make: Make, clock: FakeClock) -> None:
    """It is gone without a word: unknown, unlisted, and out of reach."""
    provider = make(vanish_after=2)
    host = begun(provider)
    clock.sleep(1)
    assert host.poll() is None
    clock.sleep(1)
    assert provider.look(ORDER.name) is None
    assert provider.list_owned() == []
    with pytest.raises(MachineLostError):
        host.read(container.EVENTS)


def test_preempted(make: Make, clock: FakeClock) -> None:
    """A spot machine warns its job, which saves; a little later the machine is gone."""
    provider = make(preempt_after=2)
    host = begun(provider)
    clock.sleep(2.5)
    assert host.poll() == Exit(container.EXIT_PREEMPTED)
    assert events(host, "checkpoint")[-1]["why"] == "stop"
    clock.sleep(2)
    assert provider.look(ORDER.name) is None


def test_failed(make: Make, clock: FakeClock) -> None:
    """The job ends with the code that was wished for, and says that it failed."""
    host = begun(make(exit_code=6))
    clock.sleep(60)
    assert host.poll() == Exit(6)
    assert events(host, "error")[0]["code"] == 6


def test_corrupt(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """An output that is not as listed is there to be found."""
    host = begun(make(corrupt=True))
    clock.sleep(60)
    host.get(container.OUTPUTS, tmp_path / "home")
    listed = json.loads((tmp_path / "home" / "MANIFEST.json").read_text())["files"]
    assert manifest.fault(tmp_path / "home", listed) == "metrics.json is damaged"


def test_faults_come_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A command in a shell can be given a bad day."""
    monkeypatch.setenv("LONGSHORE_FAKE", "boots=1, pace=0.5,reject=0")
    provider = FakeProvider(tmp_path)
    states = [provider.look(request(provider)) for _ in range(2)]
    assert [machine.state for machine in states if machine] == [State.REQUESTED, State.RUNNING]
    expected = Faults(boots=1, pace=0.5)
    assert Faults.of_environment() == expected


@pytest.mark.parametrize(
    ("text", "error", "hint"),
    [
        ("boot=1", "LONGSHORE_FAKE: unknown fault 'boot'", "did you mean 'boots'?"),
        ("boots=soon", "LONGSHORE_FAKE: boots must be a number, not 'soon'", ""),
    ],
)
def test_slips_in_the_environment(text: str, error: str, hint: str) -> None:
    """A slip in the variable is told as one in a file would be."""
    with pytest.raises(ConfigError) as caught:
        Faults.of_environment({"LONGSHORE_FAKE": text})
    assert (str(caught.value), caught.value.hint) == (error, hint)


OFFERS = [
    (Need(), ["0.12"]),
    (Need(spot="only"), ["0.04"]),
    (Need(spot="prefer"), ["0.04", "0.12"]),
    (Need(gpu=Gpu("RTX 4090", 2)), ["1.38"]),
    (Need(gpu=Gpu("RTX 4090", 2), spot="prefer", bid=Decimal("0.50")), ["0.68", "1.38"]),
    (Need(gpu=Gpu("A100-80GB-SXM")), ["1.89"]),
]


@pytest.mark.parametrize(("need", "prices"), OFFERS)
def test_offers(make: Make, need: Need, prices: list[str]) -> None:
    """Market and count decide; the price is for the whole machine, the bid is for the plan."""
    assert [str(offer.usd_per_hour) for offer in make().offers(need)] == prices


def test_no_offer(make: Make) -> None:
    """What the list has not is answered with what it has."""
    with pytest.raises(NoOfferError, match="nothing fake fits T4") as caught:
        make().offers(Need(gpu=Gpu("T4")))
    assert caught.value.hint == "there are: A100-80GB-SXM, H100-SXM, RTX 4090"


def test_a_copy_of_its_checkpoint_is_whole(make: Make, clock: FakeClock, tmp_path: Path) -> None:
    """Its checkpoints are committed like real ones: every file listed with its sum."""
    host = begun(make())
    clock.sleep(60)
    host.get(container.CHECKPOINTS, tmp_path / "saved")
    copy_in(tmp_path / "saved", tmp_path / "copy")
    newest = max((tmp_path / "copy").iterdir())
    mark = json.loads((newest / container.COMMITTED).read_text())
    assert mark["step"] == 20
    assert manifest.fault(newest, mark["files"]) == ""
