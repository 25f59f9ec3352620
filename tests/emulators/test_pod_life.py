"""The life of an emulated pod, as RunPod's pods live (containers are real)."""

import time

import pytest

from longshore.emulators.runpod.client import Emulator

from .conftest import GPU, Api, banner, python, until

pytestmark = pytest.mark.docker
WRITER = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for folder in ("/container-disk", "/keep"):
    path = pathlib.Path(folder, "boots")
    path.parent.mkdir(exist_ok=True)
    path.write_text((path.read_text() if path.exists() else "") + "x")
    print(folder, len(path.read_text()))
while True:
    time.sleep(0.1)
"""
KEEP = {"persistent": {"size": 10, "path": "/keep"}}


def printed(runpod: Emulator, pod: str) -> list[str]:
    """What the pod's container printed so far."""
    lines = runpod.running.hub.cloud.logs[pod].lines
    return [line.text for line in lines if line.source == "container"]


def seen(api: Api, pod: str) -> list[str]:
    """What a client sees of a boot, each thing once and in order."""
    found: list[str] = []

    def look() -> str:
        now = api.pod(pod)
        ports = now["runtime"] and now["runtime"]["ports"]
        words: list[str] = [now["status"]]
        words += ["ports"] * bool(ports) + ["sshd"] * bool(banner(now))
        if not found or found[-1] != words[-1]:
            found.append(words[-1])
        return words[-1]

    until(look, lambda word: word == "sshd")
    return found


def test_boot_comes_in_steps(runpod: Emulator, api: Api) -> None:
    """(1) 201 in PROVISIONING; then STARTING, RUNNING, its ports and its sshd, in this order."""
    runpod.set_timeline(starting=0.3, running=0.7, ports=1.1, sshd=1.5)

    pod = api.create()

    assert (pod["status"], pod["runtime"], pod["startedAt"]) == ("PROVISIONING", None, None)
    assert seen(api, pod["id"]) == ["PROVISIONING", "STARTING", "RUNNING", "ports", "sshd"]


@pytest.mark.parametrize(
    ("stage", "actions", "refused"),
    [
        ("PROVISIONING", {"stop", "terminate"}, {"start", "restart"}),
        ("STARTING", {"stop", "terminate"}, {"start", "restart"}),
        ("RUNNING", {"stop", "restart", "terminate"}, {"start"}),
    ],
)
def test_actions_depend_on_the_status(
    runpod: Emulator, api: Api, stage: str, actions: set[str], refused: set[str]
) -> None:
    """(2) `actions` tells what may be asked now; anything else is 409."""
    runpod.never_boot(stage)
    pod = api.wait(api.create()["id"], lambda pod: pod["status"] == stage)

    assert set(pod["actions"]) == actions
    assert [api.act(pod["id"], action).status_code for action in refused] == [409] * len(refused)


def test_stopped_pod_can_be_started_only(forms: Api) -> None:
    """(2) An EXITED pod allows start and terminate; `reset` is no action at all."""
    pod = forms.create()["id"]
    stopped = forms.act(pod, "stop").json()

    assert (stopped["status"], stopped["actions"]) == ("EXITED", ["start", "terminate"])
    assert forms.act(pod, "stop").status_code == 409
    assert forms.act(pod, "reset").status_code == 422


def test_container_that_ends_is_run_again(runpod: Emulator, api: Api) -> None:
    """(3) The pod stays RUNNING, and its uptime begins anew."""
    pod = api.create(cmd=python("print('once', flush=True); import time; time.sleep(1e6)"))["id"]
    api.wait(pod, lambda pod: pod["runtime"] is not None)
    until(lambda: printed(runpod, pod), lambda lines: len(lines) == 1)
    runpod.advance(500)
    assert api.pod(pod)["runtime"]["uptime"] >= 500

    runpod.crash(pod)

    api.wait(pod, lambda pod: pod["runtime"] and pod["runtime"]["uptime"] < 100)
    assert api.pod(pod)["status"] == "RUNNING"
    until(lambda: printed(runpod, pod), lambda lines: lines == ["once", "once"])


def test_command_that_cannot_run_is_tried_for_ever(runpod: Emulator, api: Api) -> None:
    """(3) A bad start command is billed on; only the system log tells."""
    pod = api.create(cmd=["/no/such/program"])["id"]
    log = runpod.running.hub.cloud.logs[pod]

    until(lambda: [line.text for line in log.lines], lambda lines: "no such file" in str(lines))
    assert api.wait(pod, lambda pod: pod["status"] == "RUNNING")["cost"] > 0


def test_stop_keeps_the_volume_only(runpod: Emulator, api: Api) -> None:
    """(4) A stop wipes the container disk; the volume stays, and is there after the start."""
    pod = api.create(cmd=python(WRITER), mounts=KEEP)["id"]
    until(lambda: printed(runpod, pod), lambda lines: len(lines) == 2)
    api.wait(pod, lambda pod: pod["status"] == "RUNNING")

    assert api.act(pod, "stop").json()["runtime"] is None
    assert api.act(pod, "start").json()["status"] == "PROVISIONING"

    lines = until(lambda: printed(runpod, pod), lambda lines: len(lines) == 4)
    assert lines == ["/container-disk 1", "/keep 1", "/container-disk 1", "/keep 2"]


