"""What `put` and `get` of many small files cost beside plain `rsync -a` over the same ssh.

    python -m benchmarks.sync

20,000 files of 9 KB in 200 folders, to an sshd on 127.0.0.1 and back, in memory where that is a
disk. Both sides in turn, each over a connection that is there already and into an empty folder; the
median of several runs.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from longshore.providers.remote import Connection, RemoteHost

from .machine import machine
from .table import Row, show

RUNS = 7
FOLDERS, FILES, SIZE = 200, 100, 9_000
LIMIT = 1.2
MEMORY = Path("/dev/shm")
"""A disk that writes when it likes makes the figures useless."""
PATTERNS = (".git", "*.pyc", "/outputs")


def main() -> None:
    """Make the files, copy them all ways in turn, print the table."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        folder = Path(name)
        os.environ["LONGSHORE_STATE"] = f"{folder}/state"
        lay_out(folder / "source")
        with machine(folder) as connection:
            show(
                f"{FOLDERS * FILES:,} files of {SIZE:,} bytes over ssh, median of {RUNS}",
                rows(folder, connection),
            )


def rows(folder: Path, connection: Connection) -> list[Row]:
    """The lines of the table; the first of each direction is rsync's."""
    host = RemoteHost(lambda: connection, str(folder))
    host.put(Path(__file__), "warm-up")
    source, there, here = folder / "source", folder / "there", folder / "here"
    remote = connection.address.remote
    ways: dict[str, tuple[Path, Callable[[], object]]] = {
        "`rsync -a` in": (there, lambda: plain(connection, f"{source}/", remote(str(there)))),
        "`put`": (there, lambda: host.put(source, "there")),
        "`put` with patterns": (there, lambda: host.put(source, "there", PATTERNS)),
        "`rsync -a` home": (here, lambda: plain(connection, remote(f"{source}/"), str(here))),
        "`get`": (here, lambda: host.get("source", here)),
    }
    taken: dict[str, list[float]] = {what: [] for what in ways}
    for _ in range(RUNS):
        for what, (target, copy) in ways.items():
            taken[what].append(seconds(target, copy))
    host.close()
    return table({what: statistics.median(runs) for what, runs in taken.items()})


def seconds(target: Path, copy: Callable[[], object]) -> float:
    """How long a copy into an empty folder takes."""
    shutil.rmtree(target, ignore_errors=True)
    os.sync()
    begun = time.perf_counter()
    copy()
    taken = time.perf_counter() - begun
    assert sum(1 for path in target.rglob("*.txt") if path.is_file()) == FOLDERS * FILES
    return taken


def plain(connection: Connection, source: str, target: str) -> None:
    """rsync as one would call it, with our ssh options and nothing else of ours."""
    shell = connection.rsync_words([], source, target)[1:3]
    subprocess.run(["rsync", "-a", *shell, source, target], check=True)


def table(medians: dict[str, float]) -> list[Row]:
    """Each way against rsync in the same direction."""
    made, base = [], 0.0
    for what, median in medians.items():
        if "rsync" in what:
            base = median
            made.append(Row(what, f"{median:.2f} s"))
        else:
            made.append(Row(what, f"{median:.2f} s", median / base, LIMIT))
    return made


def lay_out(top: Path) -> None:
    """Files that do not compress, each with its own content."""
    for folder in range(FOLDERS):
        here = top / f"folder-{folder:03d}"
        here.mkdir(parents=True)
        for file in range(FILES):
            (here / f"{file:03d}.txt").write_bytes(os.urandom(SIZE))


if __name__ == "__main__":
    main()
