"""Every fault of a cloud that we know of, against a RunPod played here: nothing leaks or is lost.

Each test ends with the same question to the emulator: which pods still cost? And where the job
was allowed to end, its outputs must be whole. The table at the end of the tests shows all of it.
"""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from longshore.emulators.runpod.faults import Fault

from .runpod import Cloud, until

pytestmark = [pytest.mark.docker, pytest.mark.slow]

LAST = 20
PODS = r"/v2/pods"
POD = r"/v2/pods/\w+"


@dataclass(frozen=True)
class Refused:
    """Something that keeps a run from beginning: the exit code, and words of the one line."""

    prepare: Callable[[Cloud], None]
    code: int
    says: str
    words: tuple[str, ...] = ()


def no_key(cloud: Cloud) -> None:
    cloud.variables["RUNPOD_API_KEY"] = ""


def wrong_key(cloud: Cloud) -> None:
    cloud.variables["RUNPOD_API_KEY"] = "rpa_of_somebody_else"


def nothing(cloud: Cloud) -> None:
    """The words of the command are the fault."""


def no_stock(cloud: Cloud) -> None:
    cloud.emulator.set_stock(0)


def nowhere(cloud: Cloud) -> None:
    """Of this kind none is left in any data centre; of others there are."""
    cloud.emulator.set_stock(0, gpu="Tesla V100-SXM2-16GB")


def sold_out_meanwhile(cloud: Cloud) -> None:
    """The catalog still shows it; the create does not find it."""
    cloud.emulator.set_stock(0, shown="HIGH")


def poor(cloud: Cloud) -> None:
    cloud.emulator.set_balance(0.10)


def poor_and_silent(cloud: Cloud) -> None:
    """The balance cannot be asked: the create itself is refused."""
    cloud.emulator.set_balance(0.10)
    cloud.emulator.fault(Fault("answer", "POST", "/graphql", times=9))


def spend_limit(cloud: Cloud) -> None:
    detail = "This pod would put you over your current spending limit."
    cloud.emulator.fault(Fault("answer", "POST", PODS, status=400, detail=detail, times=9))


def no_network(cloud: Cloud) -> None:
    cloud.emulator.fault(Fault("drop", times=10_000))


def refused_request(cloud: Cloud) -> None:
    detail = "Request validation failed."
    cloud.emulator.fault(Fault("answer", "POST", PODS, status=422, detail=detail, times=9))


