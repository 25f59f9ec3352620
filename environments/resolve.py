"""From a project's file, its environment and the flags to one JobSpec that knows its origins."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ..configs.assemble import assemble
from ..configs.check import Faults, Value, is_command
from ..configs.nodes import show
from ..configs.schema import ENV, Leaf, leaves
from ..configs.spec import JobSpec
from ..configs.units import format_duration, format_size, format_usd
from ..errors import ConfigError
from .layers import (
    Flag,
    Layer,
    LayerName,
    Origin,
    find_environment,
    from_file,
    from_flags,
    overlay,
    settings,
    unknown_environment,
)

FILE_NAMES = ("longshore.yaml", "longshore.yml")
ENV_VARIABLE = "LONGSHORE_ENV"


@dataclass(frozen=True)
class Resolved:
    """The job, who set each of its values, and the folder that its paths are relative to."""

    spec: JobSpec
    origins: dict[str, Origin]
    file: Path
    environment: Path | None

    @property
    def project(self) -> Path:
        return self.file.parent


class Explained(NamedTuple):
    """One line of `longshore config explain`; `text` is the value as a user would write it."""

    path: str
    value: Any
    text: str
    layer: LayerName
    where: str


def find_project_file(start: Path) -> Path:
    """The job's file in a folder; raises ConfigError if there is none, or two."""
    found = [start / name for name in FILE_NAMES if (start / name).exists()]
    if not found:
        hint = "`longshore init` writes one; --config names another file"
        raise ConfigError(f"no {FILE_NAMES[0]} in {start}", hint)
    if len(found) > 1:
        raise ConfigError(f"{' and '.join(FILE_NAMES)} are both in {start}", "remove one of them")
    return found[0]


def resolve(
    project_file: Path | None = None, env: str | None = None, flags: Sequence[Flag] = ()
) -> Resolved:
    """The job from all its layers; raises ConfigError that names every fault with its place.

    Without a file, the one in the current folder; without `env`, $LONGSHORE_ENV, else the
    environment of the provider's name if there is one.
    """
    file = (project_file or find_project_file(Path.cwd())).absolute()
    faults = Faults()
    own, project = settings(faults), _project_layer(file, faults)
    typed = _without_strays(project, from_flags(flags, faults), faults)
    chosen = _environment(env, _provider(own, project, typed), file.parent)
    around = from_file("environment", chosen, faults) if chosen else Layer("environment", {})
    values, origins = overlay((own, around, project, typed))
    spec = assemble(values, f"{show(file)}:1:1", faults)
    return Resolved(spec, _all_origins(spec, origins), file, chosen)


def explain(resolved: Resolved) -> list[Explained]:
    """Every value of the job in the order of `spec.py`, with the layer it came from."""
    lines = []
    for path, origin in resolved.origins.items():
        value = _at(resolved.spec, path)
        lines.append(
            Explained(path, value, _text(leaves().get(path), value), origin.layer, origin.where)
        )
    return lines


def _project_layer(file: Path, faults: Faults) -> Layer:
    layer = from_file("project", file, faults)
    if not layer.values and not faults.found:
        raise ConfigError("holds no job", "`longshore init` writes one", f"{show(file)}:1:1")
    return layer


def _provider(*layers: Layer) -> str:
    chosen: str = leaves()["provider"].default
    for layer in layers:
        chosen = layer.values.get("provider", Value(chosen, "")).value
    return chosen


def _environment(env: str | None, provider: str, project: Path) -> Path | None:
    asked = env or os.environ.get(ENV_VARIABLE)
    found = find_environment(asked or provider, project)
    if asked and not found:
        raise unknown_environment(asked, "--env" if env else f"${ENV_VARIABLE}", project)
    return found


def _without_strays(project: Layer, typed: Layer, faults: Faults) -> Layer:
    """`--epochs 3` on a job that is a command is a slip, not a wish for another job."""
    strays = [path for path in typed.values if path.startswith("train.")]
    if not is_command(project.values) or not strays or "train.recipe" in typed.values:
        return typed
    hint = f"it is a command ({project.values['run'].where}); {strays[0]} means nothing to it"
    faults.add(typed.values[strays[0]].where, "the job has no train section", hint)
    return Layer("flag", {path: at for path, at in typed.values.items() if path not in strays})


def _all_origins(spec: JobSpec, origins: dict[str, Origin]) -> dict[str, Origin]:
    default = Origin("default", "")
    paths = [path for path in leaves() if spec.train or not path.startswith("train.")]
    variables = [f"{ENV}.{name}" for name in spec.env]
    return {
        path: origins.get(path, default)
        for key in paths
        for path in (variables if key == ENV else [key])
    }


def _at(spec: JobSpec, path: str) -> Any:
    if path.startswith(f"{ENV}."):
        return spec.env[path.partition(".")[2]]
    value: Any = spec
    for key in path.split("."):
        value = getattr(value, key)
    return value


def _text(leaf: Leaf | None, value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    marker = getattr(leaf.kind, "__metadata__", ("",))[0] if leaf else ""
    return _FORMATS.get(marker, str)(value)


_FORMATS: dict[str, Callable[[Any], str]] = {
    "size": format_size,
    "duration": format_duration,
    "usd": format_usd,
}
