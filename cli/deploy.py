"""`longshore deploy`: the main job, from a file to outputs at home and nothing left running."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..configs.container import LOG
from ..costs.plan import Plan, plan
from ..environments.paths import check_paths
from ..environments.resolve import Resolved
from ..errors import (
    DataError,
    GuardError,
    InterruptedRunError,
    JobFailedError,
    LongshoreError,
    MachineLostError,
    NoOfferError,
)
from ..providers import registry
from ..providers.base import Need, Provider
from .options import JobOptions, job_options, options
from .output import show_json
from .summary import dry_run_lines, end_lines, image_spec, is_rented, plan_line

if TYPE_CHECKING:
    from ..runs.life import Launch, Outcome

FAULTS: dict[str, type[LongshoreError]] = {
    "budget": GuardError,
    "deadline": GuardError,
    "lost": MachineLostError,
}
"""What a run's end is to the user, by its reason, where the reason decides."""


@dataclass(frozen=True)
class DeployOptions:
    job: JobOptions
    resume: str | None
    dry_run: bool
    quiet: bool
    as_json: bool


@click.command()
@job_options
@click.option("--resume", metavar="RUN", help="Go on from RUN's last checkpoint.")
@click.option("--dry-run", is_flag=True, help="Show every step's value, start nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Leave out what the job prints.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON on standard output.")
def deploy(
    config: Path | None,
    env: str | None,
    resume: str | None,
    dry_run: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Build the image, run the job, bring its outputs home, leave nothing running.

    Ctrl-C once stops with a checkpoint, twice ends the job now.
    """
    run(DeployOptions(options(config, env), resume, dry_run, quiet, as_json))


def run(asked: DeployOptions) -> None:
    """Resolve, plan, then show it or do it."""
    resolved = asked.job.resolve()
    check_paths(resolved)
    provider = registry.get(resolved.spec.provider)
    if missing := provider.capabilities.missing(resolved.spec):
        raise NoOfferError(f"{provider.name} {missing}")
    made = _planned(resolved, provider, asked.dry_run)
    if asked.dry_run:
        _show_dry_run(resolved, provider, made, asked.as_json)
        return
    outcome = _sail(asked, resolved, provider, made)
    if asked.as_json:
        show_json(outcome.report)
    _raise_unless_done(outcome, resolved.file)


def _planned(resolved: Resolved, provider: Provider, dry_run: bool) -> Plan:
    spec = resolved.spec
    if dry_run or not spec.market.wait:
        return plan(spec, provider.offers(Need.of(spec)), resolved.project)
    from ..runs.placing import Waiting, first_plan

    waiting = Waiting(spec.market.wait, lambda text: click.echo(text, err=True))
    return first_plan(provider, spec, resolved.project, waiting)


def _sail(asked: DeployOptions, resolved: Resolved, provider: Provider, made: Plan) -> "Outcome":
    from ..runs.ledger import Ledger
    from ..runs.life import Launch, Session, start
    from ..runs.resume import checkpoint_source
    from .screens import screen

    ledger = Ledger()
    source = checkpoint_source(ledger, asked.resume, resolved.spec) if asked.resume else ""
    launch = Launch(resolved.spec, resolved.project, made, source)
    with screen(not asked.quiet, err=asked.as_json) as shown:
        shown.note(plan_line(made))
        outcome = start(Session(ledger, provider, shown, build, luggage=luggage), launch)
    if not asked.as_json:
        click.echo("\n".join(end_lines(outcome)))
    return outcome


def build(launch: "Launch", progress: Callable[[str], None]) -> str:
    """Have the image where the offer's machine finds it; returns its name there."""
    from ..images.build import ensure
    from ..images.push import push

    asked, rented = launch.spec.image, is_rented(launch.offer)
    if asked.name and rented:
        return asked.name
    built = ensure(image_spec(launch.spec, launch.project, launch.offer), progress)
    state = f"built in {built.seconds:.1f} s" if built.built else "is up to date"
    progress(f"image {built.tag} {state}, {built.size / 1e9:.2f} GB")
    return push(built.tag, asked.registry, progress) if asked.registry and rented else built.tag


def luggage(launch: "Launch") -> Path:
    """What a machine without the job's image lacks, as a folder."""
    from ..images.luggage import pack

    return pack(image_spec(launch.spec, launch.project, launch.offer))


def _show_dry_run(resolved: Resolved, provider: Provider, made: Plan, as_json: bool) -> None:
    if as_json:
        from ..costs import document

        show_json(document.of_plan(made))
    else:
        click.echo("\n".join(dry_run_lines(resolved, provider, made)))


def _raise_unless_done(outcome: "Outcome", file: Path) -> None:
    """A run that did not end well is an error of its own kind, with the way to go on."""
    from ..runs.records import Status

    if outcome.run.status is Status.DONE:
        return
    ending, run_id = outcome.ending, outcome.run.id
    again = f"`deploy -f {file.name} --resume {run_id}` goes on from the last checkpoint"
    resumable = outcome.run.status is Status.INTERRUPTED
    why = ending.detail or ending.reason
    log = str(outcome.collected.folder / Path(LOG).name)
    own = ending.hint.replace(LOG, log) or f"`longshore logs {run_id}` shows what it printed"
    hint = again if resumable else own
    raise _fault(outcome, resumable)(f"run {run_id} ended: {why}", hint)


def _fault(outcome: "Outcome", resumable: bool) -> type[LongshoreError]:
    ending = outcome.ending
    if ending.reason in FAULTS:
        return FAULTS[ending.reason]
    if resumable:
        return InterruptedRunError
    # The exit codes of our own recipes are ours; a command's may mean anything.
    is_data = outcome.run.spec.train is not None and ending.code == DataError.exit_code
    return DataError if is_data else JobFailedError
