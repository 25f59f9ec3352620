"""Copies arrive whole, keep what is equal, and never reach beyond their folder."""

import os
from pathlib import Path

import pytest

from longshore.errors import SyncError
from longshore.providers.copying import copy_home, copy_in, remove


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text("a")
    return folder


def names(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def test_what_is_equal_is_kept(source: Path, tmp_path: Path) -> None:
    """A second copy leaves equal files as they are and brings the changed ones."""
    target = tmp_path / "target"
    copy_home(source, target)
    before = (target / "sub/a.txt").stat().st_ino
    os.utime(source / "sub/a.txt", (1, 1))
    (source / "b.txt").write_text("b")
    copy_home(source, target)
    assert (target / "sub/a.txt").stat().st_ino == before
    (source / "sub/a.txt").write_text("A")
    os.utime(source / "sub/a.txt", (2, 2))
    copy_home(source, target)
    assert (target / "sub/a.txt").read_text() == "A"
    assert names(target) == ["b.txt", "sub/a.txt"]


def test_links_inside_stay_links(source: Path, tmp_path: Path) -> None:
    """A link to a neighbour comes home as one, also where the job wrote the path it saw."""
    (source / "near").symlink_to("sub/a.txt")
    (source / "seen").symlink_to("/longshore/outputs/sub")
    target = tmp_path / "target"
    copy_home(source, target, [("/longshore/outputs", source)])
    assert (target / "near").readlink() == Path("sub/a.txt")
    assert (target / "seen").readlink() == Path("sub")


@pytest.mark.parametrize("text", ["/etc/passwd", "../secret", "sub/../../secret", "loop/../.."])
def test_links_that_lead_out_are_refused(source: Path, tmp_path: Path, text: str) -> None:
    """A job cannot make us copy, or later write to, what is not its own; the rest arrives."""
    (tmp_path / "secret").write_text("secret")
    (source / "loop").symlink_to(".")
    (source / "out").symlink_to(text)
    with pytest.raises(SyncError, match="links that lead out of it were left: out"):
        copy_home(source, tmp_path / "target")
    assert names(tmp_path / "target") == ["loop", "sub/a.txt"]


def test_a_link_of_an_earlier_copy_is_not_written_through(source: Path, tmp_path: Path) -> None:
    """Where a link has become a folder, its files go there and not to where the link led."""
    target = tmp_path / "target"
    (source / "latest").symlink_to("sub")
    copy_home(source, target)
    (source / "latest").unlink()
    (source / "latest").mkdir()
    (source / "latest" / "a.txt").write_text("new")
    copy_home(source, target)
    assert (target / "sub/a.txt").read_text() == "a"
    assert (target / "latest/a.txt").read_text() == "new"


def test_the_users_own_link_is_followed(source: Path, tmp_path: Path) -> None:
    """A folder that the user has put on another disk by a link stays there."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "sub").symlink_to(tmp_path / "disk")
    copy_home(source, tmp_path / "target")
    assert names(tmp_path / "disk") == ["a.txt"]


def test_what_is_no_file_is_passed_over(source: Path, tmp_path: Path) -> None:
    """A pipe that a job left does not hold the copy up."""
    os.mkfifo(source / "pipe")
    copy_home(source, tmp_path / "target")
    assert names(tmp_path / "target") == ["sub/a.txt"]


def test_data_behind_links_travels(source: Path, tmp_path: Path) -> None:
    """On the way in, a link out of the folder brings what it leads to; circles end."""
    disk = tmp_path / "disk"
    (disk / "more").mkdir(parents=True)
    (disk / "big.bin").write_text("big")
    (disk / "back").symlink_to(source)
    (source / "data").symlink_to(disk)
    (source / "big").symlink_to(disk / "big.bin")
    (source / "near").symlink_to("sub/a.txt")
    (source / "nowhere").symlink_to("nothing")
    copy_in(source, tmp_path / "target")
    assert names(tmp_path / "target") == ["big", "data/big.bin", "near", "nowhere", "sub/a.txt"]
    assert not (tmp_path / "target" / "big").is_symlink()
    assert (tmp_path / "target" / "near").readlink() == Path("sub/a.txt")


@pytest.mark.parametrize("copy", [copy_in, copy_home])
def test_a_missing_source_is_named(copy: type, tmp_path: Path) -> None:
    """Nothing to copy is a fault with the path."""
    with pytest.raises(SyncError, match="nothing-here: No such file"):
        copy(tmp_path / "nothing-here", tmp_path / "target")


def test_a_target_that_takes_no_files_is_named(source: Path, tmp_path: Path) -> None:
    """What the disk says is told with the path."""
    (tmp_path / "target").touch()
    with pytest.raises(SyncError, match=r"target/sub/a\.txt: Not a directory"):
        copy_home(source, tmp_path / "target")


def test_a_full_disk_is_told_with_what_to_do(source: Path, small_disk: Path) -> None:
    """A disk that is full is named with the file that did not fit, and no part of it is left."""
    (source / "big.bin").write_bytes(b"x" * 3 * 1024**2)
    with pytest.raises(SyncError, match=r"big\.bin: No space left on device") as caught:
        copy_home(source, small_disk / "home")
    assert caught.value.hint == "free some space on that disk"
    assert "big.bin" not in " ".join(names(small_disk))


def test_a_folder_that_forbids_it_is_removed(tmp_path: Path) -> None:
    """A job may take away its own right to write; its files go nevertheless, others' stay."""
    work, other = tmp_path / "work", tmp_path / "other"
    (work / "shut").mkdir(parents=True)
    other.mkdir()
    (work / "shut" / "file").touch()
    (work / "shut" / "link").symlink_to(other)
    (work / "shut").chmod(0o500)
    remove(work)
    remove(work)
    assert not work.exists()
    assert other.exists()
