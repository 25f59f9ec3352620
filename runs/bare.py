"""A run without a container or a ledger: the job's folder, made where the outputs go."""

import json
import secrets as random
from dataclasses import replace
from pathlib import Path

from ..configs import jobfile
from ..configs.container import CODE, CONTROL, JOB, SECRETS
from ..configs.spec import JobSpec
from ..environments.paths import in_project
from ..errors import SyncError
from .inputs import pack, secrets


def prepare(spec: JobSpec, project: Path, folder: Path | None) -> Path:
    """A job's root that the entrypoint can be started on; data and code are linked, not copied.

    A folder that an earlier call made is used again, so that its checkpoints are gone on from.

    Raises:
        SyncError: the folder cannot be written.
    """
    root = folder or in_project(project, spec.sync.outputs) / f"{spec.name}-{random.token_hex(2)}"
    cargo = pack(spec, project)
    values = secrets(spec)
    links = {CODE: project, **{upload.target: upload.source for upload in cargo.uploads}}
    try:
        (root / CONTROL).mkdir(parents=True, exist_ok=True)
        for target, source in links.items():
            _link(root / target, source)
        _write_secrets(root / SECRETS, values)
        (root / JOB).write_text(jobfile.dump(replace(cargo.spec, provider="local")))
    except OSError as error:
        hint = "choose another folder with --folder or sync.outputs"
        raise SyncError(f"{root} cannot be written: {error.strerror}", hint) from error
    return root


def _link(at: Path, source: Path) -> None:
    at.parent.mkdir(parents=True, exist_ok=True)
    if at.is_symlink():
        at.unlink()
    at.symlink_to(source.absolute())


def _write_secrets(path: Path, values: dict[str, str]) -> None:
    if values:
        path.touch(mode=0o600)
        path.write_text(json.dumps(values))
