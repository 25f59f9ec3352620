"""A checkpoint counts when it is whole; one that is torn is passed over, and said so."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from longshore.configs.container import COMMITTED
from longshore.training import checkpoint


def draft(folder: Path, step: int) -> Path:
    made = folder / f"checkpoint-{step}"
    (made / "sub").mkdir(parents=True)
    (made / "weights").write_bytes(bytes(range(100)))
    (made / "sub/state").write_text(f"step {step}")
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two committed checkpoints, of steps 90 and 1200000."""
    for step in (1_200_000, 90):
        checkpoint.commit(draft(tmp_path, step), step)
    return tmp_path


def test_commit(folder: Path) -> None:
    """The folder gets its name and a list of all its files; the draft is gone."""
    made = folder / "step-000090"
    committed = json.loads((made / COMMITTED).read_text())
    assert committed["step"] == 90
    assert set(committed["files"]) == {"weights", "sub/state"}
    assert committed["files"]["weights"]["bytes"] == 100
    assert not list(folder.glob("checkpoint-*"))


def test_newest_by_number(folder: Path) -> None:
    """Steps count as numbers, not as text."""
    assert checkpoint.newest(folder) == checkpoint.Checkpoint(folder / "step-1200000", 1_200_000)


def truncate(path: Path) -> None:
    (path / "weights").write_bytes(b"short")


def flip(path: Path) -> None:
    (path / "weights").write_bytes(bytes([1, *range(1, 100)]))


def empty(path: Path) -> None:
    shutil.rmtree(path)
    path.mkdir()


def manifest(content: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        (path / COMMITTED).write_text(content)

    return write


@pytest.mark.parametrize(
    ("tear", "words"),
    [
        pytest.param(lambda path: (path / COMMITTED).unlink(), "never committed", id="uncommitted"),
        pytest.param(empty, "never committed", id="empty"),
        pytest.param(lambda path: (path / "weights").unlink(), "weights is missing", id="missing"),
        pytest.param(truncate, "weights is damaged", id="truncated"),
        pytest.param(flip, "weights is damaged", id="a bit flipped"),
        pytest.param(manifest('{"fi'), "COMMITTED.json is damaged", id="torn manifest"),
        pytest.param(manifest("[]"), "COMMITTED.json is damaged", id="another manifest"),
    ],
)
def test_torn_one_is_passed_over(tear: Callable[[Path], None], words: str, folder: Path) -> None:
    """The newest one that is whole wins, and a warning names what is wrong with the newer."""
    tear(folder / "step-1200000")
    warnings: list[str] = []
    found = checkpoint.newest(folder, warnings.append)
    assert found
    assert found.step == 90
    assert len(warnings) == 1
    assert "step-1200000" in warnings[0]
    assert words in warnings[0]


def test_none(tmp_path: Path) -> None:
    """No folder, or none with a checkpoint's name, is a start from the beginning."""
    (tmp_path / "step-last").mkdir()
    assert checkpoint.newest(tmp_path) is None
    assert checkpoint.newest(tmp_path / "none") is None


def test_prune(folder: Path) -> None:
    """The newest stay; what an earlier crash left half-saved goes."""
    draft(folder, 7)
    checkpoint.prune(folder, 1)
    assert [path.name for path in folder.iterdir()] == ["step-1200000"]


def test_commits_over_a_torn_one(folder: Path) -> None:
    """A step that is made again after a resume replaces what was left of it."""
    flip(folder / "step-000090")
    assert checkpoint.commit(draft(folder, 90), 90).path == folder / "step-000090"
    assert (folder / "step-000090/weights").read_bytes() == bytes(range(100))
