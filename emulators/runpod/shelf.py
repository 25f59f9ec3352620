"""Network volumes outlive the emulator, as they outlive pods: this remembers which there are."""

import json
import time
from dataclasses import asdict, replace
from pathlib import Path

from .money import network, turn
from .state import Volume

FILE = "volumes.json"


def load_volumes(state: Path) -> dict[str, Volume]:
    """Those of the last emulator in this folder; they cost from now on."""
    path = state / FILE
    if not path.exists():
        return {}
    made = (Volume(**fields) for fields in json.loads(path.read_text()))
    now = time.time()
    return {
        volume.id: replace(volume, spans=turn((), network(volume.size), now)) for volume in made
    }


def save_volumes(volumes: dict[str, Volume], state: Path) -> None:
    state.mkdir(parents=True, exist_ok=True)
    fields = [
        {name: value for name, value in asdict(volume).items() if name != "spans"}
        for volume in volumes.values()
    ]
    (state / FILE).write_text(json.dumps(fields))
