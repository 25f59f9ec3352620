"""Whether the files that a job names are there, before anything is started for it."""

import os
from collections.abc import Iterator
from pathlib import Path

from ..configs.check import Faults
from ..configs.exclude import exactly
from ..configs.spec import JobSpec
from .resolve import Resolved


def check_paths(resolved: Resolved) -> None:
    """Raises ConfigError that names every path that is not there, with where it was written."""
    faults, project = Faults(), resolved.project
    for key, text in _named(resolved.spec, project):
        if not in_project(project, text).exists():
            where = resolved.origins[key].where
            faults.add(where, f"{key}: no {text!r} in {project}", _HINTS.get(key, _HINT))
    _check_outputs(resolved, faults)
    faults.raise_any()


def in_project(project: Path, text: str) -> Path:
    """A path of the job's as one of this machine: relative to the project, `~` is home."""
    return project / Path(text).expanduser()


def is_hub_name(project: Path, model: str) -> bool:
    """Whether a model is a name on the hub: `name` or `owner/name`, and no folder of ours."""
    looks_local = model.startswith((".", "/", "~")) or model.endswith("/") or model.count("/") > 1
    return not looks_local and not in_project(project, model).exists()


def not_code(spec: JobSpec, project: Path) -> tuple[str, ...]:
    """Patterns of what lies in the project and is no code: what stays here, what came home, and
    data, which travels by itself and would make every image as large as it is.
    """
    named = [spec.sync.outputs, *spec.sync.data]
    if spec.train:
        named += [spec.train.dataset, spec.train.model]
    top = Path(os.path.abspath(project))
    paths = (Path(os.path.abspath(in_project(project, text))) for text in named)
    below = (exactly(path.relative_to(top)) for path in paths if top in path.parents)
    return (*spec.sync.exclude, *below)


def _named(spec: JobSpec, project: Path) -> Iterator[tuple[str, str]]:
    if spec.train:
        yield "train.dataset", spec.train.dataset
    if spec.train and not is_hub_name(project, spec.train.model):
        yield "train.model", spec.train.model
    for path in spec.sync.data:
        yield "sync.data", path
    for key in ("requirements", "wheelhouse", "ca", "netrc", "pip_conf"):
        path = getattr(spec.image, key)
        if path is not None:
            yield f"image.{key}", path


def _check_outputs(resolved: Resolved, faults: Faults) -> None:
    """What comes home must not land over the project itself."""
    text = resolved.spec.sync.outputs
    home = in_project(resolved.project, text).resolve()
    if resolved.project.resolve().is_relative_to(home):
        where = resolved.origins["sync.outputs"].where
        faults.add(where, f"sync.outputs: {text!r} holds the project", "write outputs: outputs")


_HINT = "paths are relative to the folder of the job's file"
_HINTS = {
    "train.model": "write a folder that is there, or a hub name such as owner/model",
    "train.dataset": "write a file or folder that is there; " + _HINT,
}
