"""Folders go in and come home whole, by the rules of `copying`, over links that break."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from longshore.configs.container import COMMITTED
from longshore.errors import SyncError, UnreachableError
from longshore.providers.copying import copy_home, copy_in
from longshore.providers.remote import Address, Connection, RemoteHost
from longshore.providers.remote.connection import PARTIAL

from .doubles import Finder, Link

HOSTILE = [
    "a b",
    "line\nbreak",
    "-rf",
    "--delete",
    "'\"$(x)`",
    "ø漢",
    "#hash",
    ";semi",
    "*?[x]",
    "\\n",
    "a:b",
    "\udcff",
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.txt").write_text("a")
    return folder


@pytest.fixture
def far(finder: Finder, link: Link, root: Path) -> Iterator[RemoteHost]:
    """The machine as it is reached over a network that may break."""
    finder.connection = Connection(Address("127.0.0.1", link.port), finder.connection.keys)
    made = RemoteHost(finder, str(root), sleep=lambda _: time.sleep(0.1))
    yield made
    made.close()


def names(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def contents(folder: Path) -> dict[str, str]:
    """What a folder holds: text or where a link leads, and the mode of each file."""
    return {
        name: f"-> {os.readlink(path)}"
        if (path := folder / name).is_symlink()
        else f"{path.read_text()} {path.stat().st_mode:o}"
        for name in names(folder)
    }


PATTERNS = [
    (),
    (".git",),
    ("*.pyc", "/top.txt"),
    ("sub/**/deep.txt",),
    ("**/b*",),
    ("[ab].txt", "c?.txt"),
    ("sub/", "!x"),
    ("sub/*", "c*.txt/", "-x", "/.git"),
    ("?1.txt",),
    ("*",),
    ("/",),
]


@pytest.mark.parametrize("exclude", PATTERNS, ids=str)
def test_what_goes_in_is_what_a_local_copy_holds(
    host: RemoteHost, root: Path, source: Path, tmp_path: Path, exclude: tuple[str, ...]
) -> None:
    """Patterns, modes and links mean the same wherever the machine is."""
    for name in ("top.txt", "c1.txt", ".git/config", "x.pyc", "sub/b.txt", "sub/more/deep.txt"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    (source / "sub/b.txt").chmod(0o751)
    (source / "near").symlink_to("sub/a.txt")
    (source / "nowhere").symlink_to("nothing")
    host.put(source, "data/new/project", exclude)
    copy_in(source, tmp_path / "local", exclude)
    assert contents(root / "data/new/project") == contents(tmp_path / "local")


def test_data_behind_links_travels(
    host: RemoteHost, root: Path, source: Path, tmp_path: Path
) -> None:
    """A link out of the folder brings what it leads to, by the same patterns; circles end."""
    disk = tmp_path / "disk"
    (disk / "more").mkdir(parents=True)
    (disk / "big.bin").write_text("big")
    (disk / "old.pyc").write_text("old")
    (disk / "back").symlink_to(source)
    (source / "data").symlink_to(disk)
    (source / "big").symlink_to(disk / "big.bin")
    (source / "nowhere").symlink_to("nothing")
    host.put(source, "data/project", ("*.pyc",))
    copy_in(source, tmp_path / "local", ("*.pyc",))
    assert contents(root / "data/project") == contents(tmp_path / "local")
    assert names(root / "data/project") == ["big", "data/big.bin", "nowhere", "sub/a.txt"]


def test_a_link_that_means_nothing_there_is_followed(
    host: RemoteHost, root: Path, source: Path
) -> None:
    """Absolute, or by way of the folder's own name: it is inside here, and would dangle there."""
    (source / "absolute").symlink_to(source / "sub/a.txt")
    (source / "by-name").symlink_to("../source/sub/a.txt")
    (source / "sub/self").symlink_to(source / "sub")
    host.put(source, "data")
    assert contents(root / "data") == dict.fromkeys(
        ("absolute", "by-name", "sub/a.txt", "sub/self/a.txt"), "a 100644"
    )


