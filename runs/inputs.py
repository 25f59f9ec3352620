"""What travels into a machine: the job with its paths as they are there, and the files."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from ..configs.container import DATA
from ..configs.spec import JobSpec, Train
from ..environments.paths import in_project, is_hub_name
from ..errors import ConfigError

MODEL = f"{DATA}/model"


@dataclass(frozen=True)
class Upload:
    """A file or folder of this machine, and where it goes, relative to the job's root."""

    source: Path
    target: str


@dataclass(frozen=True)
class Cargo:
    """The job as the container reads it, and the data that goes with it."""

    spec: JobSpec
    uploads: tuple[Upload, ...]

    def in_users_words(self, text: str, project: Path) -> str:
        """What the job says of its inputs, with the paths that the user knows them by."""
        for upload in sorted(self.uploads, key=lambda one: -len(one.target)):
            text = text.replace(upload.target, _shown(upload.source, project))
        return text


def pack(spec: JobSpec, project: Path) -> Cargo:
    """The job with every local path turned into its place inside.

    Raises:
        ConfigError: a file is missing, or two would land in the same place.
    """
    data = tuple(_upload(project, path) for path in spec.sync.data)
    if spec.train is None:
        return Cargo(spec, _distinct(data))
    train, own = _pack_train(spec.train, project)
    return Cargo(replace(spec, train=train), _distinct(data + own))


def limited(spec: JobSpec, seconds: int) -> JobSpec:
    """The job with a deadline of its own, so that a budget holds even when nobody watches it."""
    return replace(spec, guards=replace(spec.guards, max_time=seconds))


def secrets(spec: JobSpec) -> dict[str, str]:
    """The values of the job's secrets, from this process's environment.

    Raises:
        ConfigError: one is not set.
    """
    missing = [name for name in spec.secrets if name not in os.environ]
    if missing:
        raise ConfigError(f"the secret {missing[0]} is not set", f"export {missing[0]}=… first")
    return {name: os.environ[name] for name in spec.secrets}


def _pack_train(train: Train, project: Path) -> tuple[Train, tuple[Upload, ...]]:
    dataset = _upload(project, train.dataset)
    packed = replace(train, dataset=dataset.target)
    if is_hub_name(project, train.model):
        return packed, (dataset,)
    model = Upload(_existing(project, train.model), MODEL)
    return replace(packed, model=MODEL), (dataset, model)


def _upload(project: Path, path: str) -> Upload:
    source = _existing(project, path)
    return Upload(source, f"{DATA}/{source.name}")


def _existing(project: Path, path: str) -> Path:
    source = Path(os.path.abspath(in_project(project, path)))
    if not source.exists():
        raise ConfigError(f"{path} does not exist", f"paths are relative to {project}")
    return source


def _distinct(uploads: tuple[Upload, ...]) -> tuple[Upload, ...]:
    taken: dict[str, Upload] = {}
    for upload in uploads:
        other = taken.setdefault(upload.target, upload)
        if other.source != upload.source:
            raise ConfigError(
                f"{other.source} and {upload.source} would both become {upload.target}",
                "rename one of them, or name their common folder in sync.data",
            )
    return tuple(taken.values())


def _shown(source: Path, project: Path) -> str:
    inside = source.is_relative_to(project)
    return str(source.relative_to(project) if inside else source)
