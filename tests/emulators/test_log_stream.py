"""(8) A pod's logs as Server-Sent Events, with their awkwardness."""

import json
from collections.abc import Iterator

import httpx
import pytest

from longshore.emulators.runpod.client import Emulator
from longshore.emulators.runpod.faults import Fault

from .conftest import Api, python, until

pytestmark = pytest.mark.docker
COUNT = python("for n in range(5): print('line', n)\nimport time; time.sleep(1e6)")


def events(answer: httpx.Response) -> Iterator[tuple[str, str, str]]:
    """(id, source, line) of each event."""
    name = ""
    for line in answer.iter_lines():
        if line.startswith("id: "):
            name = line.removeprefix("id: ")
        if line.startswith("data: "):
            data = json.loads(line.removeprefix("data: "))
            yield name, data["source"], data["line"]


def read(api: Api, pod: str, count: int, query: str = "", last: str = "") -> list[tuple[str, ...]]:
    """The first events of a stream that never ends."""
    headers = {"Last-Event-ID": last} if last else {}
    with api.http.stream("GET", f"/pods/{pod}/logs?{query}", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        found = events(answer)
        return [next(found) for _ in range(count)]


@pytest.fixture
def counting(runpod: Emulator, api: Api) -> str:
    """A pod whose container has printed five lines."""
    pod = str(api.create(cmd=COUNT)["id"])
    until(lambda: runpod.running.hub.cloud.logs[pod].tail(9, ("container",)), lambda got: got[4:])
    return pod


def test_nothing_comes_before_the_first_line(forms: Api) -> None:
    """Not even headers: a client that waits for them waits."""
    pod = forms.create()["id"]
    with (
        pytest.raises(httpx.ReadTimeout),
        forms.http.stream("GET", f"/pods/{pod}/logs", timeout=0.2),
    ):
        pytest.fail("headers came without a line")


def test_stream_does_not_end(api: Api, counting: str) -> None:
    """After the last line the connection stays, also when the pod is stopped."""
    api.act(counting, "stop")
    with api.http.stream("GET", f"/pods/{counting}/logs?source=container", timeout=0.2) as answer:
        found = events(answer)
        assert [line for _, _, line in (next(found) for _ in range(5))][-1] == "line 4"
        with pytest.raises(httpx.ReadTimeout):
            next(found)


def test_lines_come_as_they_are_printed(runpod: Emulator, api: Api) -> None:
    """A stream that is open gets what comes later."""
    pod = api.create(cmd=COUNT)["id"]
    assert [line for _, _, line in read(api, pod, 5, "source=container")] == [
        f"line {number}" for number in range(5)
    ]


def test_stream_resumes_after_an_id(api: Api, counting: str) -> None:
    """`Last-Event-ID` beats `tail`."""
    first = read(api, counting, 2, "source=container")
    resumed = read(api, counting, 3, "source=container&tail=1", last=first[-1][0])
    assert [line for _, _, line in resumed] == ["line 2", "line 3", "line 4"]


def test_tail_is_per_source(api: Api, counting: str) -> None:
    """`tail=1` gives one line of the container and one of the system."""
    last = read(api, counting, 2, "tail=1")
    assert [source for _, source, _ in last] == ["system", "container"]
    assert last[1][2] == "line 4"


def test_system_log_tells_why_there_is_no_container(runpod: Emulator, api: Api) -> None:
    """A missing image shows as EXITED, and only here as what it is."""
    pod = api.create(image="127.0.0.1:9/longshore/none:1", cmd=None)["id"]
    api.wait(pod, lambda pod: pod["status"] == "EXITED")
    _, source, line = read(api, pod, 1)[0]
    assert source == "system"
    assert line.startswith(("IMAGE_PULL_ERROR", "IMAGE_NOT_FOUND"))


def test_stream_can_break_in_the_middle(runpod: Emulator, api: Api, counting: str) -> None:
    """A cut stream gives what came before, and then fails."""
    runpod.fault(Fault("cut", path=r"/v2/pods/\w+/logs", after=150))
    with api.http.stream("GET", f"/pods/{counting}/logs?source=container") as answer:
        found = events(answer)
        assert next(found)[2] == "line 0"
        with pytest.raises(httpx.RemoteProtocolError):
            next(found)


def test_logs_of_nobody(forms: Api) -> None:
    """404 for a pod that is gone."""
    assert forms.http.get("/pods/nobody/logs").status_code == 404
