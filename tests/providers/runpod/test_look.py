"""How a pod looks: its state, its price, and what it waits for."""

from decimal import Decimal
from typing import Any

import pytest

from longshore.providers.base import State
from longshore.providers.remote import Address
from longshore.providers.runpod.api import Api
from longshore.providers.runpod.looking import Looker

from .conftest import Clock
from .pods import DIRECT, FRAME, pod
from .server import Reply, Server, problem

LOG = "GET /v2/pods/abc123/logs"


@pytest.mark.parametrize(
    ("facts", "greets", "state", "detail"),
    [
        ({"status": "PROVISIONING"}, True, State.BOOTING, ""),
        ({"status": "STARTING"}, True, State.BOOTING, ""),
        ({"status": "RUNNING"}, True, State.BOOTING, ""),
        ({"status": "RUNNING", "ssh": DIRECT}, False, State.BOOTING, ""),
        ({"status": "RUNNING", "ssh": DIRECT}, True, State.RUNNING, ""),
        ({"status": "EXITED"}, True, State.STOPPED, "image not found"),
        ({"status": "ERROR"}, True, State.STOPPED, "image not found"),
        ({"status": "HIBERNATING"}, True, State.BOOTING, ""),
    ],
)
def test_states(
    server: Server,
    api: Api,
    facts: dict[str, Any],
    greets: bool,
    state: State,
    detail: str,
) -> None:
    """RUNNING is said once its sshd greets; a stopped pod tells why by its system log."""
    server.on("GET /v2/pods/abc123", Reply(200, pod(**facts)))
    server.on(LOG, FRAME)
    machine = Looker(api, greets=lambda address, seconds: greets).look("abc123")
    assert machine is not None
    assert (machine.state, machine.detail) == (state, detail)
    assert (machine.run, machine.attempt) == ("quick-otter", 1)


@pytest.mark.parametrize("reply", [problem(404), Reply(200, pod(status="TERMINATED"))])
def test_what_is_gone_is_none(server: Server, api: Api, reply: Reply) -> None:
    """A pod that RunPod does not know, or has ended, is no machine."""
    server.on("GET /v2/pods/abc123", reply)
    assert Looker(api).look("abc123") is None
    assert Looker(api).look("") is None


def test_a_long_boot_says_what_it_waits_for(server: Server, api: Api, clock: Clock) -> None:
    """After a quarter of a minute the system log's last line is shown, and not before."""
    server.on("GET /v2/pods/abc123", Reply(200, pod(status="STARTING")))
    server.on(LOG, FRAME)
    looker = Looker(api, clock)
    seen = []
    for _ in range(3):
        machine = looker.look("abc123")
        assert machine is not None
        seen.append(machine.detail)
        clock.sleep(10)
    assert seen == ["", "", "image not found"]
    assert server.calls(LOG)[0].query == {"source": "system", "tail": "1"}


def test_each_address_is_greeted_once(server: Server, api: Api) -> None:
    """A machine that runs is not knocked at again, until its port has moved."""
    moved = {"direct": {"host": "127.0.0.1", "port": 10023}}
    first, second = (Reply(200, pod(ssh=ssh)) for ssh in (DIRECT, moved))
    server.on("GET /v2/pods/abc123", first, first, second)
    knocked: list[Address] = []

    def greets(address: Address, seconds: float) -> bool:
        knocked.append(address)
        return True

    looker = Looker(api, greets=greets)
    for _ in range(3):
        looker.look("abc123")
    assert [address.port for address in knocked] == [10022, 10023]


@pytest.mark.parametrize(
    ("facts", "usd"), [({}, "0.7"), ({"status": "EXITED", "cost": 0.0}, "0.02")]
)
def test_what_it_costs_now(server: Server, api: Api, facts: dict[str, Any], usd: str) -> None:
    """RunPod's own figure; of a stopped pod its volume, 73 GB at 0.20 USD a month."""
    server.on("GET /v2/pods/abc123", Reply(200, pod(**facts)))
    machine = Looker(api).look("abc123")
    assert machine is not None
    assert machine.usd_per_hour == Decimal(usd)


@pytest.mark.parametrize(
    "reply", [problem(500), Reply(cut=True), Reply(200, raw=b"data: {\n\n"), Reply(200)]
)
def test_a_silent_log_hides_nothing(server: Server, api: Api, reply: Reply) -> None:
    """Without a reason the state itself is one."""
    server.on("GET /v2/pods/abc123", Reply(200, pod(status="EXITED")))
    server.on(LOG, reply)
    machine = Looker(api).look("abc123")
    assert machine is not None
    assert machine.detail == "EXITED"
