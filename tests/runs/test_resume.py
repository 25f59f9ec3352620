"""Only the same job may go on from another run's checkpoint."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from longshore.configs.container import COMMITTED
from longshore.configs.spec import Guards, JobSpec, Local, Lora, Resources, Sync, Train
from longshore.errors import ConfigError, NotFoundError
from longshore.runs.collect import saved_checkpoints
from longshore.runs.ledger import Ledger
from longshore.runs.resume import checkpoint_source

TRAIN = Train("lora", "org/model", "train.jsonl")
SPEC = JobSpec("demo", train=TRAIN)
COMMAND = JobSpec("demo", run="python train.py")


def interrupted(spec: JobSpec) -> str:
    """A run that left a committed checkpoint."""
    run = Ledger().open_run(spec, Path("/p"))
    mark = saved_checkpoints(run.id) / "step-000010" / COMMITTED
    mark.parent.mkdir(parents=True)
    mark.write_text("{}")
    return run.id


@pytest.mark.parametrize(
    "spec",
    [
        SPEC,
        replace(SPEC, provider="fake"),
        replace(SPEC, guards=Guards(max_cost=Decimal(9), max_time=60)),
        replace(SPEC, resources=Resources(device="cpu", allow_cpu=True)),
        replace(SPEC, local=Local(runtime="process")),
        replace(SPEC, sync=Sync(outputs="elsewhere")),
        replace(SPEC, env={"A": "b"}),
    ],
)
def test_the_same_training_goes_on_elsewhere(spec: JobSpec) -> None:
    """Other limits, another place, another machine: the losses are the same."""
    run = interrupted(SPEC)
    assert checkpoint_source(Ledger(), "last", spec) == run
    assert checkpoint_source(Ledger(), run[-4:], spec) == run


@pytest.mark.parametrize(
    ("then", "now", "what"),
    [
        (SPEC, replace(SPEC, train=replace(TRAIN, seed=1)), "train.seed"),
        (SPEC, replace(SPEC, train=replace(TRAIN, epochs=2.0)), "train.epochs"),
        (SPEC, replace(SPEC, train=replace(TRAIN, dataset="other.jsonl")), "train.dataset"),
        (SPEC, replace(SPEC, train=replace(TRAIN, lora=Lora(rank=4))), "train.lora"),
        (SPEC, replace(SPEC, name="other"), "the job"),
        (SPEC, COMMAND, "the job"),
        (COMMAND, SPEC, "the job"),
        (COMMAND, replace(COMMAND, run="python other.py"), "the job"),
    ],
)
def test_another_training_does_not(then: JobSpec, now: JobSpec, what: str) -> None:
    """What changed is named, with the way out."""
    interrupted(then)
    with pytest.raises(ConfigError, match=f"{what} is not what run") as caught:
        checkpoint_source(Ledger(), "last", now)
    assert "without --resume" in caught.value.hint


def test_a_command_goes_on_too() -> None:
    """A script of the user's own resumes by itself; its command must be the same."""
    run = interrupted(COMMAND)
    assert checkpoint_source(Ledger(), "demo", COMMAND) == run


def test_a_run_without_a_checkpoint_cannot_be_resumed() -> None:
    """One that was never committed does not count."""
    run = Ledger().open_run(SPEC, Path("/p"))
    (saved_checkpoints(run.id) / "step-000010").mkdir(parents=True)
    with pytest.raises(NotFoundError, match="left no checkpoint") as caught:
        checkpoint_source(Ledger(), run.id, SPEC)
    assert "without --resume" in caught.value.hint


def test_a_run_that_nobody_knows_cannot_be_resumed() -> None:
    """The ledger's own words."""
    with pytest.raises(NotFoundError, match="no run 'demo'"):
        checkpoint_source(Ledger(), "demo", SPEC)