def test_restart_is_a_fresh_container(runpod: Emulator, api: Api) -> None:
    """(4) A restart wipes the container disk as well."""
    pod = api.create(cmd=python(WRITER), mounts=KEEP)["id"]
    api.wait(pod, lambda pod: pod["status"] == "RUNNING")
    until(lambda: printed(runpod, pod), lambda lines: len(lines) == 2)

    assert api.act(pod, "restart").status_code == 200

    lines = until(lambda: printed(runpod, pod), lambda lines: len(lines) == 4)
    assert lines[2:] == ["/container-disk 1", "/keep 2"]


def test_port_moves_with_every_start(runpod: Emulator, api: Api) -> None:
    """(4) After a start the old port is shown, though it is dead, and only later the new one."""
    pod = api.ready()
    old = pod["ssh"]["direct"]["port"]
    runpod.set_timeline(stale=0.5)
    api.act(pod["id"], "stop")
    api.act(pod["id"], "start")

    stale = api.wait(pod["id"], lambda pod: pod["ssh"]["direct"])
    assert (stale["ssh"]["direct"]["port"], banner(stale)) == (old, b"")
    fresh = api.wait(pod["id"], lambda pod: banner(pod))
    assert fresh["ssh"]["direct"]["port"] != old


def test_start_needs_its_own_machine(paper: Emulator, forms: Api) -> None:
    """(4) A start fails when the GPUs of that place were rented to somebody else."""
    pod = forms.create(dataCenterIds=["US-KS-2"])["id"]
    forms.act(pod, "stop")
    paper.set_stock(0, gpu=GPU, data_center="US-KS-2")

    answer = forms.act(pod, "start")

    assert answer.status_code == 400
    assert "not enough free GPUs on the host machine" in answer.json()["detail"]
    assert forms.pod(pod)["status"] == "EXITED"


@pytest.mark.parametrize("way", ["action", "delete"])
def test_terminated_pod_is_gone(paper: Emulator, forms: Api, way: str) -> None:
    """(5) 204 without a body; then 404, and absent from the list."""
    pod = forms.create()["id"]

    answer = forms.act(pod, "terminate") if way == "action" else forms.http.delete(f"/pods/{pod}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert forms.http.get(f"/pods/{pod}").status_code == 404
    assert forms.http.get("/pods").json()["pods"] == []
    assert paper.leaked() == []


def test_termination_takes_the_container_and_its_volume(runpod: Emulator, api: Api) -> None:
    """(5) Nothing of the pod is left on this machine."""
    pod = api.ready(mounts=KEEP)["id"]
    ground = runpod.running.hub.cloud.ground
    folder = ground.state / "pods" / pod
    boot = runpod.running.hub.cloud.boots[pod]
    assert folder.is_dir()

    api.http.delete(f"/pods/{pod}")

    until(folder.exists, lambda there: not there)
    assert ground.engine.address(boot.container, 22) is None


def test_stop_gives_ten_seconds(runpod: Emulator, api: Api) -> None:
    """A container hears SIGTERM, and can use what is left of ten seconds."""
    program = """
import signal, sys, time
def end(*_):
    print("asked")
    time.sleep(0.5)
    print("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("up")
while True:
    time.sleep(0.05)
"""
    pod = api.create(cmd=python(program))["id"]
    until(lambda: printed(runpod, pod), lambda lines: lines == ["up"])
    began = time.monotonic()

    assert api.act(pod, "stop").json()["status"] == "EXITED"

    assert time.monotonic() - began < 5
    until(lambda: printed(runpod, pod), lambda lines: lines == ["up", "asked", "saved"])


def test_edit_of_a_running_pod_makes_it_anew(runpod: Emulator, api: Api) -> None:
    """PATCH of what concerns the container restarts it; a new name does not."""
    pod = api.ready()["id"]
    assert api.http.patch(f"/pods/{pod}", json={"name": "other"}).json()["status"] == "RUNNING"

    program = python("print('new'); import time; time.sleep(1e6)")
    edited = api.http.patch(f"/pods/{pod}", json={"cmd": program}).json()

    assert (edited["name"], edited["status"]) == ("other", "STARTING")
    until(lambda: printed(runpod, pod), lambda lines: lines == ["new"])


def test_pods_can_take_long_without_anybody_waiting(forms: Api, paper: Emulator) -> None:
    """The clock can be skipped, so that hours pass at once."""
    paper.set_timeline(starting=3600, running=7200, ports=7300, sshd=7400)
    pod = forms.create(cmd=python("import time; time.sleep(1e6)"))["id"]
    paper.advance(3500)
    assert forms.pod(pod)["status"] == "PROVISIONING"
    paper.advance(200)
    forms.wait(pod, lambda pod: pod["status"] == "STARTING")
    paper.advance(3600)
    forms.wait(pod, lambda pod: pod["status"] == "RUNNING")


def test_list_holds_what_lives(forms: Api) -> None:
    """Stopped pods stay in the list."""
    one, other = forms.create()["id"], forms.create()["id"]
    forms.act(one, "stop")
    assert {pod["id"] for pod in forms.http.get("/pods").json()["pods"]} == {one, other}
