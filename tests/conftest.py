"""No test reads or writes the state or the settings of the user who runs it."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """State and settings in a folder of the test's own."""
    monkeypatch.setenv("LONGSHORE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LONGSHORE_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("LONGSHORE_ENV", raising=False)
