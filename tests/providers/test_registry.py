"""Providers are found by name, and finding one loads nothing that it does not need."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from longshore.errors import ProviderError
from longshore.providers import registry
from longshore.providers.fake import FakeProvider

ROOT = Path(__file__).parents[2]
HEAVY = {"docker", "requests", "rich", "jinja2", "torch", "numpy", "pydantic"}


def test_our_own_use_the_public_door() -> None:
    """The short cut for our own providers says what their entry points say."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"][registry.GROUP] == registry.BUILT_IN


@pytest.mark.parametrize("name", registry.BUILT_IN)
def test_every_name_can_be_made(name: str, tmp_path: Path) -> None:
    """A provider carries the name by which it is found."""
    assert registry.get(name, state=tmp_path).name == name


def test_settings_reach_the_provider(tmp_path: Path) -> None:
    """What `get` is given beside the name makes the provider."""
    assert isinstance(registry.get("fake", state=tmp_path), FakeProvider)
    with pytest.raises(TypeError):
        registry.get("fake", colour="red")


def test_an_unknown_name_is_answered_with_a_near_one() -> None:
    """A slip of the pen is told, with the name that was meant."""
    with pytest.raises(ProviderError) as caught:
        registry.get("locla")
    assert (str(caught.value), caught.value.hint) == (
        "no provider 'locla'",
        "did you mean 'local'?",
    )


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of somebody else's that brings one provider that works and one that does not."""
    info = tmp_path / "harbour-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: harbour\nVersion: 1\n")
    entries = "harbour = harbour_pier:Pier\nsunk = harbour_sunk:Pier\n"
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{entries}")
    (tmp_path / "harbour_pier.py").write_text("class Pier:\n    name = 'harbour'\n")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("third_party")
def test_other_packages_bring_providers() -> None:
    """An installed package adds a provider by an entry point, without a change here."""
    assert registry.get("harbour").name == "harbour"
    assert {"fake", "harbour", "local", "sunk"} <= set(registry.names())


@pytest.mark.usefixtures("third_party")
def test_a_provider_that_cannot_be_loaded_is_named() -> None:
    """A broken package of somebody else's is one line, not a traceback."""
    with pytest.raises(ProviderError, match="the provider 'sunk' cannot be loaded: No module"):
        registry.get("sunk")


@pytest.mark.parametrize("name", registry.BUILT_IN)
def test_a_provider_loads_nothing_heavy(name: str, tmp_path: Path) -> None:
    """Making a provider and asking for offers needs no SDK: a dry run pays for none."""
    code = (
        "import sys; from pathlib import Path; from longshore.providers import base, registry;"
        f"registry.get({name!r}, state=Path({str(tmp_path)!r})).offers(base.Need());"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(done.stdout.split())