def test_one_file_goes_in_and_comes_home(
    host: RemoteHost, root: Path, source: Path, tmp_path: Path
) -> None:
    """Under the name it is given; what a link leads to is the file."""
    (source / "link").symlink_to("sub/a.txt")
    (source / "sub/a.txt").chmod(0o640)
    host.put(source / "link", "data/deep/b.txt")
    host.get("data/deep/b.txt", tmp_path / "home/c.txt")
    assert contents(root / "data") == {"deep/b.txt": "a 100640"}
    assert contents(tmp_path / "home") == {"c.txt": "a 100640"}


@pytest.mark.parametrize("exclude", [(), ("nothing",)])
def test_names_may_hold_anything(
    host: RemoteHost, root: Path, tmp_path: Path, exclude: tuple[str, ...]
) -> None:
    """No shell, no list of files and no option parser makes something of a name."""
    top = tmp_path / 'it\'s a "100%" $(folder)\n'
    for name in HOSTILE:
        (top / name).mkdir(parents=True)
        (top / name / name).write_text("x")
        (top / name / f"{name}-link").symlink_to(name)
    target = 'data/-it\'s "$(y)" \n: ø'
    host.put(top, target, exclude)
    assert contents(root / target) == contents(top)
    host.get(target, top.with_name("home"))
    assert contents(top.with_name("home")) == contents(top)


def test_what_is_equal_is_kept(host: RemoteHost, root: Path, tmp_path: Path) -> None:
    """A second copy leaves equal files as they are, brings the changed ones, and removes none."""
    (root / "outputs").mkdir()
    (root / "outputs/a").write_text("a")
    (root / "outputs/b").write_text("b")
    home = tmp_path / "home"
    host.get("outputs", home)
    before = (home / "a").stat().st_ino
    (home / "mine").write_text("mine")
    (root / "outputs/b").write_text("longer")
    host.get("outputs", home)
    assert (home / "a").stat().st_ino == before
    assert (home / "b").read_text() == "longer"
    assert names(home) == ["a", "b", "mine"]


def test_links_come_home_as_from_a_local_copy(host: RemoteHost, root: Path, tmp_path: Path) -> None:
    """Links inside are made anew, also where the job wrote the path it saw; those out are told."""
    outputs = root / "outputs"
    (outputs / "sub").mkdir(parents=True)
    (outputs / "sub/a.txt").write_text("a")
    (outputs / "near").symlink_to("sub/a.txt")
    (outputs / "seen").symlink_to(outputs / "sub")
    (outputs / "up").symlink_to("../outputs/sub/a.txt")
    (outputs / "loop").symlink_to(".")
    (outputs / "sub/dangling").symlink_to("later")
    for number, text in enumerate(["/etc/passwd", "../secret", "sub/../../secret", "loop/../.."]):
        (outputs / f"out{number}").symlink_to(text)
    with pytest.raises(SyncError, match="lead out of it were left: out0, out1, out2, out3"):
        host.get("outputs", tmp_path / "home")
    with pytest.raises(SyncError):
        copy_home(outputs, tmp_path / "local")
    assert contents(tmp_path / "home") == contents(tmp_path / "local")
    assert (tmp_path / "home/seen").readlink() == Path("sub")


def test_outputs_on_a_volume_come_home(host: RemoteHost, root: Path, tmp_path: Path) -> None:
    """The pod's folders are links to its volume, and the job may have written either path."""
    volume = tmp_path / "volume" / "outputs"
    (volume / "sub").mkdir(parents=True)
    (volume / "sub/a.txt").write_text("a")
    (root / "outputs").symlink_to(volume)
    (volume / "real").symlink_to(volume / "sub/a.txt")
    (volume / "seen").symlink_to(root / "outputs/sub/a.txt")
    host.get("outputs", tmp_path / "home")
    assert (tmp_path / "home/real").readlink() == Path("sub/a.txt")
    assert (tmp_path / "home/seen").readlink() == Path("sub/a.txt")


