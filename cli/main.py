"""The root of the commands, and the only place that knows about exit codes."""

import sys
import time
import traceback
from importlib import import_module

import click

from .. import __version__
from ..errors import LongshoreError

COMMANDS = {
    "deploy": "Build the image, run the job, bring its outputs home, leave nothing running.",
    "train": "Run the job's entrypoint here, bare: no container, no ledger.",
    "build": "Build the job's image, or say why not.",
    "estimate": "What the job will take and cost, here and elsewhere.",
    "offers": "The machines one could have, cheapest first.",
    "devices": "The hardware of this machine as a job would see it.",
    "ps": "Runs and machines, and what they cost an hour.",
    "logs": "What a run printed; -f follows it.",
    "ssh": "A shell on a run's machine, or one command there.",
    "tunnel": "Ports of a run's machine on this one, until Ctrl-C.",
    "stop": "Stop a run with a checkpoint.",
    "down": "End a run's machine now.",
    "report": "What a run took and cost, against its plan.",
    "gc": "Find what dead commands left, bring it home, end it.",
    "config": "Explain the job's settings and where each came from.",
    "emulate": "Play a cloud on this machine, to try without an account.",
    "init": "Write a commented longshore.yaml.",
    "completion": "Print the shell's completion script.",
}
INTERNAL_FAULT = 70
"""EX_SOFTWARE of sysexits.h: a fault of ours, not of the user."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return load(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            raise UnknownCommandError(args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class UnknownCommandError(LongshoreError):
    exit_code = 2

    def __init__(self, name: str) -> None:
        from ..errors import did_you_mean

        super().__init__(f"no command {name!r}", did_you_mean(name, COMMANDS))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="longshore")
def cli() -> None:
    """Ship a training job to whatever hardware fits, and leave nothing running."""


def load(name: str) -> click.Command:
    """The command of that name, from the file of that name."""
    command = getattr(import_module(f".{name}", __package__), name)
    assert isinstance(command, click.Command)
    return command


def main() -> None:
    """`longshore`."""
    run(cli, "longshore")


def main_deploy() -> None:
    """`deploy`, which is `longshore deploy`."""
    run(load("deploy"), "deploy")


def run(command: click.Command, name: str) -> None:
    """Run a command; a known fault becomes one line, its hint and its own exit code."""
    try:
        command.main(prog_name=name, standalone_mode=False)
    except LongshoreError as error:
        _fail(str(error), error.hint, error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        raise SystemExit(error.exit_code) from error
    except click.ClickException as error:
        _fail(*_in_our_words(error, name), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped by you", "", 130)
    except Exception:
        _fail_internally()


def _in_our_words(error: click.ClickException, name: str) -> tuple[str, str]:
    """What click found wrong with the words of the command, and where to read how they go."""
    message = error.format_message().rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    near = error.possibilities if isinstance(error, click.NoSuchOption) else None
    if isinstance(error, click.NoSuchOption):
        message = f"no option {error.option_name}"
    if near:
        return message, f"did you mean {near[0]}?"
    return message, f"`{context.command_path if context else name} --help` shows how"


def _fail(message: str, hint: str, code: int) -> None:
    click.secho(f"error: {message}", fg="red", err=True)
    if hint:
        click.echo(f"  hint: {hint}", err=True)
    raise SystemExit(code)


def _fail_internally() -> None:
    """A fault of ours: the traceback goes to a file, the user gets one line."""
    from ..configs import folders

    path = folders.state() / f"crash-{int(time.time())}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(traceback.format_exc())
    except OSError:
        traceback.print_exc()
        raise SystemExit(INTERNAL_FAULT) from None
    error = sys.exc_info()[1]
    _fail(f"a fault of Longshore's own: {error!r}", f"please report it with {path}", INTERNAL_FAULT)
