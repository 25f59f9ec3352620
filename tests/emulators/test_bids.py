"""(14) Bids on interruptible pods, as they were: served at a floor, outbid with five seconds."""

import json
import time
from collections.abc import Callable

import pytest

from longshore.emulators.runpod.client import Emulator

from .conftest import GPU, IMAGE, Api, ask, fault, mutate, python, until

pytestmark = pytest.mark.docker
BID = f'{{bidPerGpu: %s, name: "spot", imageName: "{IMAGE}", gpuTypeId: "{GPU}", gpuCount: 1}}'
TERM = """
import signal, time
def end(*_):
    began = time.time()
    while True:
        print("asked", int(time.time() - began), flush=True)
        time.sleep(0.2)
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
while True:
    time.sleep(0.05)
"""


@pytest.mark.parametrize(
    ("bid", "prepare", "served"),
    [
        (0.20, lambda emulator: None, True),
        (0.19, lambda emulator: None, False),
        (0.30, lambda emulator: emulator.set_price(GPU, "COMMUNITY", spot=0.4), False),
        (9.00, lambda emulator: emulator.serve_bids(False), False),
    ],
    ids=["floor", "below", "risen", "withdrawn"],
)
def test_bid(
    paper: Emulator, bid: float, prepare: Callable[[Emulator], None], served: bool
) -> None:
    """Served at its own price when it reaches the floor; where bids are withdrawn, never."""
    paper.set_stock(0, cloud="SECURE")
    prepare(paper)
    answer = mutate(paper, f"podRentInterruptable(input: {BID % bid})", "{ id podType costPerHr }")
    if served:
        assert answer["data"]["podRentInterruptable"]["podType"] == "INTERRUPTABLE"
        assert answer["data"]["podRentInterruptable"]["costPerHr"] == pytest.approx(bid)
    else:
        message, code = fault(answer)
        assert "no instances available with the request specifications" in message
        assert code == "SUPPLY_CONSTRAINT"


def test_outbid_leaves_five_seconds(runpod: Emulator, api: Api) -> None:
    """SIGTERM, five seconds, SIGKILL; EXITED, and `lastStatusChange` says Outbid."""
    args = json.dumps({"cmd": python(TERM)}).replace("\\", "\\\\").replace('"', '\\"')
    order = f'{(BID % 1)[:-1]}, dockerArgs: "{args}"}}'
    answer = mutate(runpod, f"podRentInterruptable(input: {order})")
    pod = answer["data"]["podRentInterruptable"]["id"]
    log = runpod.running.hub.cloud.logs[pod]
    until(lambda: log.tail(1, ("container",)), bool)
    began = time.monotonic()

    runpod.outbid(pod)

    assert api.pod(pod)["status"] == "EXITED"
    until(lambda: [line.text for line in log.lines], lambda lines: "stop container" in lines)
    assert 5 <= time.monotonic() - began < 8
    last = [line.text for line in log.tail(1, ("container",))]
    assert last in (["asked 4"], ["asked 5"])
    query = f'{{ pod(input: {{podId: "{pod}"}}) {{ lastStatusChange }} }}'
    assert ask(runpod, query).json()["data"]["pod"]["lastStatusChange"].startswith("Outbid: ")


def test_outbid_pod_resumes_with_a_bid(paper: Emulator) -> None:
    """`podResume` is refused for it, and `podBidResume` looks at the floor again."""
    pod = mutate(paper, f"podRentInterruptable(input: {BID % 1})")
    name = pod["data"]["podRentInterruptable"]["id"]
    paper.outbid(name)
    resume = f'podBidResume(input: {{podId: "{name}", gpuCount: 1, bidPerGpu: %s}})'

    wrong = mutate(paper, f'podResume(input: {{podId: "{name}", gpuCount: 1}})')
    assert fault(wrong)[0] == "Cannot resume a spot pod as an on demand pod."
    assert fault(mutate(paper, resume % 0.01))[1] == "SUPPLY_CONSTRAINT"
    right = mutate(paper, resume % 0.9)
    assert right["data"]["podBidResume"] == {"id": name, "desiredStatus": "RUNNING"}
    assert paper.running.hub.world.pods[name].cost > 0
