"""What happens after each step of the optimizer: events, evaluation, checkpoints, the stop."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ..configs.spec import Train
from ..errors import JobFailedError
from . import checkpoint
from .devices import Device
from .nvml import Gauge
from .plan import Plan, Precision
from .progress import Progress
from .stop import Stop
from .story import Story

_SAVE_SECONDS: Final = 300.0
"""The work that may be lost to a machine that vanishes, when the job does not say."""


@dataclass(frozen=True)
class Setup:
    """All that a loop needs to know."""

    train: Train
    plan: Plan
    precision: Precision
    device: Device
    checkpoints: Path
    gauge: Gauge
    evaluates: bool


class Steps(TrainerCallback):
    """Decides after each step what is due: an event, an evaluation, a checkpoint, the end."""

    def __init__(
        self,
        setup: Setup,
        story: Story,
        progress: Progress,
        stop: Stop,
        measure: Callable[[int], None],
    ) -> None:
        self._setup, self._story, self._progress, self._stop = setup, story, progress, stop
        self._measure = measure
        self._parts: list[torch.Tensor] = []
        self._losses: list[torch.Tensor] = []
        self._tokens = 0
        self._mark = self._saved = time.monotonic()
        self._recent = (0, 0.0, 0)
        self._why = "every"

    def add(self, loss: torch.Tensor, tokens: int) -> None:
        """The loss of one micro-batch; those of a step add up to the step's mean."""
        self._parts.append(loss)
        self._tokens += tokens

    def evaluate(self, step: int) -> None:
        """Measure the held-out loss; the time for it is not that of a step."""
        self._measure(step)
        self._mark = time.monotonic()

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: object,
    ) -> None:
        self._mark = time.monotonic()
        step = state.global_step
        if step and self._is_eval_due(step) and not self._progress.evaluated_at(step):
            self.evaluate(step)

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: object,
    ) -> None:
        train, step = self._setup.train, state.global_step
        self._close_step()
        is_last = step >= state.max_steps
        is_stop = self._stop.requested and not is_last
        control.should_log = is_last or step % train.log_every == 0
        # A notice of interruption leaves two minutes: the evaluation is made after the resume.
        control.should_evaluate = not (is_last or is_stop) and self._is_eval_due(step)
        control.should_save = is_last or is_stop or self._is_save_due(step)
        control.should_training_stop = is_last or is_stop
        self._why = "end" if is_last else "stop" if is_stop else "every"

    def on_save(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: object,
    ) -> None:
        """Commit what Trainer has just saved; it counts from here on."""
        draft = self._setup.checkpoints / f"{checkpoint.DRAFT_PREFIX}{state.global_step}"
        self._progress.pending = self._taken()
        self._progress.write(draft)
        checkpoint.commit(draft, state.global_step)
        checkpoint.prune(self._setup.checkpoints, self._setup.train.keep_checkpoints)
        seconds = round(time.monotonic() - self._mark, 3)
        self._story.tell("checkpoint", step=state.global_step, seconds=seconds, why=self._why)
        self._mark = self._saved = time.monotonic()

    def tell_step(self, state: TrainerState, learning_rate: float, grad_norm: float | None) -> None:
        """Write the event for the steps since the last one; raises JobFailedError at NaN."""
        losses = self._taken()
        loss = math.fsum(losses) / len(losses)
        self._progress.pending = []
        if not math.isfinite(loss):
            raise JobFailedError(
                f"the loss is {loss} at step {state.global_step}",
                "lower train.learning_rate; the last checkpoint is kept",
            )
        self._progress.train_curve.append((state.global_step, loss))
        used, memory = self._setup.gauge.read()
        self._story.tell(
            "step",
            step=state.global_step,
            steps=state.max_steps,
            loss=loss,
            learning_rate=learning_rate,
            grad_norm=grad_norm,
            epoch=round(state.epoch or 0.0, 4),
            gpu_util=used,
            gpu_mib=memory,
            **self._speed(),
        )

    def _close_step(self) -> None:
        self._losses.append(torch.stack(self._parts).sum())
        now = time.monotonic()
        self._count(now - self._mark, self._tokens)
        self._parts, self._tokens, self._mark = [], 0, now

    def _count(self, seconds: float, tokens: int) -> None:
        self._progress.seconds += seconds
        self._progress.tokens += tokens
        before = self._recent
        self._recent = (before[0] + 1, before[1] + seconds, before[2] + tokens)

    def _taken(self) -> list[float]:
        """The losses since the last event as numbers; only here the device is waited for."""
        self._progress.pending += [float(loss) for loss in self._losses]
        self._losses = []
        return self._progress.pending

    def _speed(self) -> dict[str, float]:
        """Of the steps made here since the last event, time for evaluation and saving left out."""
        steps, seconds, tokens = self._recent
        self._recent = (0, 0.0, 0)
        seconds = max(seconds, 1e-9)
        return {"tokens_per_s": round(tokens / seconds, 1), "step_s": round(seconds / steps, 5)}

    def _is_eval_due(self, step: int) -> bool:
        every = self._setup.train.eval_every
        return every is not None and step % every == 0 and self._setup.evaluates

    def _is_save_due(self, step: int) -> bool:
        every = self._setup.train.save_every
        if every is not None:
            return step % every == 0
        return time.monotonic() - self._saved >= _SAVE_SECONDS
