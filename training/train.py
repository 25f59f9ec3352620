"""One training from its job to its outputs: load, data, train, eval, save."""

import math
import os
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase, set_seed
from transformers.utils.logging import disable_progress_bar

from ..configs import container
from ..configs.spec import JobSpec, Train
from ..errors import ConfigError
from . import checkpoint, data, devices, evaluate, limits, nvml, plan, progress, report
from .data import Blocks, Corpus
from .devices import Device
from .loop import Loop
from .model import Source, check_vocabulary, load_model, load_tokenizer, vocabulary
from .plan import Plan, Precision
from .progress import Progress
from .recipes import RECIPES
from .steps import Setup, Steps
from .stop import Stop
from .story import Story
from .surroundings import MICRO_BATCH

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Inputs:
    """What a training starts from."""

    model: PreTrainedModel | PeftModel
    tokenizer: PreTrainedTokenizerBase
    corpus: Corpus
    blocks: Blocks


@dataclass(frozen=True)
class Start:
    """Where a training goes on: the checkpoint (None: at the beginning) and its progress."""

    found: checkpoint.Checkpoint | None
    progress: Progress


def run(root: Path, spec: JobSpec, story: Story, stop: Stop) -> int:
    """Train; the exit code, 0 or 75. Raises LongshoreError for what the user can mend."""
    if spec.train is None:
        raise ConfigError("the job names no training", where="train")
    hide_bars: Callable[[], None] = disable_progress_bar
    hide_bars()
    with warnings.catch_warnings():
        # Libraries tell each other what will change in them; the user cannot mend that.
        warnings.simplefilter("ignore", FutureWarning)
        return _run(root, spec, spec.train, story, stop)


def _run(root: Path, spec: JobSpec, train: Train, story: Story, stop: Stop) -> int:
    device = _device(spec, story)
    precision = plan.precision(train.precision, device)
    _tell_hardware(story, device, precision)
    inputs = _load(root, train, precision, story)
    start = _start(root / container.CHECKPOINTS, train, device, inputs.corpus, story)
    setup = _setup(root, train, device, precision, inputs, start)
    _tell_plan(story, setup, inputs, start)
    training = _Training(root / container.OUTPUTS, setup, inputs, start, story)
    if not training.make_steps(stop):
        return container.EXIT_PREEMPTED
    training.finish()
    return container.EXIT_DONE


def _device(spec: JobSpec, story: Story) -> Device:
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or limits.threads()))
    asked = spec.resources.device
    devices.pin(asked, os.environ)
    # The one GPU that `pin` left has number 0 now.
    kind, _ = devices.parse(asked)
    choice = devices.choose(kind, spec.resources, devices.detect())
    if choice.warning:
        story.warn(choice.warning)
    if spec.resources.gpu and spec.resources.gpu.count > 1:
        story.warn(f"{spec.resources.gpu.count} GPUs were asked for; this training uses one")
    return choice.device


def _tell_hardware(story: Story, device: Device, precision: Precision) -> None:
    story.tell(
        "hardware",
        device=device.id,
        name=device.name,
        count=1,
        memory_mib=None if device.memory is None else device.memory // 2**20,
        cpus=limits.cpus(),
        ram_mib=limits.memory() // 2**20,
        precision=precision,
    )


def _load(root: Path, train: Train, precision: Precision, story: Story) -> Inputs:
    """Model, then data: a fault of the model shows before minutes go into tokens."""
    story.enter("load")
    source = Source.of(train, root)
    tokenizer = load_tokenizer(source)
    recipe = RECIPES[train.recipe]
    set_seed(train.seed)
    # Weights that learn stay in fp32 beside autocast: bf16 alone loses small updates.
    loaded = load_model(source, train, _DTYPES[precision if recipe.freezes else "fp32"])
    check_vocabulary(loaded, tokenizer)
    model = recipe.prepare(loaded, train)
    story.enter("data")
    corpus = data.load(root / train.dataset, train, tokenizer, root / container.CACHE)
    return Inputs(model, tokenizer, corpus, data.blocks(corpus, train.sequence_length))


def _start(checkpoints: Path, train: Train, device: Device, corpus: Corpus, story: Story) -> Start:
    """The newest whole checkpoint; raises ConfigError when it belongs to another job."""
    found = checkpoint.newest(checkpoints, story.warn)
    earlier = progress.read(found.path) if found else None
    job = plan.identity(train, len(corpus.train))
    if found is None or earlier is None:
        return Start(None, Progress(job, plan.batch_size(train, device, None)))
    changed = sorted(name for name in job if earlier.job.get(name) != job[name])
    if train.batch_size not in (None, earlier.batch_size):
        changed.append("batch_size")
    if changed:
        raise ConfigError(
            f"the checkpoints are of a job with another {', '.join(changed)}",
            "go on with the settings of that job, or start in an empty folder",
            where=str(found.path),
        )
    return Start(found, earlier)


