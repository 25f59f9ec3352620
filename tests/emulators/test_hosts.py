"""Machines of the emulated RunPod that break."""

import pytest

from longshore.emulators.runpod.client import Emulator

from .conftest import Api, banner, until

pytestmark = pytest.mark.docker
KEEP = {"persistent": {"size": 10, "path": "/keep"}}


def test_host_that_never_boots(runpod: Emulator, api: Api) -> None:
    """A broken host leaves the pod RUNNING without a runtime for ever; it is billed."""
    runpod.never_boot("RUNNING")
    pod = api.wait(api.create()["id"], lambda pod: pod["status"] == "RUNNING")
    runpod.advance(600)

    later = api.pod(pod["id"])
    assert (later["runtime"], later["ssh"]["direct"]) == (None, None)
    assert later["cost"] > 0


@pytest.mark.parametrize(("how", "left"), [("stuck", "RUNNING"), ("error", "ERROR")])
def test_host_that_dies(runpod: Emulator, api: Api, how: str, left: str) -> None:
    """The container and the disk are gone; the pod hangs on."""
    pod = api.ready(mounts=KEEP)
    runpod.kill_host(pod["id"], how)

    after = api.pod(pod["id"])
    assert (after["status"], after["runtime"], banner(pod)) == (left, None, b"")
    folder = runpod.running.hub.cloud.ground.state / "pods" / pod["id"]
    until(folder.exists, lambda there: not there)


def test_host_that_dies_can_take_the_pod_along(paper: Emulator, forms: Api) -> None:
    """A pod can vanish without anybody having asked for it."""
    pod = forms.create()["id"]
    paper.kill_host(pod, "vanished")

    assert forms.http.get(f"/pods/{pod}").status_code == 404
    assert [(each["id"], each["why"][:9]) for each in paper.pods()] == [(pod, "Host died")]
