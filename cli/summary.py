"""What `deploy` says before and after a run, as lines of text."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..configs import jobfile
from ..configs.spec import JobSpec
from ..costs.estimate import Row
from ..costs.plan import Plan
from ..costs.words import money, rough
from ..environments.paths import in_project
from ..environments.resolve import Resolved
from ..providers.base import Need, Offer, Provider, Shows
from ..runs.inputs import limited, pack

if TYPE_CHECKING:
    from ..images.spec import ImageSpec
    from ..runs.life import Outcome


def plan_line(made: Plan) -> str:
    """Where, what it will take and cost, and what it can cost at worst."""
    offer, row = made.offer, made.chosen
    parts = [
        f"plan: {offer.provider} {offer.instance}",
        f"{money(offer.usd_per_hour)}/h",
        _time(row),
        _cost(row),
        f"at worst {money(made.worst_case)}",
        offer.note,
    ]
    lines = [" · ".join(part for part in parts if part)]
    return "\n".join([*lines, *(f"warning: {text}" for text in made.warnings)])


def dry_run_lines(resolved: Resolved, provider: Provider, made: Plan) -> Iterator[str]:
    """Every value a real run would act on; making them has no effect."""
    cargo = pack(resolved.spec, resolved.project)
    yield plan_line(made)
    if provider.needs_image(made.offer, Need.of(resolved.spec)):
        from ..images.builder import dry_run

        yield f"image: {dry_run(image_spec(resolved.spec, resolved.project, made.offer))}"
    if isinstance(provider, Shows):
        from ..runs.orders import order

        image = _pushed(resolved.spec)
        asked = order(resolved.spec, "RUN", 1, "you", made.stop_after, image)
        yield f"request: {provider.preview(made.offer, asked)}"
    for upload in cargo.uploads:
        yield f"in: {upload.source} -> {upload.target}"
    yield f"out: outputs -> {in_project(resolved.project, resolved.spec.sync.outputs)}/<run>"
    yield f"job.json: {jobfile.dump(limited(cargo.spec, made.stop_after))}"
    yield "dry run: nothing was started"


def _pushed(spec: JobSpec) -> str | None:
    """The image as a machine elsewhere will know it; its content is known once it is built."""
    registry = spec.image.registry
    return spec.image.name or (f"{registry}@sha256:…" if registry else None)


def image_spec(spec: JobSpec, project: Path, offer: Offer) -> "ImageSpec":
    """The image that runs on the offer: with CUDA only where a GPU is used, as root on a pod."""
    from ..images.spec import USER, ImageSpec

    uses_gpu = offer.gpu is not None and spec.resources.device != "cpu"
    user = "root" if is_rented(offer) else USER
    return ImageSpec.of(spec, project, kind="gpu" if uses_gpu else "cpu", user=user)


def is_rented(offer: Offer) -> bool:
    """Whether it is somebody else's machine, which cannot see this one's files and images."""
    return offer.market != "own"


def end_lines(outcome: "Outcome") -> Iterator[str]:
    """What came home, what it cost, and the proof that nothing runs."""
    report, home = outcome.report, outcome.collected
    work = report["work"]
    if work["eval_loss"] is not None and work["baseline"] is not None:
        yield f"held-out loss {work['eval_loss']:.3f} (a unigram model has {work['baseline']:.3f})"
    checked = "verified" if home.verified else "not verified: the job was killed"
    yield f"outputs: {home.files} files, {home.size / 1e6:.1f} MB in {home.folder} ({checked})"
    yield f"cost: {money(report['cost_usd'])} · report: {home.folder / 'report.html'}"
    down = report["teardown"]
    yield f"nothing left running: {down['machine']} was seen gone twice at {down['gone_at']}"
    if outcome.ending.code != 0:
        yield f"status: {outcome.run.status.value}"


def _time(row: Row) -> str:
    if row.time is None:
        return "time unknown before its first run"
    return f"{rough(row.time.p50)} ({rough(row.time.p10)}-{rough(row.time.p90)})"


def _cost(row: Row) -> str:
    if row.cost is None:
        return ""
    return f"{money(row.cost.p50)} ({money(row.cost.p10)}-{money(row.cost.p90)})"
