"""YAML as a tree in which every key and value knows its place, `file:line:column`.

Values stay the text that was written: what `yes`, `010` or `5e-5` means is for the field to say,
not for YAML 1.1. Anchors, aliases and merge keys (`<<`) are resolved here.
"""

import os
from pathlib import Path
from typing import NamedTuple

import yaml

from ..errors import ConfigError

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"
_LARGEST = 16 * 1024
"""Bytes in a file; libyaml ends the process on one that nests twenty thousand times."""


class Text(NamedTuple):
    """A scalar as written; `null` for `null`, `~` or nothing at all."""

    text: str
    where: str
    null: bool = False


class Items(NamedTuple):
    items: tuple["Node", ...]
    where: str


class Entry(NamedTuple):
    """The value of a key, and where the key stands."""

    node: "Node"
    where: str


class Table(NamedTuple):
    entries: dict[str, Entry]
    where: str


Node = Text | Items | Table


def read(path: Path, shown: str = "") -> Table:
    """The tree of a file, an empty table for an empty one; raises ConfigError with the place."""
    shown = shown or show(path)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise ConfigError("no such file", "`longshore init` writes one", shown) from None
    except IsADirectoryError:
        raise ConfigError("is a folder, not a file", "name the file in it", shown) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=shown) from error
    if len(content) > _LARGEST:
        raise ConfigError(f"is larger than {_LARGEST} bytes", "name a job's file", shown)
    return parse(_decoded(content, shown), shown)


def show(path: Path) -> str:
    """A path as people would write it from where they are."""
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near


def parse(text: str, shown: str) -> Table:
    """The tree of a YAML text; `shown` stands for the file in every place."""
    try:
        tree = _tree(text, shown)
    except yaml.MarkedYAMLError as error:
        raise _syntax_fault(error, text, shown) from None
    except yaml.reader.ReaderError as error:
        where = _place_of(text, error.position, shown)
        raise ConfigError("a control character", "remove it", where) from None
    except RecursionError:
        raise ConfigError("is nested too deep", "a job has three levels", shown) from None
    if isinstance(tree, Text) and tree.null:
        return Table({}, tree.where)
    if not isinstance(tree, Table):
        raise ConfigError("must be keys with values", "write for example name: my-job", tree.where)
    return tree


def _tree(text: str, shown: str) -> Node:
    root = yaml.compose(text, Loader=_LOADER)
    return Text("", f"{shown}:1:1", null=True) if root is None else _Reader(shown).node(root)


def _decoded(content: bytes, shown: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        where = _place_of(before, len(before), shown)
        raise ConfigError("is not UTF-8 text", "save the file as UTF-8", where) from None


def _place_of(text: str, position: int, shown: str) -> str:
    before = text[:position]
    return f"{shown}:{before.count(chr(10)) + 1}:{position - before.rfind(chr(10))}"


def _syntax_fault(error: yaml.MarkedYAMLError, text: str, shown: str) -> ConfigError:
    mark = error.problem_mark or error.context_mark
    where = f"{shown}:{mark.line + 1}:{mark.column + 1}" if mark else shown
    line = [*text.splitlines(), ""][mark.line] if mark else ""
    if mark and "\t" in line[: len(line) - len(line.lstrip())]:
        where = f"{shown}:{mark.line + 1}:{line.index(chr(9)) + 1}"
        return ConfigError("a tab in the indentation", "indent with spaces", where)
    if error.problem == "but found another document":
        return ConfigError("a second document begins here", "keep one job in one file", where)
    hint = "check the quotes, brackets, colons and indentation here and on the line before"
    return ConfigError(f"not YAML: {error.problem}", hint, where)


class _Reader:
    """Turns PyYAML's nodes into ours; an aliased node is read once."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._done: dict[int, Node] = {}
        self._open: set[int] = set()

    def node(self, raw: yaml.Node) -> Node:
        if id(raw) in self._open:
            raise self._fault(raw, "an anchor that holds itself", "remove the alias inside it")
        if id(raw) not in self._done:
            self._open.add(id(raw))
            self._done[id(raw)] = self._read(raw)
            self._open.remove(id(raw))
        return self._done[id(raw)]

    def _read(self, raw: yaml.Node) -> Node:
        if not raw.tag.startswith(_TAG):
            raise self._fault(raw, f"unknown tag {raw.tag!r}", "remove it, or quote the value")
        if isinstance(raw, yaml.MappingNode):
            return self._table(raw)
        if isinstance(raw, yaml.SequenceNode):
            return Items(tuple(self.node(item) for item in raw.value), self._place(raw))
        return Text(raw.value, self._place(raw), raw.tag == _TAG + "null")

    def _table(self, raw: yaml.MappingNode) -> Table:
        merged: dict[str, Entry] = {}
        own: dict[str, Entry] = {}
        for key, value in raw.value:
            if key.tag == _MERGE:
                merged = {**self._merged(value), **merged}
                continue
            name = self._key(key)
            if name in own:
                hint = f"it stands at {own[name].where} already"
                raise self._fault(key, f"the key {name!r} again", hint)
            own[name] = Entry(self.node(value), self._place(key))
        return Table({**merged, **own}, self._place(raw))

    def _merged(self, raw: yaml.Node) -> dict[str, Entry]:
        """What `<<` brings in: one table, or several of which the earlier wins."""
        node = self.node(raw)
        tables = node.items if isinstance(node, Items) else (node,)
        entries: dict[str, Entry] = {}
        for table in reversed(tables):
            if not isinstance(table, Table):
                hint = "write <<: *anchor, the anchor on keys with values"
                raise self._fault(raw, "'<<' takes keys with values", hint)
            entries.update(table.entries)
        return entries

    def _key(self, raw: yaml.Node) -> str:
        if not isinstance(raw, yaml.ScalarNode):
            raise self._fault(raw, "a key must be a word", "a '{' or '[' may lack its quotes")
        return str(raw.value)

    def _place(self, raw: yaml.Node) -> str:
        return f"{self._shown}:{raw.start_mark.line + 1}:{raw.start_mark.column + 1}"

    def _fault(self, raw: yaml.Node, what: str, hint: str) -> ConfigError:
        return ConfigError(what, hint, self._place(raw))
