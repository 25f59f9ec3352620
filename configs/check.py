"""A tree of YAML to typed values by dotted path; every fault is gathered with its place."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_args

from ..errors import ConfigError, did_you_mean
from .nodes import Items, Node, Table, Text
from .schema import ENV, Leaf, dotted, keys, leaves, limit_fault, sections
from .spec import Gpu
from .values import to_value

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?", re.ASCII)
_DEVICE = re.compile(r"auto|cpu|mps|(?:cuda|xpu)(?::\d+)?|\d+", re.ASCII)
_OWN = "LONGSHORE_"


class Value(NamedTuple):
    """A typed value and where it was written."""

    value: Any
    where: str


@dataclass
class Faults:
    """The faults found so far; `raise_any` tells all of them in one error."""

    found: list[ConfigError] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    """The keys that are there but hold no usable value."""

    def add(self, where: str, what: str, hint: str = "") -> None:
        self.found.append(ConfigError(what, hint, where))

    def raise_any(self) -> None:
        """One fault keeps its hint apart; of several, each line carries its own."""
        if len(self.found) == 1:
            raise self.found[0]
        if self.found:
            lines = (
                f"{fault} ({fault.hint})" if fault.hint else str(fault) for fault in self.found
            )
            raise ConfigError("\n".join(lines))


def check(table: Table, faults: Faults) -> dict[str, Value]:
    """The values of a file by dotted path. Keys that begin with `x-` are the user's own."""
    own = {key: entry for key, entry in table.entries.items() if not key.startswith("x-")}
    values = dict(_section(Table(own, table.where), "", faults))
    if holds("train", values) and is_command(values):
        faults.add(values["run"].where, "the job has both train and run", "keep one of the two")
    return values


def holds(section: str, values: Mapping[str, Value]) -> bool:
    """Whether any key of a section has a value."""
    return any(path.startswith(f"{section}.") for path in values)


def is_command(values: Mapping[str, Value]) -> bool:
    """Whether the job is a command of the user's own."""
    return "run" in values and values["run"].value is not None


def check_one(path: str, node: Node, faults: Faults) -> dict[str, Value]:
    """One value by its dotted path, as a flag gives it."""
    section, _, key = path.rpartition(".")
    if section == ENV:
        return dict(_variable(key, node, node.where, faults))
    if path == ENV:
        faults.add(node.where, f"{path} takes keys with values", f"write {path}.NAME=value")
        return {}
    if path in sections():
        hint = f"set one of its keys, for example {dotted(path, keys(path)[0])}"
        faults.add(node.where, f"{path!r} is a section", hint)
        return {}
    if path not in leaves():
        faults.add(node.where, f"unknown key {path!r}", _nearest(path, section, key))
        return {}
    return dict(_leaf(leaves()[path], node, faults))


def _section(table: Table, section: str, faults: Faults) -> Iterator[tuple[str, Value]]:
    for key, entry in table.entries.items():
        path = dotted(section, key)
        if key not in keys(section):
            faults.add(entry.where, f"unknown key {path!r}", _nearest(path, section, key))
        elif path in sections() or path == ENV:
            yield from _inside(path, entry.node, faults)
        else:
            yield from _leaf(leaves()[path], entry.node, faults)


def _inside(path: str, node: Node, faults: Faults) -> Iterator[tuple[str, Value]]:
    """The values of a section; one that is all comments holds none."""
    if isinstance(node, Table) and path == ENV:
        for name, entry in node.entries.items():
            yield from _variable(name, entry.node, entry.where, faults)
    elif isinstance(node, Table):
        yield from _section(node, path, faults)
    elif not (isinstance(node, Text) and node.null):
        example = "NAME: value" if path == ENV else f"{keys(path)[0]}: …"
        faults.add(node.where, f"{path} takes keys with values", f"write {path}: {{{example}}}")


def _nearest(path: str, section: str, key: str) -> str:
    """The key that was meant: of that name in another section, or near in spelling here."""
    known = [*leaves(), *filter(None, sections())]
    elsewhere = [other for other in known if other.rpartition(".")[2] == key]
    if elsewhere:
        return f"did you mean {elsewhere[0]!r}?"
    here = keys(section) if section in sections() else ()
    return did_you_mean(key, here) if here else did_you_mean(path, known)


def _leaf(leaf: Leaf, node: Node, faults: Faults) -> Iterator[tuple[str, Value]]:
    try:
        value = _typed(leaf, node)
        _obey(leaf.path, value)
    except ConfigError as error:
        faults.add(error.where or node.where, _about(leaf.path, error), error.hint)
        faults.paths.add(leaf.path)
    else:
        yield leaf.path, Value(value, node.where)


