"""`longshore emulate`: a cloud on this machine, to try without an account."""

import signal
import threading
from pathlib import Path

import click

from ..configs import folders
from ..errors import LongshoreError

DEFAULT_PORT = 8642
DEFAULT_KEY = "rpa_emulated"


class MissingExtraError(LongshoreError):
    """The servers of the emulators are not installed."""


@click.group()
def emulate() -> None:
    """Play a cloud on this machine, to try without an account."""


@emulate.command()
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True)
@click.option("--key", default=DEFAULT_KEY, show_default=True, help="The only API key it knows.")
@click.option(
    "--speed",
    type=click.Choice(["fast", "realistic"]),
    default="fast",
    show_default=True,
    help="How long pods take to boot: a second, or about one minute as on RunPod.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where volumes live.  [default: a folder for each port in Longshore's state folder]",
)
def runpod(port: int, key: str, speed: str, state: Path | None) -> None:
    """A RunPod whose pods are containers of this machine's Docker engine, until Ctrl-C."""
    try:
        from ..emulators.runpod.emulator import Running
        from ..emulators.runpod.timeline import SPEEDS
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"the emulators need {error.name}", "pip install 'longshore[emulators]'"
        ) from error
    folder = state or folders.state() / "emulators" / f"runpod-{port}"
    running = Running(port, key, folder, SPEEDS[speed])
    over = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: over.set())
    running.start()
    _tell(running.url, key, running.swept)
    over.wait()
    click.echo("ending every pod …")
    running.close()


def _tell(url: str, key: str, swept: int) -> None:
    if swept:
        click.echo(f"removed {swept} container(s) that an emulator before had left")
    click.echo(f"export RUNPOD_API_BASE_URL={url} RUNPOD_API_KEY={key}")
    click.echo(
        "RunPod is played here: REST v2, GraphQL (bids included) and a v1 that is gone.\n"
        "Pods are containers of this machine without GPUs; the money is not real.\n"
        "Ctrl-C ends it, and every pod with it."
    )
