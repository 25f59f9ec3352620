"""What was asked for on this machine, one small file each, kept until all of it is gone.

A record is written before the thing it speaks of is made and removed after it has gone, so that
a command that was killed leaves nothing that the next one cannot find.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from ..errors import ProviderError
from .atomic import write_whole
from .base import Machine, Offer, Order, State


@dataclass(frozen=True)
class Record:
    """One machine; `kind` is who made it, `started` tells its entrypoint from others."""

    name: str
    kind: str
    run: str
    attempt: int
    usd_per_hour: Decimal
    state: State = State.RUNNING
    detail: str = ""
    pid: int | None = None
    started: str = ""

    @classmethod
    def of(cls, kind: str, offer: Offer, order: Order) -> "Record":
        return cls(order.name, kind, order.run, order.attempt, offer.usd_per_hour)

    def machine(self, detail: str = "") -> Machine:
        """This record as the boundary shows it; a fault on record is said before `detail`."""
        return Machine(
            self.name,
            self.run,
            self.attempt,
            self.state,
            self.usd_per_hour,
            self.detail or detail,
        )


class Records:
    """The records in one folder, each beside the work folder of the same name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def work(self, name: str) -> Path:
        """The work folder of a machine."""
        return self.folder / name

    def save(self, record: Record) -> None:
        """Keep it, flushed to the disk; raises ProviderError where the folder takes no files."""
        content = json.dumps(asdict(record) | {"state": record.state.name}, default=str)
        with _ours(self.folder):
            write_whole(self._file(record.name), content.encode(), durable=True)

    def load(self, name: str) -> Record | None:
        with _ours(self._file(name)):
            try:
                return _parsed(self._file(name).read_text())
            except FileNotFoundError:
                return None

    def drop(self, name: str) -> None:
        with _ours(self.folder):
            self._file(name).unlink(missing_ok=True)

    def all(self, *kinds: str) -> list[Record]:
        found = (self.load(path.stem) for path in sorted(self.folder.glob("*.json")))
        return [record for record in found if record and record.kind in kinds]

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.json"


def _parsed(text: str) -> Record:
    raw = json.loads(text)
    price, state = Decimal(raw.pop("usd_per_hour")), State[raw.pop("state")]
    return Record(**raw, usd_per_hour=price, state=state)


@contextmanager
def _ours(path: Path) -> Iterator[None]:
    """Faults of the disk, and of a file that somebody else wrote, as a ProviderError."""
    try:
        yield
    except OSError as error:
        raise ProviderError(
            f"{path}: {error.strerror}", "choose a folder by LONGSHORE_STATE"
        ) from error
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise ProviderError(f"{path} is damaged: {error}", "remove that file") from error
