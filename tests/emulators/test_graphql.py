"""(14) The GraphQL side, with RunPod's own SDK as its client where that knows how."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from longshore.emulators.runpod.client import Emulator
from longshore.emulators.runpod.faults import Fault

from .conftest import GPU, IMAGE, Api, ask, banner, fault, mutate, until

pytestmark = pytest.mark.docker
NO_CAPACITY = "There are no longer any instances available with the requested specifications."
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


def sdk(emulator: Emulator, program: str) -> dict[str, Any]:
    """What a program that uses RunPod's SDK found; in a process of its own, for its imports."""
    words = [sys.executable, "-c", SDK]
    env = os.environ | emulator.environment
    done = subprocess.run(words, input=program, env=env, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


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


def test_pods_of_both_sides_are_the_same(runpod: Emulator, api: Api) -> None:
    """What REST made GraphQL terminates."""
    pod = api.ready()
    answer = ask(runpod, f'mutation {{ podTerminate(input: {{podId: "{pod["id"]}"}}) }}')
    assert answer.json() == {"data": {"podTerminate": None}}
    assert api.http.get(f"/pods/{pod['id']}").status_code == 404
    until(lambda: banner(pod), lambda said: not said)
