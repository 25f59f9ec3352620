"""The layers a job is made of, each as typed values that know where they were written.

    default < settings < environment < project < flag

Keys merge one by one; a list replaces a list. A layer that names a `run` drops the `train` below
it, and the other way round: the last one who says what the job is, decides.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from ..configs import folders
from ..configs.check import Faults, Value, check, check_one, holds, is_command
from ..configs.nodes import Items, Node, Text, read, show
from ..configs.schema import leaves
from ..errors import ConfigError, did_you_mean

LayerName = Literal["default", "settings", "environment", "project", "flag"]
FlagValue = str | Sequence[str] | None

_BUILT_IN = Path(__file__).parent
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)


class Flag(NamedTuple):
    """A value from the command line: its dotted path, and the flag as it was typed.

    A list may be given whole, or as text with commas; `null` or None unsets.
    """

    path: str
    value: FlagValue
    where: str


class Layer(NamedTuple):
    name: LayerName
    values: dict[str, Value]


class Origin(NamedTuple):
    """Who set a value: the layer, and `file:line:column` or the flag; "" for a default."""

    layer: LayerName
    where: str


def parse_set(text: str) -> Flag:
    """The flag behind `--set train.epochs=3`."""
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        hint = "write for example --set train.epochs=3"
        raise ConfigError(f"{text!r} is not KEY=VALUE", hint, "--set")
    return Flag(path.strip(), value, f"--set {path.strip()}")


def from_flags(flags: Iterable[Flag], faults: Faults) -> Layer:
    """The layer of the command line; of two flags for one key the later wins."""
    values: dict[str, Value] = {}
    for flag in flags:
        values.update(check_one(flag.path, _node(flag), faults))
    return Layer("flag", values)


def from_file(name: LayerName, path: Path, faults: Faults) -> Layer:
    """The layer of a file; raises ConfigError if it is not YAML."""
    return Layer(name, check(read(path, _shown(path)), faults))


def settings(faults: Faults) -> Layer:
    """The user's own settings, which need not be there."""
    path = folders.config() / "settings.yaml"
    return from_file("settings", path, faults) if path.exists() else Layer("settings", {})


def find_environment(name: str, project: Path) -> Path | None:
    """The file of an environment: the project's own, else the user's, else the built-in one."""
    files = (folder / f"{name}{ending}" for folder in _homes(project) for ending in _ENDINGS)
    return next((file for file in files if file.is_file()), None) if _NAME.fullmatch(name) else None


def environments(project: Path) -> dict[str, Path]:
    """Every environment that can be named, and the file it would be read from."""
    found: dict[str, Path] = {}
    for folder in _homes(project):
        for file in sorted(folder.glob("*.y*ml")):
            found.setdefault(file.stem, file)
    return found


def unknown_environment(name: str, where: str, project: Path) -> ConfigError:
    """What to say of a name that no file has."""
    homes = ", ".join(_shown(folder) for folder in _homes(project))
    hint = f"{did_you_mean(name, sorted(environments(project)))} (looked in {homes})"
    return ConfigError(f"unknown environment {name!r}", hint, where)


def overlay(layers: Iterable[Layer]) -> tuple[dict[str, Value], dict[str, Origin]]:
    """The values that win, the lowest layer first, and who set each."""
    values: dict[str, Value] = {}
    origins: dict[str, Origin] = {}
    for layer in layers:
        for path in _overruled(values, layer.values):
            del values[path], origins[path]
        values |= layer.values
        origins |= {path: Origin(layer.name, at.where) for path, at in layer.values.items()}
    return values, origins


def _overruled(below: dict[str, Value], above: dict[str, Value]) -> list[str]:
    if is_command(above):
        return [path for path in below if path.startswith("train.")]
    return ["run"] if holds("train", above) and "run" in below else []


_ENDINGS = (".yaml", ".yml")


def _homes(project: Path) -> tuple[Path, Path, Path]:
    return project / "environments", folders.config() / "environments", _BUILT_IN


def _shown(path: Path) -> str:
    """What is built in is named from the package on: its folder says nothing to a user."""
    if path.is_relative_to(_BUILT_IN):
        return str(Path("longshore/environments") / path.relative_to(_BUILT_IN))
    return show(path)


def _node(flag: Flag) -> Node:
    if flag.value is None or flag.value == "null":
        return Text("", flag.where, null=True)
    leaf = leaves().get(flag.path)
    if leaf is None or not leaf.is_list:
        return Text(_one(flag.value), flag.where)
    words = _split(flag.value) if isinstance(flag.value, str) else flag.value
    return Items(tuple(Text(word, flag.where) for word in words), flag.where)


def _one(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _split(text: str) -> list[str]:
    inner = text.removeprefix("[").removesuffix("]")
    return [word.strip() for word in inner.split(",")] if inner.strip() else []
