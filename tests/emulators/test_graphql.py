"""(14) The GraphQL side, with RunPod's own SDK as its client where that knows how."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from longshore.emulators.runpod.client import Emulator
from longshore.emulators.runpod.faults import Fault

from .conftest import GPU, IMAGE, Api, banner, python, until

pytestmark = pytest.mark.docker
NO_CAPACITY = "There are no longer any instances available with the requested specifications."
BID = f'{{bidPerGpu: %s, name: "spot", imageName: "{IMAGE}", gpuTypeId: "{GPU}", gpuCount: 1}}'
SDK = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import runpod
runpod.api_key = os.environ["RUNPOD_API_KEY"]
found = {}
try:
    exec(sys.stdin.read())
except Exception as error:
    found["error"] = [type(error).__name__, str(error)]
print(json.dumps(found))
"""
LIFE = f"""
import time
found["gpus"] = len(runpod.get_gpus())
found["gpu"] = runpod.get_gpu("{GPU}")
made = runpod.create_pod("sdk", "{IMAGE}", "{GPU}", ports="22/tcp", env={{"A": "b"}},
    volume_in_gb=20, docker_args="sleep 1000")
found["made"] = made
found["first"] = runpod.get_pod(made["id"])
while not (pod := runpod.get_pod(made["id"]))["runtime"]:
    time.sleep(0.1)
found["running"] = pod
found["stopped"] = runpod.stop_pod(made["id"])
found["after"] = runpod.get_pod(made["id"])
found["resumed"] = runpod.resume_pod(made["id"], 1)
runpod.terminate_pod(made["id"])
found["left"] = runpod.get_pods()
found["nobody"] = runpod.get_pod(made["id"])
found["user"] = runpod.get_user()
runpod.terminate_pod(made["id"])
"""
NO = f"""
try:
    runpod.get_user(api_key="other")
except Exception as error:
    found["key"] = type(error).__name__
runpod.create_pod("sdk", "{IMAGE}", "{GPU}")
"""
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


def sdk(emulator: Emulator, program: str) -> dict[str, Any]:
    """What a program that uses RunPod's SDK found; in a process of its own, for its imports."""
    words = [sys.executable, "-c", SDK]
    env = os.environ | emulator.environment
    done = subprocess.run(words, input=program, env=env, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def ask(emulator: Emulator, query: str, key: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {emulator.key if key is None else key}"}
    return httpx.post(
        f"{emulator.url}/graphql", json={"query": query}, headers=headers if key != "" else {}
    )


def mutate(emulator: Emulator, call: str, fields: str = "{ id desiredStatus }") -> dict[str, Any]:
    return dict(ask(emulator, f"mutation {{ {call} {fields} }}").json())


def fault(answer: dict[str, Any]) -> tuple[str, str | None]:
    """(message, code) of the first error."""
    error = answer["errors"][0]
    return error["message"], error.get("extensions", {}).get("code")


def test_life_of_a_pod_by_the_sdk(runpod: Emulator) -> None:
    """RunPod's SDK 1.12 finds GPUs, makes a pod, stops, resumes and terminates it."""
    found = sdk(runpod, LIFE)

    assert found["gpus"] == 46
    assert (found["gpu"]["securePrice"], found["gpu"]["communityPrice"]) == (0.69, 0.34)
    assert found["gpu"]["lowestPrice"] == {"minimumBidPrice": 0.2, "uninterruptablePrice": 0.34}
    assert found["made"]["env"] == ["A=b"]
    assert (found["first"]["desiredStatus"], found["first"]["runtime"]) == ("RUNNING", None)
    port = found["running"]["runtime"]["ports"][0]
    assert (port["privatePort"], port["isIpPublic"], port["type"]) == (22, True, "tcp")
    assert found["stopped"]["desiredStatus"] == "EXITED"
    assert found["after"]["lastStatusChange"].startswith("Exited by user: ")
    assert found["resumed"]["desiredStatus"] == "RUNNING"
    assert (found["left"], found["nobody"]) == ([], None)
    assert found["user"]["id"]
    assert found["error"] == ["QueryError", "pod not found to terminate"]


def test_what_the_sdk_is_told(paper: Emulator) -> None:
    """401 for a key that never was; no capacity by its text."""
    paper.set_stock(0)

    found = sdk(paper, NO)

    assert found["key"] == "AuthenticationError"
    kind, words = found["error"]
    assert (kind, words.startswith(NO_CAPACITY)) == ("QueryError", True)


def test_no_capacity_has_a_code(paper: Emulator) -> None:
    """200 with errors, and SUPPLY_CONSTRAINT, which REST does not have."""
    paper.set_stock(0)
    order = f'podFindAndDeployOnDemand(input: {{imageName: "x", gpuTypeId: "{GPU}"}})'
    answer = ask(paper, f"mutation {{ {order} {{ id }} }}")

    assert answer.status_code == 200
    message, code = fault(answer.json())
    assert (message.startswith(NO_CAPACITY), code) == (True, "SUPPLY_CONSTRAINT")
    assert answer.json()["errors"][0]["path"] == ["podFindAndDeployOnDemand"]


def test_no_capacity_can_be_a_null(paper: Emulator) -> None:
    """The other way in which RunPod says it: no pod, and no error."""
    null = '{"data":{"podFindAndDeployOnDemand":null}}'
    deploy = "podFindAndDeployOnDemand"
    paper.fault(Fault(status=200, body=null, path="/graphql", contains=deploy))
    assert mutate(paper, f'{deploy}(input: {{imageName: "x"}})') == json.loads(null)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ pod(input: {podId: 5}) { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ bogus }", "GRAPHQL_VALIDATION_FAILED"),
        ('mutation { podBidResume(input: {podId: "x", bidPerGpu: 1}) { id } }', None),
        ('mutation { podStop(input: {podId: "a "quoted" b"}) { id } }', "GRAPHQL_PARSE_FAILED"),
    ],
)
def test_query_that_does_not_fit(desk: Api, query: str, code: str | None) -> None:
    """400 for unknown fields, missing inputs and broken quotes."""
    answer = desk.http.post(desk.http.base_url.join("/graphql"), json={"query": query})
    assert answer.status_code == 400
    assert fault(answer.json())[1] == (code or "GRAPHQL_VALIDATION_FAILED")


