"""A project and a user's folder that belong to one test."""

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str, str], Path]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with nothing of this machine's user around it."""
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LONGSHORE_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("LONGSHORE_ENV", raising=False)
    return folder


@pytest.fixture
def write(project: Path) -> Write:
    """Writes a file, by its path from the project: `../config` is the user's folder."""

    def file(path: str, text: str) -> Path:
        target = project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    return file