REFUSED = {
    "no key": Refused(no_key, 4, "no RunPod API key"),
    "wrong key": Refused(wrong_key, 4, "key"),
    "unknown GPU": Refused(nothing, 2, "RTX 4O90", ("--gpu", "RTX 4O90")),
    "GPU in no data centre": Refused(nowhere, 4, "V100", ("--gpu", "V100-16GB")),
    "bid below every price": Refused(nothing, 4, "above the bid", ("--bid-price", "0.01")),
    "no stock anywhere": Refused(no_stock, 4, "4090"),
    "sold out since the catalog": Refused(sold_out_meanwhile, 4, "no longer any instances"),
    "balance too low": Refused(poor, 4, "$0.10"),
    "balance too low, not told before": Refused(poor_and_silent, 4, "balance"),
    "spend limit": Refused(spend_limit, 4, "spending limit"),
    "no network": Refused(no_network, 4, ""),
    "a request that is never right": Refused(refused_request, 4, "validation failed"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_begin_is_one_line_and_costs_nothing(cloud: Cloud, name: str) -> None:
    """What is wrong and what to do, with its exit code; no pod was made."""
    case = REFUSED[name]
    cloud.write()
    case.prepare(cloud)
    code, printed = cloud.ended(cloud.deploy(*case.words))
    assert code == case.code, printed
    assert case.says in printed
    assert "Traceback" not in printed
    assert "hint:" in printed
    assert cloud.pods() == []


def storm(cloud: Cloud) -> None:
    """Every call is told to wait, several times over."""
    retry = {"Retry-After": "1"}
    detail = "rate limit exceeded for the minute window"
    for path in (PODS, POD, r"/v2/catalog/gpus"):
        cloud.emulator.fault(
            Fault("answer", path=path, status=429, detail=detail, headers=retry, times=2)
        )


def server_errors(cloud: Cloud) -> None:
    """One 500 for every kind of call in turn, the create left out: it has cases of its own."""
    for method, path in (
        ("GET", r"/v2/catalog/gpus"),
        ("GET", PODS),
        ("GET", POD),
        ("DELETE", POD),
        ("POST", "/graphql"),
        ("GET", r"/v2/billing/pods"),
    ):
        cloud.emulator.fault(Fault("answer", method, path, status=500))


def cut_calls(cloud: Cloud) -> None:
    """The connection breaks once in every kind of call, before or after it was done."""
    for method, path in (("GET", PODS), ("GET", POD), ("DELETE", POD)):
        cloud.emulator.fault(Fault("drop", method, path))
        cloud.emulator.fault(Fault("lost", method, path))


def lost_create(cloud: Cloud) -> None:
    """It happened, and nobody was told."""
    cloud.emulator.fault(Fault("lost", "POST", PODS))


def late_create(cloud: Cloud) -> None:
    """It happened, and the answer is a gateway's error."""
    cloud.emulator.fault(Fault("cut", "POST", PODS, after=10))


def failed_create(cloud: Cloud) -> None:
    """A gateway's error, and this time nothing was made: the next offer is asked for."""
    cloud.emulator.fault(Fault("answer", "POST", PODS, status=502))


def never_boots(cloud: Cloud) -> None:
    cloud.write(LAST, guards={"boot_timeout": "4s"})
    cloud.emulator.never_boot()


def sick_and_late(cloud: Cloud) -> None:
    cloud.emulator.set_timeline(ports=2.0, sshd=3.0, stale=2.0)


BORNE = {
    "nothing at all": nothing,
    "429 storm": storm,
    "5xx on every call in turn": server_errors,
    "connection cut in every call": cut_calls,
    "create that timed out but happened": lost_create,
    "create whose answer was cut": late_create,
    "create that failed": failed_create,
    "pod that never boots": never_boots,
    "late ports, later sshd": sick_and_late,
}


@pytest.mark.parametrize("name", BORNE)
def test_what_can_be_borne_is_borne(cloud: Cloud, name: str) -> None:
    """The run is done, its outputs are whole, and each pod that was ever made has ended."""
    cloud.write(LAST)
    BORNE[name](cloud)
    code, printed = cloud.ended(cloud.deploy())
    assert code == 0, printed
    assert "(verified)" in printed
    assert cloud.numbers() == list(range(1, LAST + 1))
    assert cloud.pods() == []


def dies(cloud: Cloud, pod: str) -> None:
    cloud.emulator.kill_host(pod, "vanished")


def hangs(cloud: Cloud, pod: str) -> None:
    cloud.emulator.kill_host(pod, "error")


def crashes(cloud: Cloud, pod: str) -> None:
    """PID 1 ends, and RunPod starts the container again: the job must not begin twice in it."""
    cloud.emulator.crash(pod)


def moves(cloud: Cloud, pod: str) -> None:
    cloud.emulator.move_port(pod)


def is_cut(cloud: Cloud, pod: str) -> None:
    cloud.emulator.cut(pod)


def is_stopped(cloud: Cloud, pod: str) -> None:
    """By somebody in the console; its volume stays."""
    cloud.call("POST", f"/pods/{pod}/action", {"action": "stop"})


MEANWHILE = {
    "pod that dies": dies,
    "pod in error": hangs,
    "container that crashes": crashes,
    "ssh port that moves": moves,
    "connection cut while training": is_cut,
    "pod stopped in the console": is_stopped,
}


@pytest.mark.parametrize("name", MEANWHILE)
def test_what_happens_to_a_running_job_loses_nothing(cloud: Cloud, name: str) -> None:
    """It goes on, here or on another pod, and counts every number once."""
    cloud.write(60)
    command = cloud.deploy()
    MEANWHILE[name](cloud, cloud.wait_for_number(12))
    code, printed = cloud.ended(command)
    assert code == 0, printed
    assert cloud.numbers() == list(range(1, 61))
    assert cloud.pods() == []


def test_a_laptop_that_sleeps_for_an_hour_finds_its_job_done(cloud: Cloud) -> None:
    """The job has gone on without it, and waits with what it made."""
    cloud.write(40)
    command = cloud.deploy()
    pod = cloud.wait_for_number(5)
    command.send_signal(signal.SIGSTOP)
    cloud.emulator.cut(pod)
    time.sleep(6)
    cloud.emulator.advance(3600)
    command.send_signal(signal.SIGCONT)
    code, printed = cloud.ended(command)
    assert code == 0, printed
    assert cloud.numbers() == list(range(1, 41))
    assert cloud.pods() == []


def test_a_sync_that_is_cut_goes_on_where_it_was(cloud: Cloud) -> None:
    """Of a large upload what arrived stays there."""
    data = cloud.project / "data"
    data.mkdir()
    (data / "large.bin").write_bytes(os.urandom(1 << 20) * 24)
    cloud.write(LAST, sync={"data": ["data"], "every": "1s"})
    command = cloud.deploy()
    until(lambda: any(pod["status"] == "RUNNING" for pod in cloud.pods()))
    cloud.emulator.cut(cloud.pods()[-1]["id"], after=4 << 20)
    code, printed = cloud.ended(command)
    assert code == 0, printed
    assert cloud.numbers() == list(range(1, LAST + 1))
    assert cloud.pods() == []


def test_two_runs_at_once_share_nothing(cloud: Cloud) -> None:
    """Two jobs, two pods, two sets of outputs; each ends its own pod only."""
    cloud.write(LAST)
    first = cloud.deploy("--set", "name=count-a")
    second = cloud.deploy("--set", "name=count-b")
    ends = [cloud.ended(command) for command in (first, second)]
    assert [code for code, _ in ends] == [0, 0], ends
    homes = list(cloud.project.glob("outputs/count-?-*/numbers.txt"))
    assert [len(home.read_text().split()) for home in homes] == [LAST, LAST]
    assert cloud.pods() == []


@dataclass(frozen=True)
class Call:
    """A kind of call that a run makes, and how many of its kind go before the one meant."""

    method: str
    path: str
    skip: int = 0


CALLS = {
    "catalog": Call("GET", r"/v2/catalog/gpus"),
    "list before create": Call("GET", PODS),
    "create": Call("POST", PODS),
    "first look": Call("GET", POD),
    "third look": Call("GET", POD, skip=2),
    "delete": Call("DELETE", POD),
    "look after delete": Call("GET", POD, skip=30),
}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", CALLS)
def test_a_command_that_ends_in_any_call_leaks_nothing(
    cloud: Cloud, name: str, moment: str, how: signal.Signals
) -> None:
    """Ctrl-C cleans up by itself; after kill -9 one `longshore gc` does."""
    call = CALLS[name]
    cloud.write(3)
    kind = "slow" if moment == "before" else "lost"
    cloud.emulator.fault(Fault(kind, call.method, call.path, skip=call.skip, delay=1.0))
    command = cloud.deploy()
    until(lambda: cloud.faults_left() == 0 or command.poll() is not None)
    command.send_signal(how)
    _, printed = cloud.ended(command)
    cloud.emulator.clear_faults()
    assert "Traceback" not in printed
    if how is signal.SIGKILL:
        code, printed = cloud.run("gc")
        assert code == 0, printed
    assert cloud.pods() == []
    assert cloud.run("ps")[1].startswith("nothing runs")
