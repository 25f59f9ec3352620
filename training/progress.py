"""What a training must remember beside weights and optimizer, so that its story has no gap."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

FILE: Final = "progress.json"


@dataclass
class Progress:
    """Goes into every checkpoint. `pending`: losses of the steps since the last step event.

    `seconds` and `tokens` are of the steps made; curves are [step, loss].
    """

    job: dict[str, object]
    batch_size: int
    pending: list[float] = field(default_factory=list)
    train_curve: list[tuple[int, float]] = field(default_factory=list)
    eval_curve: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    tokens: int = 0

    def evaluated_at(self, step: int) -> bool:
        return bool(self.eval_curve) and self.eval_curve[-1][0] == step

    def write(self, folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(asdict(self)))


def read(folder: Path) -> Progress | None:
    """The progress kept in a checkpoint; None for one that another program made."""
    try:
        raw = json.loads((folder / FILE).read_text())
    except FileNotFoundError:
        return None
    curves = {name: [tuple(point) for point in raw[name]] for name in ("train_curve", "eval_curve")}
    return Progress(**{**raw, **curves})
