"""The mark of a ledger's machines: made once, the same for every command."""

import subprocess
import sys
from pathlib import Path

import pytest

from longshore.errors import LedgerError
from longshore.runs.owner import owner

PRINT = "from longshore.runs.owner import owner; print(owner())"


def test_the_mark_stays() -> None:
    """Made by the first command, read by all later ones."""
    assert owner() == owner()


def test_two_state_folders_have_two_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same user with another ledger must not end this one's machines."""
    here = owner()
    monkeypatch.setenv("LONGSHORE_STATE", str(tmp_path / "other"))
    assert owner() != here


def test_of_first_commands_at_once_all_read_one_mark() -> None:
    """Whoever comes first makes it; nothing half-made is read, nothing is left over."""
    command = [sys.executable, "-c", PRINT]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert {child.communicate()[0].strip() for child in children} == {owner()}


def test_a_state_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """One line with the path and the way out."""
    (tmp_path / "state").write_text("a file in the way")
    with pytest.raises(LedgerError, match="state") as caught:
        owner()
    assert "LONGSHORE_STATE" in caught.value.hint
