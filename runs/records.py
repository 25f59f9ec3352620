"""A run and its attempts as values, and the words for where a run stands.

    STARTING -> RUNNING -> COLLECTING -> DONE | INTERRUPTED | FAILED

KEPT is a run whose outputs could not be brought home: its machine stays until they are, or
until the user ends it. LOST is a run whose machine went away with what was not home yet.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path

from ..configs import jobfile
from ..configs.spec import JobSpec
from ..providers.base import Machine, State


class Status(Enum):
    STARTING = "starting"
    RUNNING = "running"
    COLLECTING = "collecting"
    KEPT = "kept"
    DONE = "done"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    LOST = "lost"


ENDED = {Status.DONE, Status.INTERRUPTED, Status.FAILED, Status.LOST}


@dataclass(frozen=True)
class Run:
    """One run as the ledger knows it; times in seconds since 1970, UTC."""

    id: str
    spec: JobSpec
    project: Path
    status: Status
    created: float
    ended: float | None = None
    code: int | None = None
    reason: str = ""
    resumed_from: str = ""

    @property
    def job(self) -> str:
        return self.spec.name

    @property
    def is_over(self) -> bool:
        return self.status in ENDED

    @classmethod
    def from_row(cls, row: dict[str, str | float | int | None]) -> "Run":
        """The run that `ledger` stored as a row."""
        return cls(
            id=str(row["id"]),
            spec=jobfile.parse(str(row["spec"])),
            project=Path(str(row["project"])),
            status=Status(row["status"]),
            created=float(row["created"] or 0),
            ended=None if row["ended"] is None else float(row["ended"]),
            code=None if row["code"] is None else int(row["code"]),
            reason=str(row["reason"]),
            resumed_from=str(row["resumed_from"]),
        )


@dataclass(frozen=True)
class Attempt:
    """One machine asked for on behalf of a run; `machine` is empty until the answer came.

    `billed` is what the provider says it has cost in USD, None while it does not say.
    """

    run: str
    number: int
    provider: str
    instance: str
    usd_per_hour: Decimal
    state: State
    requested: float
    machine: str = ""
    gone: float | None = None
    billed: Decimal | None = None

    @classmethod
    def of_machine(cls, provider: str, machine: Machine) -> "Attempt":
        """The attempt behind a machine that the ledger does not know."""
        price = machine.usd_per_hour
        return cls(
            machine.run, machine.attempt, provider, "", price, machine.state, 0.0, machine.id
        )

    @classmethod
    def from_row(cls, row: dict[str, str | float | int | None]) -> "Attempt":
        """The attempt that `ledger` stored as a row."""
        return cls(
            run=str(row["run"]),
            number=int(row["number"] or 0),
            provider=str(row["provider"]),
            instance=str(row["instance"]),
            usd_per_hour=Decimal(str(row["usd_per_hour"])),
            state=State[str(row["state"])],
            requested=float(row["requested"] or 0),
            machine=str(row["machine"]),
            gone=None if row["gone"] is None else float(row["gone"]),
            billed=None if row["billed"] is None else Decimal(str(row["billed"])),
        )


@dataclass(frozen=True)
class Moment:
    """A run entered a phase: build, provision, sync, train, collect, teardown or end."""

    at: float
    phase: str
    detail: str = ""
