"""The boundary: what a provider does, and the life of the machine it hands back.

    REQUESTED -> BOOTING -> RUNNING -> TEARING_DOWN -> GONE

REFUSED and GONE are the ends. A spot machine may go from any living state to GONE.
STUCK is a tear-down that failed: it still costs money, so it is a state, not an exception.
STOPPED is a machine that runs nothing while its disk is kept, and billed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import Enum, auto
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

from ..configs.spec import Gpu, JobSpec, Runpod, Runtime, Service, Spot

MarketKind = Literal["on-demand", "spot", "own"]
PriceSource = Literal["live", "cache", "bundled", "settings"]


class State(Enum):
    REQUESTED = auto()
    BOOTING = auto()
    RUNNING = auto()
    STOPPED = auto()
    TEARING_DOWN = auto()
    STUCK = auto()
    GONE = auto()
    REFUSED = auto()


MOVES: dict[State, set[State]] = {
    State.REQUESTED: {State.BOOTING, State.RUNNING, State.REFUSED, State.TEARING_DOWN, State.GONE},
    State.BOOTING: {State.RUNNING, State.STOPPED, State.TEARING_DOWN, State.GONE},
    State.RUNNING: {State.BOOTING, State.STOPPED, State.TEARING_DOWN, State.GONE},
    State.STOPPED: {State.BOOTING, State.RUNNING, State.TEARING_DOWN, State.GONE},
    State.TEARING_DOWN: {State.STUCK, State.GONE},
    State.STUCK: {State.TEARING_DOWN, State.GONE},
    State.GONE: set(),
    State.REFUSED: set(),
}
ENDS = {state for state, moves in MOVES.items() if not moves}
BILLED = {State.BOOTING, State.RUNNING, State.STOPPED, State.TEARING_DOWN, State.STUCK}


@dataclass(frozen=True)
class Need:
    """What a job asks of a machine; memory and disk in bytes, the bid in USD per GPU-hour.

    `watts` and `usd_per_kwh` are what the user's own machine draws and pays; `has_image` says that
    machines elsewhere can pull an image of the job's own.
    """

    gpu: Gpu | None = None
    device: str = "auto"
    cpus: float | None = None
    memory: int | None = None
    shm: int | None = None
    disk: int | None = None
    spot: Spot = "never"
    bid: Decimal | None = None
    runtime: Runtime = "auto"
    watts: float = 0.0
    usd_per_kwh: Decimal = Decimal(0)
    has_image: bool = False
    expose: tuple[Service, ...] = ()
    runpod: Runpod = field(default_factory=Runpod)

    @classmethod
    def of(cls, spec: JobSpec) -> "Need":
        asked = spec.resources
        return cls(
            gpu=asked.gpu,
            device=asked.device,
            cpus=asked.cpus,
            memory=asked.memory,
            shm=asked.shm,
            disk=asked.disk,
            spot=spec.market.spot,
            bid=spec.market.bid,
            runtime=spec.local.runtime,
            watts=spec.local.watts,
            usd_per_kwh=spec.local.usd_per_kwh,
            has_image=bool(spec.image.registry or spec.image.name),
            expose=spec.expose,
            runpod=spec.runpod,
        )


@dataclass(frozen=True)
class Offer:
    """One machine one could have, with its price and the age of that price.

    `usd_per_hour` is for the whole machine, taxes not included; `gpu` is a name in `gpus.csv`,
    None for a machine without one; `instance` is the provider's own word for the kind; `note` is
    what the user should know before taking it. `disk_usd_per_hour` is the part of `usd_per_hour`
    that is for disks: a bid speaks of the rest.
    """

    provider: str
    region: str
    instance: str
    gpu: str | None
    gpu_count: int
    market: MarketKind
    usd_per_hour: Decimal
    source: PriceSource
    as_of: date
    zone: str = ""
    vram_mib: int | None = None
    vcpus: float | None = None
    memory_mib: int | None = None
    interruption_band: str = ""
    stock: str = ""
    note: str = ""
    disk_usd_per_hour: Decimal = Decimal(0)

    @property
    def usd_per_gpu_hour(self) -> Decimal:
        """What one GPU of it costs; of a machine without one, the machine."""
        return (self.usd_per_hour - self.disk_usd_per_hour) / max(1, self.gpu_count)


@dataclass(frozen=True)
class Bind:
    """A path on this machine that the job sees read-only at `target`, relative to its root."""

    source: Path
    target: str


@dataclass(frozen=True)
class Order:
    """What is to run on the machine: everything a provider must know before it creates one.

    `binds` are for providers that share this machine's files (`Capabilities.shares_files`);
    `cache` is a folder they keep between runs; the name is unique for each attempt, so that a
    create call whose answer was lost can be found again. A machine elsewhere ends itself after
    `seconds`, or `idle` seconds after anybody last spoke to it before or after its job.
    """

    run: str
    attempt: int
    owner: str
    need: Need
    image: str | None = None
    binds: tuple[Bind, ...] = ()
    cache: Path | None = None
    seconds: int = 24 * 3600
    idle: int = 15 * 60

    @property
    def name(self) -> str:
        return f"longshore-{self.run}-{self.attempt}"


@dataclass(frozen=True)
class Machine:
    """A machine as the provider sees it now; `detail` is the provider's own word on why."""

    id: str
    run: str
    attempt: int
    state: State
    usd_per_hour: Decimal = Decimal(0)
    detail: str = ""

    def moved_to(self, state: State) -> "Machine":
        """This machine in its next state; a move that is not in MOVES is a bug of ours."""
        if state is not self.state and state not in MOVES[self.state]:
            raise ValueError(f"{self.id} cannot go from {self.state.name} to {state.name}")
        return replace(self, state=state)


