"""What goes into a machine before its job starts, in this order, the job itself last of all."""

import json
import secrets as random
from dataclasses import dataclass, field
from pathlib import Path

from ..configs import folders, jobfile
from ..configs.container import (
    CHECKPOINTS,
    CODE,
    EVENTS,
    JOB,
    LOG,
    MANIFEST,
    OUTPUTS,
    SECRETS,
    TOKENS,
)
from ..configs.spec import JobSpec
from ..environments.paths import not_code
from ..providers.base import Host
from . import collect
from .inputs import Cargo, limited
from .records import Run

LIBRARY = "lib"
"""Where what a bare image lacks goes: the part of this package that runs inside, and its needs."""


def new_tokens(spec: JobSpec) -> dict[str, str]:
    """A token for each exposed service that asks for one."""
    return {name: random.token_urlsafe(24) for name in spec.expose if name == "jupyter"}


@dataclass(frozen=True)
class Freight:
    """All that travels; what is None or empty does not.

    `luggage` is a folder for a machine without an image of the job's own, `resume_from` the run
    whose checkpoints are gone on from.
    """

    run: Run
    cargo: Cargo
    project: Path
    uploads: bool = False
    code: bool = False
    luggage: Path | None = None
    resume_from: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def send(self, host: Host, stop_after: int, goes_on: bool) -> dict[str, int]:
        """Copy it all in; how much of events and log the machine holds from before.

        `goes_on`: an earlier machine of this run was lost.

        Raises:
            SyncError: something did not arrive.
        """
        if self.code:
            stays = (*not_code(self.cargo.spec, self.project), *folders.inside(self.project))
            host.put(self.project, CODE, stays)
        if self.luggage:
            host.put(self.luggage, LIBRARY)
        if self.uploads:
            for upload in self.cargo.uploads:
                host.put(upload.source, upload.target)
        seen = self._send_what_was(host, goes_on)
        for target, values in ((SECRETS, self.secrets), (TOKENS, self.tokens)):
            if values:
                host.write(target, json.dumps(values).encode(), mode=0o600)
        job = limited(self.cargo.spec, stop_after)
        host.write(JOB, jobfile.dump(job).encode())
        return seen

    def _send_what_was(self, host: Host, goes_on: bool) -> dict[str, int]:
        """The checkpoints to go on from, and with this run's own the outputs so far."""
        source = self.run.id if goes_on and collect.has_checkpoint(self.run.id) else ""
        if source or self.resume_from:
            host.put(collect.saved_checkpoints(source or self.resume_from), CHECKPOINTS)
        if not source:
            return {EVENTS: 0, LOG: 0}
        home = collect.home(self.run)
        host.put(home, OUTPUTS, (Path(MANIFEST).name,))
        return {path: _size(home / Path(path).name) for path in (EVENTS, LOG)}


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
