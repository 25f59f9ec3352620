"""Copies as values: which passes of rsync bring a file or folder to a machine, or home."""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import dirname

from ...configs.container import COMMITTED
from ...configs.exclude import included, is_excluded
from ..copying import HINTS
from .connection import Connection
from .faults import HINTS_THERE

_KEEP = ("--times", "--perms")
_SAME = re.compile(r"/?[\w.*~@%+=,-]+(/[\w.*~@%+=,-]+)*/?", re.ASCII)
_HOME = ("--chmod=Du+rwx", *_KEEP)


@dataclass(frozen=True)
class Pass:
    """One run of rsync, `inward` to the machine or home; a path that ends in `/` is a folder.

    All of `source` is copied, or only the `names` below it.
    """

    source: str
    target: str
    options: tuple[str, ...]
    inward: bool
    names: tuple[str, ...] | None = None

    def words(self, connection: Connection) -> list[str]:
        """The command; with `names`, they are what it reads from stdin."""
        remote = connection.address.remote
        listed = [] if self.names is None else ["--files-from=-", "--from0"]
        source, target = (
            (self.source, remote(self.target))
            if self.inward
            else (remote(self.source), self.target)
        )
        return connection.rsync_words([*self.options, *listed], source, target)

    @property
    def stdin(self) -> bytes:
        """The names; the dot keeps one that begins with # or ; from being read as a comment."""
        return b"\0".join(b"./" + os.fsencode(name) for name in self.names or ())

    @property
    def folder(self) -> str:
        """The folder that must be there before."""
        return self.target.rstrip("/") if self.target.endswith("/") else dirname(self.target)

    @property
    def what(self) -> str:
        """What a fault is told of: the path that the user knows."""
        return (self.source if self.inward else self.target).rstrip("/")

    @property
    def hints(self) -> Mapping[int, str]:
        """What to do about a disk that refuses the files."""
        return HINTS_THERE if self.inward else HINTS


def inward(source: Path, target: str, exclude: Sequence[str] = ()) -> list[Pass]:
    """What brings a file or folder in; raises OSError for what cannot be read.

    Links stay links where they lead to the same file there; what the others lead to is copied, as
    in `copying.copy_in`.
    """
    if stat.S_ISDIR(source.stat().st_mode):
        return list(_folder_in(source.absolute(), target, exclude, above=()))
    return [Pass(str(source.absolute()), target, ("--copy-links", *_KEEP), inward=True)]


def rules(exclude: Sequence[str]) -> list[str] | None:
    """Patterns in rsync's words, or None where one of them means something else to rsync.

    Names and stars are the same to both; a question mark is a byte to rsync, and other folders'
    depth, brackets and backslashes have rules of its own (rsync(1), PATTERN MATCHING RULES).
    """
    if not all(_SAME.fullmatch(pattern) and "**" not in pattern for pattern in exclude):
        return None
    bodies = [pattern.rstrip("/") for pattern in exclude]
    anchored = [f"/{body.strip('/')}" if "/" in body else body for body in bodies]
    return [f"--filter=- {body}" for body in anchored]


def home(
    source: str, target: Path, committed: Sequence[str], led: Sequence[str] = ()
) -> tuple[list[Pass], list[Pass]]:
    """What brings a folder home: its files, then those that say that others are whole.

    Those are the ones that were there before the first pass, so they speak of what it copied.
    Links are not rsync's to make (see `links.py`). Folders that the user's own links at home lead
    elsewhere (`led`) are copied there: since 3.5 rsync follows no link that it did not make.
    """
    own = [name for name in committed if not _is_below(name, led)]
    skipped = [f"--exclude=/{_literal(name)}/" for name in led]
    here = f"{target.absolute()}/"
    options = ("--recursive", "--prune-empty-dirs", *skipped, f"--exclude={COMMITTED}", *_HOME)
    files = [Pass(f"{source}/", here, options, inward=False)]
    marks = [Pass(f"{source}/", here, _HOME, False, tuple(own))] if own else []
    for name in led:
        inner = [one.removeprefix(f"{name}/") for one in committed if _is_below(one, [name])]
        more = home(f"{source}/{name}", _real(target / name), inner)
        files, marks = [*files, *more[0]], [*marks, *more[1]]
    return files, marks


def _is_below(name: str, folders: Sequence[str]) -> bool:
    return any(name.startswith(f"{folder}/") for folder in folders)


def _literal(name: str) -> str:
    """A name as a pattern of rsync that means itself alone."""
    return re.sub(r"([*?\[\\])", r"\\\1", name)


def file_home(source: str, target: Path) -> Pass:
    """What brings one file home."""
    return Pass(source, str(target.absolute()), ("--copy-links", *_KEEP), inward=False)


def _folder_in(
    source: Path, target: str, exclude: Sequence[str], above: tuple[Path, ...]
) -> Iterator[Pass]:
    top, here, there = _real(source), f"{source}/", f"{target}/"
    filters = rules(exclude)
    if filters is not None and all(_stays(source, link, top) for link in _links(source, exclude)):
        yield Pass(here, there, ("--recursive", "--links", *filters, *_KEEP), inward=True)
        return
    names = list(included(source, exclude))
    links = [name for name in names if (source / name).is_symlink()]
    followed = [link for link in links if not _stays(source, link, top)]
    folders = [link for link in followed if (source / link).is_dir()]
    yield from _some(here, there, "--links", set(names) - set(followed))
    yield from _some(here, there, "--copy-links", set(followed) - set(folders))
    for link in folders:
        if _real(source / link) not in (top, *top.parents, *above):
            yield from _folder_in(source / link, f"{target}/{link}", exclude, (*above, top))


def _some(here: str, there: str, how: str, names: set[PurePosixPath]) -> Iterator[Pass]:
    if names:
        yield Pass(here, there, (how, *_KEEP), True, tuple(sorted(map(str, names))))


def _links(top: Path, exclude: Sequence[str]) -> Iterator[PurePosixPath]:
    """Every link that `included` tells; much cheaper, as plain files are not looked at."""
    waiting = [PurePosixPath()]
    while waiting:
        folder = waiting.pop()
        with os.scandir(top / folder) as entries:
            for entry in entries:
                is_link = entry.is_symlink()
                if not is_link and not entry.is_dir():
                    continue
                name = folder / entry.name
                if is_excluded(name, exclude):
                    continue
                if is_link:
                    yield name
                else:
                    waiting.append(name)


def _stays(top: Path, link: PurePosixPath, real: Path) -> bool:
    """Whether a link means the same there: dangling, or relative and inside all the way."""
    path = top / link
    if not path.exists():
        return True
    text = os.readlink(path)
    leads = os.path.normpath(os.path.join(link.parent, text))
    is_inside = not os.path.isabs(text) and leads.split("/")[0] != ".."
    return is_inside and _real(path).is_relative_to(real)


def _real(path: Path) -> Path:
    """As Path.resolve, which raises on a loop of links."""
    return Path(os.path.realpath(path))
