"""What is for rent is told live where an account is at hand, else by the bundled prices."""

import json

import pytest

from longshore.configs import folders
from longshore.emulators.runpod.client import Emulator

from .conftest import Shell

ASK = ("offers", "--gpu", "RTX 4090", "--provider", "runpod", "--spot", "never", "--json")


@pytest.mark.docker
def test_an_account_makes_offers_live(
    shell: Shell, runpod: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the stock of this moment."""
    for name, value in runpod.environment.items():
        monkeypatch.setenv(name, value)
    found = json.loads(shell(*ASK).out)
    assert {offer["source"] for offer in found} <= {"live", "cache"}
    assert all(offer["stock"] for offer in found)


def test_without_an_account_prices_are_bundled(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is asked, and each price is dated."""
    monkeypatch.setenv("RUNPOD_API_KEY", "")
    found = json.loads(shell(*ASK).out)
    assert {offer["source"] for offer in found} == {"bundled"}


@pytest.mark.docker
def test_a_key_that_is_refused_is_said(
    shell: Shell, runpod: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not passed over in favour of older prices."""
    monkeypatch.setenv("RUNPOD_API_BASE_URL", runpod.url)
    monkeypatch.setenv("RUNPOD_API_KEY", "rpa_of_somebody_else")
    done = shell(*ASK)
    assert done.code == 4
    assert "key" in done.err


def test_a_dry_run_shows_what_would_be_asked_for(shell: Shell) -> None:
    """The whole request, and nothing is made for it: no key pair, no run."""
    done = shell("deploy", "--provider", "runpod", "--gpu", "RTX 4090:2", "--dry-run")
    request = done.out.partition("request: ")[2].partition("\nout: ")[0].partition("\nin: ")[0]
    sent = json.loads(request)
    assert (sent["gpu"]["count"], sent["ports"]) == (2, ["22/tcp"])
    assert not (folders.state() / "keys").exists()
    assert not (folders.state() / "ledger.db").exists()
