"""The options that shape a job, the same for every command that takes one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from ..environments.layers import Flag, parse_set
from ..environments.resolve import Resolved, resolve

Command = TypeVar("Command", bound=Callable[..., object])

SHORT = {
    "--provider": ("provider", "Where to run: local, runpod, fake, or one you installed."),
    "--runtime": ("local.runtime", "On this machine: docker, process or auto."),
    "--device": ("resources.device", "auto, cpu, cuda, cuda:1, mps or xpu."),
    "--gpu": ("resources.gpu", 'GPU and count, for example "RTX 4090" or A100-80GB:2.'),
    "--cpus": ("resources.cpus", "CPUs the job may use."),
    "--memory": ("resources.memory", "Memory the job may use, for example 16GB."),
    "--spot": ("market.spot", "never, prefer or only."),
    "--bid-price": ("market.bid", "Never pay more than this, in USD per GPU-hour."),
    "--wait": ("market.wait", "Wait this long for a machine at that price, for example 30m."),
    "--expose": ("expose", "Start beside the job, reached through ssh: jupyter,tensorboard,ssh."),
    "--max-cost": ("guards.max_cost", "Stop with a checkpoint when this is spent, in USD."),
    "--max-time": ("guards.max_time", "Stop with a checkpoint after this long, for example 2h."),
}
"""The flag, the setting it stands for, and its help."""


@dataclass(frozen=True)
class JobOptions:
    """Which job, in which environment, with which settings laid over it."""

    config: Path | None
    env: str | None
    flags: tuple[Flag, ...]

    def resolve(self) -> Resolved:
        """The job; raises ConfigError with every fault."""
        return resolve(self.config, self.env, self.flags)


def job_options(command: Command) -> Command:
    """Add the job's options; the command gets them as one `job: JobOptions`."""
    command = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        expose_value=False,
        callback=_collect_set,
        help="Any setting by its dotted name, for example train.epochs=3.",
    )(command)
    for name, (path, text) in reversed(SHORT.items()):
        command = click.option(
            name, expose_value=False, callback=_collector(path, name), help=text
        )(command)
    command = click.option("--env", help="A named environment, for example gpu.")(command)
    return click.option(
        "-f",
        "--config",
        type=click.Path(path_type=Path),
        help="The job's file (longshore.yaml in this folder by default).",
    )(command)


def options(config: Path | None, env: str | None) -> JobOptions:
    """The options of the command that runs now."""
    flags: list[Flag] = click.get_current_context().meta.get(_FLAGS, [])
    return JobOptions(config, env, tuple(flags))


_FLAGS = "longshore.flags"


def _collector(
    path: str, name: str
) -> Callable[[click.Context, click.Parameter, str | None], None]:
    def collect(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.meta.setdefault(_FLAGS, []).append(Flag(path, value, name))

    return collect


def _collect_set(ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> None:
    ctx.meta.setdefault(_FLAGS, []).extend(parse_set(text) for text in values)
