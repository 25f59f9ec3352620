"""(11) Network volumes."""

from pathlib import Path
from typing import Any

import pytest

from longshore.emulators.runpod.client import Emulator

from .conftest import Api, python, until

pytestmark = pytest.mark.docker


def volume(api: Api, **changes: Any) -> str:
    body = {"name": "data", "size": 10, "dataCenter": "US-KS-2"} | changes
    return str(api.http.post("/network-volumes", json=body).json()["id"])


def mounted(name: str) -> dict[str, Any]:
    return {"network": [{"volumeId": name, "path": "/data"}]}


def test_volume_pins_the_data_center(forms: Api) -> None:
    """A pod with it lands where it is, and nowhere else."""
    name = volume(forms)
    assert forms.create(mounts=mounted(name))["dataCenterId"] == "US-KS-2"
    elsewhere = forms.ask(mounts=mounted(name), dataCenterIds=["EU-RO-1"])
    assert elsewhere.status_code == 400
    assert forms.ask(mounts=mounted(name), cloud="COMMUNITY").status_code == 400
    assert forms.ask(mounts=mounted("nothing")).status_code == 404


def test_one_volume_for_a_pod(forms: Api) -> None:
    """Two are 422, and one cannot be attached later."""
    two = {"network": mounted(volume(forms))["network"] * 2}
    assert forms.ask(mounts=two).status_code == 422
    pod = forms.create()["id"]
    late = forms.http.patch(f"/pods/{pod}", json={"mounts": mounted(volume(forms))})
    assert late.status_code == 400


def test_volume_in_use_stays(forms: Api) -> None:
    """It can be deleted only when no pod has it, stopped ones included."""
    name = volume(forms)
    pod = forms.create(mounts=mounted(name))["id"]
    forms.act(pod, "stop")
    assert forms.http.delete(f"/network-volumes/{name}").status_code == 400

    forms.http.delete(f"/pods/{pod}")

    assert forms.http.delete(f"/network-volumes/{name}").status_code == 204
    assert forms.http.get(f"/network-volumes/{name}").status_code == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"dataCenter": "US-TX-3"}, 400), ({"size": 9}, 422), ({"size": 4097}, 422)],
)
def test_volume_that_cannot_be_made(desk: Api, changes: dict[str, Any], status: int) -> None:
    """Not everywhere and not of any size; the refusal lists the places that have them."""
    body = {"name": "data", "size": 10, "dataCenter": "US-KS-2"} | changes
    answer = desk.http.post("/network-volumes", json=body)
    assert answer.status_code == status
    assert status == 422 or "US-KS-2" in answer.json()["detail"]


def test_volume_grows_only(forms: Api) -> None:
    """A smaller size is refused."""
    name = volume(forms, size=20)
    assert forms.http.patch(f"/network-volumes/{name}", json={"size": 10}).status_code == 400
    assert forms.http.patch(f"/network-volumes/{name}", json={"size": 30}).json()["size"] == 30


def test_volume_outlives_pods_and_emulators(engine: None, tmp_path: Path) -> None:
    """What one pod wrote another reads, even after the emulator was started anew."""
    write = python("open('/data/kept', 'w').write('here'); import time; time.sleep(1e6)")
    with Emulator(state=tmp_path) as first:
        api = Api(first)
        name = volume(api)
        pod = api.create(cmd=write, mounts=mounted(name))["id"]
        until((tmp_path / "volumes" / name / "kept").exists, bool)
        api.http.delete(f"/pods/{pod}")
        api.http.close()
    with Emulator(state=tmp_path) as second:
        api = Api(second)
        read = python("print(open('/data/kept').read()); import time; time.sleep(1e6)")
        pod = api.create(cmd=read, mounts=mounted(name))["id"]
        log = second.running.hub.cloud.logs[pod]
        lines = until(lambda: log.tail(9, ("container",)), bool)
        assert [line.text for line in lines] == ["here"]
        api.http.close()
