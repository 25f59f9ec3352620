"""Which files stay behind: a small part of `.gitignore`'s rules, the same for images and syncs.

    name        a file or folder of this name at any depth, with all that it holds
    a/b, /a     with a slash before the end: from the top folder only
    *  ?  [x]   within one name
    **          any number of folders

A slash at the end is allowed and changes nothing; `!`, comments and escapes have no meaning.
"""

import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePath, PurePosixPath

_TOKEN = re.compile(r"(?P<folders>\*\*/)|(?P<any>\*\*)|(?P<star>\*)|(?P<one>\?)|(?P<set>\[[^]]+\])")
_MEANING = {"folders": "(?:.*/)?", "any": ".*", "star": "[^/]*", "one": "[^/]"}


def is_excluded(relative: PurePosixPath, patterns: Sequence[str]) -> bool:
    """Whether a path, relative to the top folder, or a folder it lies in matches a pattern."""
    return any(_rule(pattern).fullmatch(str(relative)) for pattern in patterns)


def included(top: Path, patterns: Sequence[str] = ()) -> Iterator[PurePosixPath]:
    """Every file and link below `top` that stays in, sorted by folder; excluded folders unread.

    A link to a folder is one entry: it is not walked into. Raises OSError for a folder that cannot
    be read; one that vanished meanwhile is passed over.
    """
    for folder, names, files in os.walk(top, onerror=_refuse):
        here = PurePosixPath(Path(folder).relative_to(top).as_posix())
        kept = sorted(name for name in names if not is_excluded(here / name, patterns))
        links = [name for name in kept if os.path.islink(os.path.join(folder, name))]
        names[:] = [name for name in kept if name not in links]
        for name in sorted(files + links):
            if not is_excluded(here / name, patterns):
                yield here / name


def exactly(path: PurePath) -> str:
    """The pattern of one path below the top folder, and of nothing else."""
    return "/" + re.sub(r"([*?[])", r"[\1]", path.as_posix())


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@lru_cache(maxsize=512)
def _rule(pattern: str) -> re.Pattern[str]:
    body = pattern.strip("/")
    depth = "" if "/" in pattern.rstrip("/") else "(?:.*/)?"
    return re.compile(f"{depth}{_translated(body)}(?:/.*)?", re.DOTALL)


def _translated(body: str) -> str:
    parts, end = [], 0
    for token in _TOKEN.finditer(body):
        parts += [re.escape(body[end : token.start()]), _meaning(token)]
        end = token.end()
    return "".join([*parts, re.escape(body[end:])])


def _meaning(token: re.Match[str]) -> str:
    if token.lastgroup != "set":
        return _MEANING[token.lastgroup or ""]
    letters = re.sub(r"[\\^&~|\[]", r"\\\g<0>", token.group()[1:-1])
    meaning = f"[^/{letters[1:]}]" if letters.startswith("!") else f"[{letters}]"
    return meaning if _compiles(meaning) else re.escape(token.group())


def _compiles(expression: str) -> bool:
    try:
        re.compile(expression)
    except re.error:
        return False
    return True