def _about(path: str, error: ConfigError) -> str:
    what = str(error).removeprefix(f"{error.where}: ")
    return (
        f"{path} {what}"
        if what.startswith(("is ", "must ", "takes ", "has "))
        else f"{path}: {what}"
    )


def _typed(leaf: Leaf, node: Node) -> object:
    if leaf.is_list:
        return _words(leaf, node)
    if leaf.kind is Gpu and isinstance(node, Table):
        return _gpu(node)
    if not isinstance(node, Text):
        raise ConfigError("takes one value", f"write {leaf.path.rpartition('.')[2]}: value")
    if not node.null:
        return to_value(leaf.kind, node.text)
    if leaf.optional:
        return None
    raise ConfigError("has no value", "write one, or remove the key")


def _words(leaf: Leaf, node: Node) -> tuple[str, ...]:
    path = leaf.path
    key = path.rpartition(".")[2]
    if not isinstance(node, Items):
        raise ConfigError("must be a list", f"write {key}: [one, two]")
    for item in node.items:
        if not isinstance(item, Text) or item.null or not item.text.strip():
            raise ConfigError("takes words only", f"write {key}: [one, two]", item.where)
    words = tuple(item.text for item in node.items if isinstance(item, Text))
    for item, word in zip(node.items, words, strict=True):
        if path == "secrets":
            _secret(word, item.where)
        _listed(leaf.kind, word, item.where)
    return words


def _listed(kind: Any, word: str, where: str) -> None:
    """A list of one of a few words takes no others."""
    try:
        to_value(get_args(kind)[0], word)
    except ConfigError as error:
        raise ConfigError(str(error), error.hint, where) from None


def _secret(word: str, where: str) -> None:
    """A secret is named, never written; what may be its value is not repeated in the message."""
    name, equals, _ = word.partition("=")
    if equals and _VARIABLE.fullmatch(name):
        hint = f"write {name} only, and set its value in your environment"
        raise ConfigError("takes names, never values", hint, where)
    if not _VARIABLE.fullmatch(word):
        hint = "write a variable's name, for example HF_TOKEN; its value stays in your environment"
        raise ConfigError("takes names of environment variables", hint, where)


def _gpu(table: Table) -> Gpu:
    """The long form: `{name: RTX 4090, count: 2}`."""
    given: dict[str, str] = {}
    for key, entry in table.entries.items():
        if key not in ("name", "count"):
            raise ConfigError(
                f"unknown key {key!r}", did_you_mean(key, ["name", "count"]), entry.where
            )
        if not isinstance(entry.node, Text) or entry.node.null:
            raise ConfigError("takes one value", f"write {key}: value", entry.node.where)
        given[key] = entry.node.text
    from .gpus import make_gpu

    if "name" not in given:
        raise ConfigError("has no name", "write for example gpu: {name: T4, count: 2}")
    count = to_value(int, given.get("count", "1"))
    if not isinstance(count, int) or count < 1:
        raise ConfigError("must have a count of at least 1", "write for example count: 2")
    return make_gpu(given["name"], count)


def _variable(name: str, node: Node, where: str, faults: Faults) -> Iterator[tuple[str, Value]]:
    """A variable of `env`; its value arrives as it was written: `yes` is "yes", 010 is "010"."""
    if not _VARIABLE.fullmatch(name):
        faults.add(where, f"env: {name!r} cannot be a variable", "use letters, digits and _")
    elif name.startswith(_OWN):
        faults.add(where, f"env: {name!r} is ours", f"names that begin with {_OWN} are set for you")
    elif not isinstance(node, Text):
        faults.add(node.where, f"env.{name} takes one value", "quote a value that holds [ or {")
    elif node.null:
        faults.add(node.where or where, f"env.{name} has no value", 'write "" for an empty one')
    else:
        yield f"{ENV}.{name}", Value(node.text, node.where)


def _obey(path: str, value: object) -> None:
    """The rules that one value can break by itself."""
    fault = limit_fault(path, value)
    if fault:
        raise ConfigError(f"{fault}, not {value}", "remove the key for its default")
    if path == "name" and not _NAME.fullmatch(str(value)):
        hint = "use up to 40 lower-case letters, digits and hyphens, for example my-job"
        raise ConfigError(f"{value!r} cannot name a job", hint)
    if path == "resources.device" and not _DEVICE.fullmatch(str(value)):
        hint = "write auto, cpu, cuda, cuda:1, xpu, mps, or the number of a GPU"
        raise ConfigError(f"{value!r} is no device", hint)