@dataclass(frozen=True)
class Exit:
    """How the entrypoint ended: its exit code, and whether the kernel killed it for memory."""

    code: int
    out_of_memory: bool = False


class Host(Protocol):
    """How to reach into one machine. Targets are relative to the job's root (`/longshore`).

    Every method raises MachineLostError when the machine is gone or stopped, and UnreachableError
    while nobody can say. `get` may be called from a second thread beside all others.
    """

    def put(self, source: Path, target: str, exclude: Sequence[str] = ()) -> None:
        """Copy a file or folder to the machine; patterns as in `.dockerignore`, names or globs."""
        ...

    def write(self, target: str, content: bytes, mode: int = 0o644) -> None:
        """Write a small file, whole or not at all."""
        ...

    def start(self) -> None:
        """Start the entrypoint; a second call does nothing."""
        ...

    def poll(self) -> Exit | None:
        """How the entrypoint ended, or None while it runs or has not started."""
        ...

    def read(self, path: str, offset: int = 0) -> bytes:
        """A file's bytes from `offset` on; empty when there is no such file yet."""
        ...

    def get(self, source: str, target: Path) -> None:
        """Copy a file or folder home, over what is there; files already equal are kept."""
        ...

    def signal(self, name: Literal["TERM", "KILL"]) -> None:
        """Ask the entrypoint to stop with a checkpoint (TERM), or end it now (KILL)."""
        ...


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do, as data. `shares_files`: its machines see this one's files.

    `interval` and `poll` are the seconds between two looks at a machine that boots, and between
    two at a job that runs.
    """

    spot: bool = False
    bid: bool = False
    shares_files: bool = False
    multi_node: bool = False
    expose: bool = False
    interval: float = 0.1
    poll: float = 0.2

    def missing(self, spec: JobSpec) -> str:
        """What the job insists on and such a provider cannot do; empty when there is nothing."""
        if spec.resources.nodes > 1 and not self.multi_node:
            return "runs a job on one machine: set resources.nodes to 1"
        if spec.market.spot == "only" and not self.spot:
            return "has no spot machines: set market.spot to never or prefer"
        if spec.expose and not self.expose:
            return "cannot expose services: leave expose out"
        return ""


class Provider(Protocol):
    """One place to get machines from. Only `request` may start a bill."""

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    def offers(self, need: Need) -> list[Offer]:
        """What fits the need, cheapest first; raises NoOfferError with the nearest miss.

        The bid is left to the plan, which says how many offers it keeps out.
        """
        ...

    def needs_image(self, offer: Offer, need: Need) -> bool:
        """Whether a machine of this offer runs the job's image; else the project is copied in."""
        ...

    def request(self, offer: Offer, order: Order) -> str:
        """Ask for a machine; comes back at once with its id, not when it runs.

        Raises NoCapacityError where another offer may do, AccountError where none will.
        """
        ...

    def look(self, machine_id: str) -> Machine | None:
        """The machine as it is now, or None when the provider does not know it."""
        ...

    def list_owned(self) -> list[Machine]:
        """Every machine of this ledger, in all regions, ended ones that bill included.

        Known by the marks of their orders: others may share the engine or the account.
        """
        ...

    def tear_down(self, machine_id: str) -> None:
        """End it; safe to call twice, and on a machine that is already gone."""
        ...

    def host(self, machine: Machine) -> Host:
        """The way into a machine that runs."""
        ...


@runtime_checkable
class Wakes(Protocol):
    """A provider whose machines can be STOPPED."""

    def wake(self, machine_id: str) -> None:
        """Start a stopped machine again, to fetch what it holds; its job is not run again.

        Raises NoCapacityError when the place has no room for it now.
        """
        ...


@runtime_checkable
class Bills(Protocol):
    """A provider that tells what it has charged."""

    def billed(self, machine_id: str) -> Decimal | None:
        """USD charged so far for a machine, also one that is gone; None while it does not say."""
        ...


@runtime_checkable
class Shows(Protocol):
    """A provider that can show what it would ask for."""

    def preview(self, offer: Offer, order: Order) -> str:
        """What `request` would send, keys and scripts left out."""
        ...


@runtime_checkable
class Accounts(Protocol):
    """A provider that asks for an account."""

    def has_account(self) -> bool:
        """Whether one is at hand; it may still be refused."""
        ...


@runtime_checkable
class Funds(Protocol):
    """A provider whose account is prepaid."""

    def balance(self) -> Decimal | None:
        """USD that the account can still spend; None while the provider does not say."""
        ...


@runtime_checkable
class Reaches(Protocol):
    """A host that can be entered by ssh. Both give the words of a command; neither runs it."""

    def shell(self, words: Sequence[str] = ()) -> list[str]:
        """A shell on the machine, or one command there."""
        ...

    def tunnel(self, ports: Mapping[int, int]) -> list[str]:
        """Ports of this machine (keys, on 127.0.0.1) led to ports of that one, until ended."""
        ...
