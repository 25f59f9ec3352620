"""An account at a server of our own, and a clock that waits for nobody."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from longshore.providers.runpod import RunpodProvider
from longshore.providers.runpod.api import Api
from longshore.providers.runpod.client import Client
from longshore.providers.runpod.settings import Account

from .pods import lists
from .server import Server

KEY = "rpa_SECRETSECRETSECRET"


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No price of an earlier test, and no key of the user's."""
    monkeypatch.setenv("LONGSHORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def account(server: Server) -> Account:
    return Account(KEY, server.url)


@pytest.fixture
def client(account: Account, clock: Clock) -> Client:
    return Client(account, sleep=clock.sleep, clock=clock)


@pytest.fixture
def api(client: Client) -> Api:
    return Api(client)


@pytest.fixture
def provider(server: Server, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> RunpodProvider:
    """The provider of an account that is set by RunPod's own variables."""
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    monkeypatch.setenv("RUNPOD_API_BASE_URL", server.url)
    return RunpodProvider(sleep=clock.sleep)


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    script = tmp_path / "boot.sh"
    script.write_text("echo boot\n")
    return script


@pytest.fixture
def maker(
    server: Server, clock: Clock, boot: Path, monkeypatch: pytest.MonkeyPatch
) -> RunpodProvider:
    """A provider of an account without pods yet."""
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    monkeypatch.setenv("RUNPOD_API_BASE_URL", server.url)
    server.on("GET /v2/pods", lists())
    return RunpodProvider(boot=boot, sleep=clock.sleep)
