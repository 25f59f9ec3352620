"""What a job exposes beside itself: commands as values, listening on 127.0.0.1 of its machine."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from ..configs import container
from ..configs.spec import Service
from .kept import Command

BOARD: Final = "control/tensorboard"
"""Where the job's events lie as TensorBoard's. Not among the outputs: those may not change once
their manifest is made."""
RESTARTS: Final = 3


def commands(
    names: Iterable[Service], root: Path, env: Mapping[str, str], tokens: Mapping[str, str]
) -> Iterator[Command]:
    """The helpers that the exposed services need; ssh is there without any."""
    for name in names:
        if name == "jupyter" and tokens.get(name):
            yield jupyter(root, {**env, "JUPYTER_TOKEN": tokens[name]})
        if name == "tensorboard":
            yield from tensorboard(root, env)


def jupyter(root: Path, env: Mapping[str, str]) -> Command:
    """JupyterLab on the project; it takes its token from the environment, which no list shows."""
    options = {
        "ip": "127.0.0.1",
        "port": container.PORTS["jupyter"],
        "port_retries": 0,
        "root_dir": root / container.CODE,
    }
    words = (f"--ServerApp.{name}={value}" for name, value in options.items())
    argv = (sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", *words)
    return Command("jupyter", argv, root, _log(root, "jupyter"), env)


def tensorboard(root: Path, env: Mapping[str, str]) -> Iterator[Command]:
    """TensorBoard on what the job writes there itself and on its events, and who feeds it those."""
    places = {"job": root / BOARD, "own": root / container.OUTPUTS / "tensorboard"}
    folders = ",".join(f"{name}:{place}" for name, place in places.items())
    at = ("--host", "127.0.0.1", "--port", str(container.PORTS["tensorboard"]))
    argv = (sys.executable, "-m", "tensorboard.main", *at, "--logdir_spec", folders)
    yield Command("tensorboard", argv, root, _log(root, "tensorboard"), env)
    feeder = (sys.executable, "-m", "longshore.training.board", str(root))
    yield Command("tensorboard's feeder", feeder, root, _log(root, "board"), env)


def read_tokens(root: Path) -> dict[str, str]:
    """The token of each service; none where the file is missing or damaged."""
    try:
        found = json.loads((root / container.TOKENS).read_text())
        return {str(name): str(token) for name, token in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _log(root: Path, name: str) -> Path:
    return root / container.CONTROL / f"{name}.log"