def test_a_link_of_an_earlier_copy_is_not_written_through(
    host: RemoteHost, root: Path, tmp_path: Path
) -> None:
    """Where a link has become a folder, its files go there; the user's own link stays followed."""
    outputs, home, disk = root / "outputs", tmp_path / "home", tmp_path / "disk"
    (outputs / "sub").mkdir(parents=True)
    (outputs / "own").mkdir()
    (outputs / "sub/a.txt").write_text("a")
    (outputs / "own/b.txt").write_text("b")
    (outputs / "latest").symlink_to("sub")
    disk.mkdir()
    home.mkdir()
    (home / "own").symlink_to(disk)
    host.get("outputs", home)
    (outputs / "latest").unlink()
    (outputs / "latest").mkdir()
    (outputs / "latest/a.txt").write_text("new")
    host.get("outputs", home)
    assert (home / "sub/a.txt").read_text() == "a"
    assert (home / "latest/a.txt").read_text() == "new"
    assert names(disk) == ["b.txt"]


def test_what_is_no_file_is_passed_over(host: RemoteHost, root: Path, tmp_path: Path) -> None:
    """A pipe or a socket that a job left does not hold the copy up."""
    (root / "outputs").mkdir()
    os.mkfifo(root / "outputs/pipe")
    (root / "outputs/a").touch()
    host.get("outputs", tmp_path / "home")
    assert names(tmp_path / "home") == ["a"]


