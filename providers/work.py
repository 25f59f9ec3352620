"""The work folder of a machine that shares this one's disk, and the way into it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol

from ..configs import container
from ..errors import MachineLostError, ProviderError
from .atomic import write_whole
from .base import Exit, Order
from .copying import copy_home, copy_in, explained

FOLDERS = (container.DATA, container.OUTPUTS, container.CHECKPOINTS, container.CONTROL)


class Job(Protocol):
    """The entrypoint of one machine: the part of a Host that is not about files."""

    def start(self) -> None: ...

    def poll(self) -> Exit | None: ...

    def signal(self, name: Literal["TERM", "KILL"]) -> None: ...


class WorkHost:
    """A Host on a work folder; `inside` is that folder's path as the job sees it."""

    def __init__(self, folder: Path, job: Job, inside: str = "") -> None:
        self._folder = folder
        self._job = job
        self._inside = inside or str(folder)

    def put(self, source: Path, target: str, exclude: Sequence[str] = ()) -> None:
        copy_in(source, self._at(target), exclude)

    def write(self, target: str, content: bytes, mode: int = 0o644) -> None:
        with explained(self._at(target)):
            write_whole(self._at(target), content, mode)

    def start(self) -> None:
        self._job.start()

    def poll(self) -> Exit | None:
        return self._job.poll()

    def read(self, path: str, offset: int = 0) -> bytes:
        at = self._at(path)
        with explained(at):
            try:
                with at.open("rb") as file:
                    file.seek(offset)
                    return file.read()
            except FileNotFoundError:
                return b""

    def get(self, source: str, target: Path) -> None:
        copy_home(self._at(source), target, [(self._inside, self._folder)])

    def signal(self, name: Literal["TERM", "KILL"]) -> None:
        self._job.signal(name)

    def _at(self, path: str) -> Path:
        if not self._folder.is_dir():
            raise MachineLostError(f"the work folder {self._folder} is gone")
        return self._folder / path


def make(folder: Path, order: Order) -> None:
    """Make a work folder with all that a job may want to write to; safe to call again.

    Raises ProviderError where the disk says no.
    """
    with making(folder):
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / container.JOB).touch()
        _link_cache(folder / container.CACHE, order.cache)


@contextmanager
def making(folder: Path) -> Iterator[None]:
    """Faults of the disk, while a work folder is made, as a ProviderError."""
    try:
        yield
    except OSError as error:
        raise ProviderError(f"cannot make the work folder {folder}: {error.strerror}") from error


def _link_cache(at: Path, shared: Path | None) -> None:
    if shared is None:
        at.mkdir(exist_ok=True)
        return
    shared.mkdir(parents=True, exist_ok=True)
    if not at.is_symlink():
        at.symlink_to(shared.absolute())
