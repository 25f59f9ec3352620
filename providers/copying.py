"""Copies of folders between this machine's disk and a work folder on it."""

import errno
import filecmp
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from ..configs.exclude import included
from ..errors import SyncError
from .atomic import replacing

HINTS = {
    errno.ENOSPC: "free some space on that disk",
    errno.EDQUOT: "free some of your quota on that disk",
    errno.EACCES: "check the rights of that folder",
    errno.EROFS: "choose a folder that can be written",
}


def copy_in(source: Path, target: Path, exclude: Sequence[str] = ()) -> None:
    """Copy a file or folder; links that lead out of it are followed, others stay links.

    Raises SyncError with the path at fault.
    """
    _copy_in(source, target, exclude, above=())


def copy_home(source: Path, target: Path, aliases: Sequence[tuple[str, Path]] = ()) -> None:
    """Copy a file or folder over what is there; files already equal are kept.

    What a job wrote is not trusted: a link is made only where it stays inside. `aliases` say where
    absolute paths that the job saw are on this machine. Raises SyncError with the path at fault,
    and, after all else has been copied, for links that lead out.
    """
    with explained(source):
        if not stat.S_ISDIR(source.stat().st_mode):
            copy_file(source, target)
            return
        out = [str(one) for one in included(source) if not _brought(one, source, target, aliases)]
    if out:
        raise SyncError(
            f"{source}: links that lead out of it were left: {', '.join(out)}",
            "let the job copy such files instead of linking them",
        )


def copy_file(source: Path, target: Path) -> None:
    """Copy one regular file, whole or not at all, unless it is there already.

    A file that vanished meanwhile and what is no file (a socket, a pipe) are passed over.
    """
    with explained(target):
        try:
            if not stat.S_ISREG(source.stat().st_mode) or _is_there(source, target):
                return
            with replacing(target) as new:
                shutil.copyfile(source, new)
                shutil.copystat(source, new)
        except FileNotFoundError:
            if source.exists():
                raise


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Faults of the disk as a SyncError with the path at fault."""
    try:
        yield
    except OSError as error:
        said = error.strerror or str(error)
        raise SyncError(f"{path}: {said}", HINTS.get(error.errno or 0, "")) from error


def remove(folder: Path) -> None:
    """Remove a folder with all in it, also where the job took away its own right to write."""
    try:
        shutil.rmtree(folder)
    except OSError:
        if not folder.exists():
            return
        for here, _, _ in os.walk(folder):
            Path(here).chmod(0o700)
        shutil.rmtree(folder)


def _copy_in(source: Path, target: Path, exclude: Sequence[str], above: tuple[Path, ...]) -> None:
    with explained(source):
        if not stat.S_ISDIR(source.stat().st_mode):
            copy_file(source, target)
            return
    top = _real(source)
    with explained(target):
        target.mkdir(parents=True, exist_ok=True)
        for relative in included(source, exclude):
            path, at = source / relative, target / relative
            if not path.is_symlink():
                copy_file(path, at)
            elif not path.exists() or _real(path).is_relative_to(top):
                _link(at, str(path.readlink()))
            elif _real(path) not in (*top.parents, *above):
                _copy_in(path, at, exclude, (*above, top))


def _brought(
    relative: PurePosixPath, source: Path, target: Path, aliases: Sequence[tuple[str, Path]]
) -> bool:
    """Copy one file or link home; False for a link that leads out."""
    path, at = source / relative, target / relative
    _clear_way(target, at)
    if not path.is_symlink():
        copy_file(path, at)
        return True
    inner = _inner(path, source, aliases)
    if inner is not None:
        _link(at, os.path.relpath(inner, path.parent))
    return inner is not None


def _is_there(source: Path, target: Path) -> bool:
    if target.is_symlink() or not target.is_file():
        return False
    ours, theirs = source.stat(), target.stat()
    if ours.st_size != theirs.st_size:
        return False
    return ours.st_mtime_ns == theirs.st_mtime_ns or filecmp.cmp(source, target, shallow=False)


def _inner(link: Path, top: Path, aliases: Sequence[tuple[str, Path]]) -> Path | None:
    """Where a link leads, if that is inside `top` by its text and by what it resolves to."""
    text = str(link.readlink())
    for seen, here in aliases:
        if Path(text).is_relative_to(seen):
            text = str(here / Path(text).relative_to(seen))
    leads = Path(os.path.normpath(link.parent / text))
    inside = leads.is_relative_to(top) and _real(leads).is_relative_to(_real(top))
    return leads if inside else None


def _link(at: Path, text: str) -> None:
    with explained(at), replacing(at) as new:
        new.symlink_to(text)


def _clear_way(top: Path, at: Path) -> None:
    """Take away links of an earlier copy where a folder must be now; the user's own lead out."""
    for folder in at.relative_to(top).parents:
        link = top / folder
        if folder != Path() and link.is_symlink() and _real(link).is_relative_to(_real(top)):
            link.unlink()


def _real(path: Path) -> Path:
    """As Path.resolve, which raises on a loop of links."""
    return Path(os.path.realpath(path))