def test_nobody_sees_gpu_types_only(paper: Emulator) -> None:
    """Without a key `myself` is null, and the catalog is open."""
    answer = ask(paper, "{ myself { id } gpuTypes { id } }", key="").json()
    assert answer["data"]["myself"] is None
    assert len(answer["data"]["gpuTypes"]) == 46


def test_balance(paper: Emulator, forms: Api) -> None:
    """What REST does not tell: the balance, and what is spent an hour."""
    paper.set_balance(12)
    forms.create()
    fields = "clientBalance currentSpendPerHr pods { id }"
    found = ask(paper, f"{{ myself {{ {fields} }} }}").json()["data"]["myself"]
    assert found["clientBalance"] == pytest.approx(12, abs=0.01)
    assert found["currentSpendPerHr"] == pytest.approx(0.69, abs=0.01)
    assert len(found["pods"]) == 1


def test_stopped_pod_shows_stale_ports(runpod: Emulator, api: Api) -> None:
    """EXITED, and for a while still with the ports that it had."""
    runpod.set_timeline(stale=30)
    pod = api.ready()["id"]
    mutate(runpod, f'podStop(input: {{podId: "{pod}"}})')
    query = f'{{ pod(input: {{podId: "{pod}"}}) {{ desiredStatus runtime {{ ports {{ ip }} }} }} }}'

    stale = ask(runpod, query).json()["data"]["pod"]
    assert (stale["desiredStatus"], len(stale["runtime"]["ports"])) == ("EXITED", 1)
    runpod.advance(60)
    assert ask(runpod, query).json()["data"]["pod"]["runtime"] is None


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


def test_pods_of_both_sides_are_the_same(runpod: Emulator, api: Api) -> None:
    """What REST made GraphQL terminates."""
    pod = api.ready()
    answer = ask(runpod, f'mutation {{ podTerminate(input: {{podId: "{pod["id"]}"}}) }}')
    assert answer.json() == {"data": {"podTerminate": None}}
    assert api.http.get(f"/pods/{pod['id']}").status_code == 404
    until(lambda: banner(pod), lambda said: not said)
