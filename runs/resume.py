"""Going on from an interrupted run: only the same job may, or the losses would not be the same."""

from dataclasses import asdict

from ..configs.spec import JobSpec
from ..errors import ConfigError, NotFoundError
from . import collect
from .ledger import Ledger
from .records import Run


def checkpoint_source(ledger: Ledger, name: str, spec: JobSpec) -> str:
    """The id of the run to go on from.

    Raises:
        NotFoundError: there is no such run, or it has no committed checkpoint here.
        ConfigError: the job's training has changed since.
    """
    run = ledger.find(name)
    if not collect.has_checkpoint(run.id):
        raise NotFoundError(f"run {run.id} left no checkpoint", "deploy it without --resume")
    changed = _changed(run, spec)
    if changed:
        raise ConfigError(
            f"{changed[0]} is not what run {run.id} began with",
            "a resumed run must be the same job; undo the change, or deploy without --resume",
        )
    return run.id


def _changed(run: Run, spec: JobSpec) -> list[str]:
    """The settings of the training that differ; limits and places may."""
    then, now = run.spec, spec
    if then.name != now.name or then.run != now.run or (then.train is None) != (now.train is None):
        return ["the job"]
    if then.train is None or now.train is None:
        return []
    before, after = asdict(then.train), asdict(now.train)
    return [f"train.{name}" for name in after if after[name] != before[name]]