def _setup(
    root: Path, train: Train, device: Device, precision: Precision, inputs: Inputs, start: Start
) -> Setup:
    return Setup(
        train=train,
        plan=_plan(train, device, len(inputs.blocks), start.progress.batch_size),
        precision=precision,
        device=device,
        checkpoints=root / container.CHECKPOINTS,
        gauge=_gauge(device),
        evaluates=len(inputs.corpus.held_out) > 1,
    )


def _plan(train: Train, device: Device, blocks: int, batch: int) -> Plan:
    wish = os.environ.get(MICRO_BATCH)
    steps = plan.steps(train, blocks, batch)
    suits = RECIPES[train.recipe].learning_rate(train)
    return Plan(
        batch_size=batch,
        micro_batch=plan.micro_batch(train, batch, int(wish) if wish else None),
        steps=steps,
        warmup=math.ceil(train.warmup_share * steps),
        learning_rate=suits if train.learning_rate is None else train.learning_rate,
        workers=plan.workers(train, device, limits.threads()),
    )


def _gauge(device: Device) -> nvml.Gauge:
    if device.kind != "cuda":
        return nvml.NoGauge()
    return nvml.gauge(str(torch.cuda.get_device_properties(0).uuid))


def _tell_plan(story: Story, setup: Setup, inputs: Inputs, start: Start) -> None:
    train, settled = setup.train, setup.plan
    params = sum(weight.numel() for weight in inputs.model.parameters())
    trainable = sum(weight.numel() for weight in inputs.model.parameters() if weight.requires_grad)
    flops = RECIPES[train.recipe].flops_per_token(params, trainable)
    story.tell(
        "plan",
        params=params,
        trainable=trainable,
        steps=settled.steps,
        epochs=round(settled.steps * settled.batch_size / len(inputs.blocks), 3),
        tokens=len(inputs.blocks) * train.sequence_length,
        batch_size=settled.batch_size,
        micro_batch=settled.micro_batch,
        accumulation=settled.accumulation,
        sequence_length=train.sequence_length,
        flops_per_step=flops * settled.batch_size * train.sequence_length,
        resumed_from=start.found.step if start.found else None,
    )


class _Training:
    """The part of a training in which there is something to lose."""

    def __init__(
        self, outputs: Path, setup: Setup, inputs: Inputs, start: Start, story: Story
    ) -> None:
        self._outputs, self._setup, self._inputs = outputs, setup, inputs
        self._start, self._story = start, story
        self._baseline = self._unigram_loss() if setup.evaluates else None

    def make_steps(self, stop: Stop) -> bool:
        """Make all steps that are left; False when asked to stop before the last one."""
        self._story.enter("train")
        steps = Steps(self._setup, self._story, self._start.progress, stop, self._look_up)
        with stop:
            loop = Loop(self._inputs.model, self._inputs.blocks, self._setup, steps)
            made = loop.run_from(self._start.found)
        return made >= self._setup.plan.steps

    def finish(self) -> None:
        """Measure, and write the outputs."""
        steps = self._setup.plan.steps
        if self._setup.evaluates and not self._start.progress.evaluated_at(steps):
            self._measure(steps)
        self._story.enter("save")
        self._save_weights()
        self._story.enter("end")
        report.write(self._outputs / "settings.json", report.settings(self._setup))
        numbers = report.metrics(self._start.progress, steps, self._baseline, self._story.seconds)
        report.write(self._outputs / "metrics.json", numbers)

    def _save_weights(self) -> None:
        train, model = self._setup.train, self._inputs.model
        folder = self._outputs / RECIPES[train.recipe].output
        # Trainer turns it off for the training; whoever generates text wants it.
        model.config.use_cache = True
        RECIPES[train.recipe].save(model, train, folder)
        self._inputs.tokenizer.save_pretrained(folder)

    def _look_up(self, step: int) -> None:
        """Measure in the middle of the training."""
        self._measure(step)
        self._story.enter("train")

    def _measure(self, step: int) -> None:
        self._story.enter("eval")
        train, settled = self._setup.train, self._setup.plan
        loss = evaluate.loss(
            self._inputs.model,
            self._inputs.corpus.held_out,
            train.sequence_length,
            settled.micro_batch,
            self._autocast,
        )
        self._start.progress.eval_curve.append((step, loss))
        self._story.tell("eval", step=step, loss=loss, baseline=self._baseline)

    def _autocast(self) -> AbstractContextManager[object]:
        if self._setup.precision == "fp32":
            return nullcontext()
        return torch.autocast(self._setup.device.kind, _DTYPES[self._setup.precision])

    def _unigram_loss(self) -> float:
        corpus, length = self._inputs.corpus, self._setup.train.sequence_length
        tokens = vocabulary(self._inputs.model)
        return evaluate.unigram_loss(corpus.train, corpus.held_out, length, tokens)
