"""`python -m longshore.training.board ROOT`: a job's events as TensorBoard's scalars, as they come.

TensorBoard is imported late: images have it only where a job exposes it.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from ..configs import container
from .events import Event, Tail
from .services import BOARD

TICK: Final = 1.0
SCALARS: Final = {
    "step": ("loss", "learning_rate", "grad_norm", "tokens_per_s", "step_s", "gpu_util", "gpu_mib"),
    "eval": ("loss", "baseline"),
}
GROUPS: Final = {"step": "train", "eval": "eval"}


class Sink(Protocol):
    """Where scalars go."""

    def add(self, tag: str, value: float, step: int, t: float) -> None: ...

    def flush(self) -> None: ...


def main(root: Path) -> None:
    """Feed until the job has ended; raises ImportError without TensorBoard."""
    sink = Files(root / BOARD)
    tail = Tail(root / container.EVENTS, whole=True)
    while not feed(tail.read(), sink):
        time.sleep(TICK)
    # Its keeper would take an end for a death.
    while True:
        time.sleep(3600)


def feed(events: Iterator[Event], sink: Sink) -> bool:
    """Pass the scalars of these events on; whether the job has ended with them."""
    ended = False
    for event in events:
        for tag, value in scalars(event).items():
            step, t = event.get("step"), event.get("t")
            if isinstance(step, int) and isinstance(t, int | float):
                sink.add(tag, value, step, t)
        ended = ended or event["kind"] == "end"
    sink.flush()
    return ended


def scalars(event: Event) -> dict[str, float]:
    """The numbers of an event by their tag, as `train/loss`; what is not known is left out."""
    kind = str(event["kind"])
    values = {name: event.get(name) for name in SCALARS.get(kind, ())}
    return {
        f"{GROUPS[kind]}/{name}": float(value)
        for name, value in values.items()
        if isinstance(value, int | float)
    }


class Files:
    """TensorBoard's own event files in a folder."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event as Record
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._record, self._summary = Record, Summary
        self._writer = EventFileWriter(str(folder))

    def add(self, tag: str, value: float, step: int, t: float) -> None:
        summary = self._summary(value=[self._summary.Value(tag=tag, simple_value=value)])
        self._writer.add_event(self._record(wall_time=t, step=step, summary=summary))

    def flush(self) -> None:
        self._writer.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
