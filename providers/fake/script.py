"""What a job on a fake machine tells: a small training that goes well, told in a few seconds."""

import math
from dataclasses import dataclass

from ...configs.spec import JobSpec
from ...training.events import Event

STEPS = 20
STEP_SECONDS = 0.15
SAVE_EVERY = 10
WORST, BEST, BASELINE = 6.2, 2.1, 6.9
"""Losses in nats per token: the first, the last reachable, and that of a unigram model."""

PARAMETERS = 124_439_808
SEQUENCES = 8
MACHINE: Event = {
    "device": "cuda",
    "name": "Fake GPU",
    "count": 1,
    "memory_mib": 24_576,
    "cpus": 8.0,
    "ram_mib": 65_536,
    "precision": "bf16",
}


@dataclass(frozen=True)
class Beat:
    """One event, told `at` seconds after the start."""

    at: float
    event: Event


def story(spec: JobSpec, resumed: int, exit_code: int) -> list[Beat]:
    """The whole story; steps up to `resumed` are not told again."""
    steps = _steps(spec)
    opening = [Beat(0.2 * number, event) for number, event in enumerate(_opening(spec, resumed))]
    begin = opening[-1].at
    told = [
        Beat(begin + (step - resumed) * STEP_SECONDS, event)
        for step in range(resumed + 1, steps + 1)
        for event in _step(spec, step, steps)
    ]
    last = told[-1].at if told else begin
    closing = [Beat(last + 0.3, event) for event in _closing(steps, exit_code)]
    return [*opening, *told, *closing]


def farewell(beats: list[Beat], at: float) -> list[Beat]:
    """The story as it goes when the job is asked to stop at that time: it saves and ends."""
    told = [beat for beat in beats if beat.at <= at]
    step = max((number for beat in told if (number := step_of(beat.event))), default=0)
    saved = [_event("checkpoint", step=step, seconds=0.1, why="stop")] if step else []
    stopped = [_event("phase", phase="save"), *saved, _event("end", code=75, reason="preempted")]
    return [*told, *(Beat(at, event) for event in stopped)]


def loss(step: int) -> float:
    """A curve that falls as those of small models do, the same each time."""
    return BEST + (WORST - BEST) * math.exp(-step / 6) + 0.05 * math.sin(2.3 * step)


def step_of(event: Event) -> int:
    """The step that an event speaks of; 0 for one that speaks of none."""
    step = event.get("step")
    return step if isinstance(step, int) else 0


def _steps(spec: JobSpec) -> int:
    asked = spec.train.max_steps if spec.train else None
    return min(asked or STEPS, 5 * STEPS)


def _opening(spec: JobSpec, resumed: int) -> list[Event]:
    length, steps = _length(spec), _steps(spec)
    plan = _event(
        "plan",
        params=PARAMETERS,
        trainable=PARAMETERS,
        steps=steps,
        epochs=1.0,
        tokens=steps * SEQUENCES * length,
        batch_size=SEQUENCES,
        micro_batch=SEQUENCES,
        accumulation=1,
        sequence_length=length,
        flops_per_step=6.0 * PARAMETERS * SEQUENCES * length,
        resumed_from=resumed or None,
    )
    return [
        _event("phase", phase="start"),
        {"kind": "hardware", **MACHINE},
        _event("phase", phase="load"),
        _event("phase", phase="data"),
        plan,
        _event("phase", phase="train"),
    ]


def _step(spec: JobSpec, step: int, steps: int) -> list[Event]:
    told = _event(
        "step",
        step=step,
        steps=steps,
        loss=round(loss(step), 4),
        learning_rate=3e-4 * (1 - step / (steps + 1)),
        grad_norm=round(1 + 1 / step, 3),
        tokens_per_s=SEQUENCES * _length(spec) / STEP_SECONDS,
        step_s=STEP_SECONDS,
        epoch=round(step / steps, 3),
        gpu_util=91.0,
        gpu_mib=9_216,
    )
    saves = step % SAVE_EVERY == 0 and step < steps
    return [told, _event("checkpoint", step=step, seconds=0.1, why="every")] if saves else [told]


def _closing(steps: int, code: int) -> list[Event]:
    if code:
        failed = _event("error", text="the fake job was told to fail", hint="", code=code)
        return [failed, _event("end", code=code, reason="failed")]
    return [
        _event("phase", phase="eval"),
        _event("eval", step=steps, loss=round(loss(steps), 4), baseline=BASELINE),
        _event("phase", phase="save"),
        _event("checkpoint", step=steps, seconds=0.1, why="end"),
        _event("phase", phase="end"),
        _event("end", code=0, reason="done"),
    ]


def _length(spec: JobSpec) -> int:
    return spec.train.sequence_length if spec.train else 512


def _event(kind: str, **fields: str | int | float | bool | None) -> Event:
    return {"kind": kind, **fields}
