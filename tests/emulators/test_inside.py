"""What a container finds inside an emulated pod."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from longshore.emulators.runpod.client import Emulator
from longshore.emulators.runpod.inside import command

from .conftest import GPU, Api, python, until

pytestmark = pytest.mark.docker
TELL = python("import json, os, time; print(json.dumps(dict(os.environ))); time.sleep(1e6)")
OWN_END = """
import json, os, time, urllib.error, urllib.request
def ask(query, path="/graphql", key=os.environ["RUNPOD_API_KEY"]):
    request = urllib.request.Request(
        os.environ["RUNPOD_API_BASE_URL"] + path,
        json.dumps({"query": query}).encode(),
        {"Authorization": "Bearer " + key, "Content-Type": "application/json"},
    )
    try:
        return json.load(urllib.request.urlopen(request, timeout=10))
    except urllib.error.HTTPError as error:
        return error.code
own = os.environ["RUNPOD_POD_ID"]
print(ask("{ myself { id } }")["errors"][0]["message"])
print(ask('mutation { podTerminate(input: {podId: "other"}) }')["errors"][0]["message"])
print(ask("", path="/v2/pods"), ask("{ myself { id } }", key="rpa_emulated"))
print("data" in ask('mutation { podStop(input: {podId: "%s"}) { id } }' % own))
time.sleep(60)
"""


def printed(runpod: Emulator, pod: str, count: int) -> list[str]:
    """The first lines of its container."""
    log = runpod.running.hub.cloud.logs[pod]
    lines = until(lambda: log.tail(100, ("container",)), lambda lines: len(lines) >= count)
    return [line.text for line in lines]


def variables(runpod: Emulator, pod: str) -> dict[str, str]:
    """The environment of its container."""
    return dict(json.loads(printed(runpod, pod, 1)[0]))


def test_provided_variables(runpod: Emulator, api: Api) -> None:
    """RunPod's own: the pod's id, place, GPUs, public address and scoped key."""
    pod = api.create(cmd=TELL, gpu={"id": GPU, "count": 2}, env={"OWN": 'a "b" $c'})["id"]
    found = variables(runpod, pod)
    shown = api.wait(pod, lambda pod: pod["ssh"]["direct"])["ssh"]["direct"]

    assert found["RUNPOD_POD_ID"] == pod
    assert (found["RUNPOD_GPU_COUNT"], found["RUNPOD_DC_ID"]) == ("2", "EU-RO-1")
    assert found["RUNPOD_PUBLIC_IP"] == shown["host"]
    assert found["RUNPOD_TCP_PORT_22"] == str(shown["port"])
    assert found["RUNPOD_API_KEY"] not in ("", runpod.key)
    assert found["OWN"] == 'a "b" $c'


def test_secret_is_put_in_at_boot(runpod: Emulator, api: Api) -> None:
    """`{{ RUNPOD_SECRET_x }}` becomes its value, which no answer shows."""
    secret = {"name": "token", "value": "hidden"}
    assert "hidden" not in api.http.post("/account/secrets", json=secret).text
    assert api.http.post("/account/secrets", json=secret).status_code == 409

    pod = api.create(cmd=TELL, env={"T": "<{{ RUNPOD_SECRET_token }}>"})

    assert pod["env"] == {"T": "<{{ RUNPOD_SECRET_token }}>"}
    assert variables(runpod, pod["id"])["T"] == "<hidden>"


@pytest.mark.parametrize(
    ("keys", "wanted"), [([], None), (["ssh-ed25519 A", "ssh-rsa B"], "ssh-ed25519 A\nssh-rsa B")]
)
def test_start_ssh(runpod: Emulator, api: Api, keys: list[str], wanted: str | None) -> None:
    """(10) All keys of the account, a line each; without any it does nothing, silently."""
    assert api.http.put("/account/ssh-keys", json={"keys": keys}).json() == {"keys": keys}
    pod = api.create(cmd=TELL, startSsh=True)["id"]
    assert variables(runpod, pod).get("PUBLIC_KEY") == wanted


def test_own_public_key_wins(runpod: Emulator, api: Api) -> None:
    """(10) PUBLIC_KEY of the pod's own env is left as it is."""
    api.http.put("/account/ssh-keys", json={"keys": ["ssh-ed25519 A"]})
    pod = api.create(cmd=TELL, startSsh=True, env={"PUBLIC_KEY": "mine"})["id"]
    assert variables(runpod, pod)["PUBLIC_KEY"] == "mine"


def test_pod_ends_itself_by_graphql_only(runpod: Emulator, api: Api) -> None:
    """(14) Its own key stops that pod; it reads nothing, ends no other, and opens no REST."""
    pod = api.create(cmd=python(OWN_END))["id"]
    lines = printed(runpod, pod, 4)

    assert lines == ["Unauthorized", "Unauthorized", "403 401", "True"]
    assert api.pod(pod)["status"] == "EXITED"
    key = runpod.running.hub.world.pods[pod].key
    answer = httpx.get(f"{runpod.url}/v2/pods", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["detail"]) == (403, "access denied")


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ("", (None, None)),
        ("bash -c 'echo \"a b\"'", (None, ["bash", "-c", 'echo "a b"'])),
        ('{"entrypoint":["sh"],"cmd":["-c","true"]}', (["sh"], ["-c", "true"])),
        ('{"cmd":["true"]}', (None, ["true"])),
        ('"{}"', (None, ["{}"])),
    ],
)
def test_args(args: str, wanted: tuple[list[str] | None, list[str] | None]) -> None:
    """A bare string is CMD, split as by a shell; JSON holds both parts."""
    assert command(args) == wanted


class Closed(BaseHTTPRequestHandler):
    """A registry that knows one user, and no image."""

    def do_GET(self) -> None:
        allowed = self.headers.get("Authorization") == "Basic bWU6d29yZA=="
        unknown = b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'
        body = unknown if allowed and self.path != "/v2/" else b""
        self.send_response(401 if not allowed else 404 if body else 200)
        self.send_header("WWW-Authenticate", 'Basic realm="closed"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def closed() -> Iterator[str]:
    """The address of a registry that wants a password."""
    with HTTPServer(("127.0.0.1", 0), Closed) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("login", "fault"), [(None, "IMAGE_AUTH_ERROR"), ("word", "IMAGE_NOT_FOUND")]
)
def test_image_that_cannot_be_had(
    runpod: Emulator, api: Api, closed: str, login: str | None, fault: str
) -> None:
    """The stored credentials are used; the system log says which fault it was."""
    registry = None
    if login:
        body = {"name": "closed", "username": "me", "password": login}
        registry = api.http.post("/registries", json=body).json()["id"]
    pod = api.create(image=f"{closed}/job@sha256:{'0' * 64}", registry=registry)["id"]

    api.wait(pod, lambda pod: pod["status"] == "EXITED")

    log = runpod.running.hub.cloud.logs[pod].lines
    assert [line.text.split(":")[0] for line in log] == [fault]


def test_registry_in_use_stays(forms: Api) -> None:
    """Credentials cannot be deleted while a pod uses them."""
    body = {"name": "hub", "username": "me", "password": "word"}
    registry = forms.http.post("/registries", json=body).json()["id"]
    pod = forms.create(registry=registry)["id"]

    assert forms.http.delete(f"/registries/{registry}").status_code == 400
    forms.http.delete(f"/pods/{pod}")
    assert forms.http.delete(f"/registries/{registry}").status_code == 204
