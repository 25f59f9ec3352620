"""What an image is made of, as one value: from the job, its folder and the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..configs.spec import JobSpec
from ..environments.paths import not_code
from ..errors import ConfigError
from .secrets import ca_bundle, pip_settings

Kind = Literal["cpu", "gpu"]

USER = "longshore"
"""Whom an image runs as where nobody says otherwise; a pod's must be root."""
SERVICES = {"jupyter": "jupyterlab", "tensorboard": "tensorboard"}
"""The package that an exposed service needs; ssh is in every image."""
NOT_IN_A_NAME = re.compile(r"[^a-z0-9._-]+")
PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.:=~-]*")


@dataclass(frozen=True)
class Secrets:
    """Files that a build may read and that leave no trace in its image."""

    ca: Path | None = None
    netrc: Path | None = None
    pip_conf: Path | None = None

    def files(self) -> dict[str, Path]:
        """The ones that are set, by their BuildKit id."""
        each = {"ca": self.ca, "netrc": self.netrc, "pip_conf": self.pip_conf}
        return {name: path for name, path in each.items() if path}


@dataclass(frozen=True)
class ImageSpec:
    """An image to build for `project`, or (`existing`) one that is used as it is.

    `base` and `torch_index` as None leave the Dockerfile's defaults. `pip_settings` is the
    caller's own pip configuration, used when `secrets.pip_conf` is None; it may hold passwords.
    `user` is whom the image runs as; `services` are the packages of what the job exposes.
    """

    name: str
    kind: Kind
    project: Path
    base: str | None = None
    torch_index: str | None = None
    requirements: Path | None = None
    apt: tuple[str, ...] = ()
    wheelhouse: Path | None = None
    secrets: Secrets = field(default_factory=Secrets)
    pip_settings: str = field(default="", repr=False)
    offline: bool = False
    exclude: tuple[str, ...] = ()
    existing: str | None = None
    user: str = USER
    services: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        job: JobSpec,
        project: Path,
        environ: Mapping[str, str] = os.environ,
        kind: Kind | None = None,
        user: str = USER,
    ) -> "ImageSpec":
        """The image of a job, for a machine whose kind is known or as the job asks.

        Raises ConfigError for a file that is not there.
        """
        asked = job.image
        return cls(
            name=NOT_IN_A_NAME.sub("-", job.name.lower()).strip("._-") or "job",
            kind=kind or kind_of(job),
            project=project.resolve(),
            base=asked.base,
            torch_index=asked.torch_index,
            requirements=_file(project, "requirements", asked.requirements),
            apt=tuple(sorted(_package(name) for name in asked.apt)),
            wheelhouse=_folder(project, "wheelhouse", asked.wheelhouse),
            secrets=Secrets(
                ca=_file(project, "ca", asked.ca) or ca_bundle(environ),
                netrc=_file(project, "netrc", asked.netrc),
                pip_conf=_file(project, "pip_conf", asked.pip_conf),
            ),
            pip_settings="" if asked.offline else pip_settings(environ),
            offline=asked.offline,
            exclude=not_code(job, project),
            existing=asked.name,
            user=user,
            services=tuple(sorted(SERVICES[name] for name in job.expose if name in SERVICES)),
        )


def kind_of(job: JobSpec) -> Kind:
    """`gpu` when the job names a GPU or asks for CUDA; everything else runs on the CPU image."""
    return "gpu" if job.resources.gpu or job.resources.device.startswith("cuda") else "cpu"


def _file(project: Path, key: str, name: str | None) -> Path | None:
    if name is None:
        return None
    path = project.resolve() / Path(name).expanduser()
    if not path.is_file():
        raise ConfigError(f"no file {name}", f"looked for {path}", where=f"image.{key}")
    return path


def _folder(project: Path, key: str, name: str | None) -> Path | None:
    if name is None:
        return None
    path = project.resolve() / Path(name).expanduser()
    if not path.is_dir():
        raise ConfigError(f"no folder {name}", f"looked for {path}", where=f"image.{key}")
    return path


def _package(name: str) -> str:
    if not PACKAGE.fullmatch(name):
        raise ConfigError(f"{name!r} is no package name", where="image.apt")
    return name