def test_a_missing_source_is_named(host: RemoteHost, tmp_path: Path) -> None:
    """Nothing to copy is a fault with the path, in both directions."""
    with pytest.raises(SyncError, match="nothing-here: No such file"):
        host.put(tmp_path / "nothing-here", "data")
    with pytest.raises(SyncError, match="nothing-here: No such file"):
        host.get("nothing-here", tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_target_that_takes_no_files_is_named(
    host: RemoteHost, root: Path, source: Path, tmp_path: Path
) -> None:
    """What stands in the way is told with its path."""
    host.put(source, "outputs")
    (tmp_path / "file").touch()
    with pytest.raises(SyncError, match=r"file: .*(Not a directory|File exists)"):
        host.get("outputs", tmp_path / "file")
    with pytest.raises(SyncError, match="source: Is a directory"):
        host.get("outputs/sub/a.txt", source)
    (root / "taken").touch()
    with pytest.raises(SyncError, match="taken: File exists"):
        host.put(source, "taken")


def test_a_full_disk_at_home_is_told_with_what_to_do(
    host: RemoteHost, root: Path, small_disk: Path
) -> None:
    """What fits is there, no part of the rest is left, and the disk to tidy up is ours."""
    (root / "outputs").mkdir()
    (root / "outputs/a").write_text("a")
    (root / "outputs/big").write_bytes(os.urandom(3 * 1024**2))
    with pytest.raises(SyncError, match="No space left on device") as caught:
        host.get("outputs", small_disk / "home")
    assert caught.value.hint == "free some space on that disk"
    assert not [name for name in names(small_disk) if "big" in name]


def test_a_full_disk_there_is_told_with_what_to_do(
    machine: Connection, source: Path, small_disk: Path
) -> None:
    """The machine's disk can be larger next time."""
    (source / "big").write_bytes(os.urandom(3 * 1024**2))
    host = RemoteHost(Finder(machine), str(small_disk))
    with pytest.raises(SyncError, match="No space left on device") as caught:
        host.put(source, "data")
    assert "resources.disk" in caught.value.hint


def test_a_large_file_is_whole(host: RemoteHost, tmp_path: Path) -> None:
    """64 MiB of noise, there and back again."""
    (tmp_path / "big").write_bytes(os.urandom(64 << 20))
    host.put(tmp_path / "big", "data/big")
    host.get("data/big", tmp_path / "home")
    assert subprocess.run(["cmp", tmp_path / "big", tmp_path / "home"], check=False).returncode == 0


@pytest.mark.parametrize("is_folder", [True, False], ids=["folder", "file"])
def test_a_put_that_is_cut_goes_on(
    far: RemoteHost, link: Link, finder: Finder, root: Path, source: Path, is_folder: bool
) -> None:
    """What had arrived is not sent again."""
    big = source / "big"
    big.write_bytes(os.urandom(24 << 20))
    link.limit = 16 << 20
    far.put(source if is_folder else big, "data")
    assert (root / "data/big" if is_folder else root / "data").read_bytes() == big.read_bytes()
    assert max(link.passed) < 20 << 20
    assert sum(link.passed) < 32 << 20
    assert not list(root.rglob(PARTIAL))
    assert finder.calls == 2


def test_a_get_that_is_cut_goes_on(far: RemoteHost, link: Link, root: Path, tmp_path: Path) -> None:
    """Neither is what is home already."""
    (root / "outputs").mkdir()
    (root / "outputs/big").write_bytes(os.urandom(24 << 20))
    link.limit = 16 << 20
    far.get("outputs", tmp_path / "home")
    assert (tmp_path / "home/big").read_bytes() == (root / "outputs/big").read_bytes()
    assert sum(link.passed) < 32 << 20
    assert names(tmp_path / "home") == ["big"]


def test_a_line_that_never_holds_is_given_up(
    far: RemoteHost, link: Link, finder: Finder, source: Path
) -> None:
    """A few tries, then it is the caller's to be patient; the provider was asked each time."""
    far.poll()
    link.limit = 0
    link.cuts_for_good = True
    link.cut()
    with pytest.raises(UnreachableError, match="does not answer"):
        far.put(source, "data")
    assert finder.calls > 1


def test_a_checkpoint_is_committed_at_home_last(
    far: RemoteHost, link: Link, root: Path, tmp_path: Path
) -> None:
    """A copy that is cut for good never leaves half a checkpoint that looks whole."""
    step = root / "checkpoints/step-000120"
    step.mkdir(parents=True)
    (step / COMMITTED).write_text("{}")
    (step / "weights").write_bytes(os.urandom(24 << 20))
    home = tmp_path / "home"
    link.limit = 2 << 20
    link.cuts_for_good = True
    with pytest.raises(UnreachableError):
        far.get("checkpoints", home)
    assert COMMITTED not in [path.name for path in home.rglob("*")]
    link.limit = None
    far.get("checkpoints", home)
    assert names(home) == [f"step-000120/{COMMITTED}", "step-000120/weights"]


def test_a_checkpoint_that_is_made_anew_is_not_whole_until_it_is_home(
    far: RemoteHost, link: Link, root: Path, tmp_path: Path
) -> None:
    """What said so of the old one goes before the first file of the new one comes."""
    step, home = root / "checkpoints/step-000120", tmp_path / "home"
    step.mkdir(parents=True)
    (step / COMMITTED).write_text("old")
    (step / "weights").write_text("old")
    far.get("checkpoints", home)
    (step / COMMITTED).write_text("newer")
    (step / "weights").write_bytes(os.urandom(24 << 20))
    link.limit = 2 << 20
    link.cuts_for_good = True
    with pytest.raises(UnreachableError):
        far.get("checkpoints", home)
    assert not (home / "step-000120" / COMMITTED).exists()


def test_a_get_beside_all_else(host: RemoteHost, root: Path, tmp_path: Path) -> None:
    """Copies home in a second thread and the watch in the first do not disturb each other."""
    (root / "outputs").mkdir()
    for number in range(50):
        (root / f"outputs/{number}").write_bytes(os.urandom(1 << 16))
    faults: list[BaseException] = []

    def copies() -> None:
        try:
            for number in range(5):
                host.get("outputs", tmp_path / f"home{number}")
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=copies)
    thread.start()
    count = 0
    while thread.is_alive():
        count += 1
        host.write("control/lease", str(count).encode())
        assert host.read("control/lease") == str(count).encode()
    thread.join()
    assert faults == []
    assert len(names(tmp_path / "home4")) == 50
