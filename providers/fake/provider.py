"""The fake provider: offers from a list, machines that are folders, faults on demand."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import ClassVar, Literal

from ...configs import folders
from ...configs.container import ENTRYPOINT
from ...configs.gpus import matches
from ...errors import MachineLostError, NoCapacityError, NoOfferError, ProviderError
from ..base import Capabilities, Exit, Host, Machine, MarketKind, Need, Offer, Order, State
from ..local.process import Processes, ProcessJob
from ..records import Record, Records
from ..work import WorkHost, make
from .faults import GRACE, Faults
from .job import ScriptedJob

KIND = "fake"
WOKEN = "control/fake-woken"
LIST: tuple[tuple[str, str | None, MarketKind, str, int | None], ...] = (
    ("fake.cpu", None, "on-demand", "0.12", None),
    ("fake.cpu", None, "spot", "0.04", None),
    ("fake.4090", "RTX 4090", "on-demand", "0.69", 24_564),
    ("fake.4090", "RTX 4090", "spot", "0.34", 24_564),
    ("fake.a100", "A100-80GB-SXM", "on-demand", "1.89", 81_920),
    ("fake.a100", "A100-80GB-SXM", "spot", "0.95", 81_920),
    ("fake.h100", "H100-SXM", "on-demand", "2.99", 81_559),
)
"""What is on offer: instance, GPU, market, USD per GPU-hour, memory of one GPU in MiB."""

MARKETS: dict[str, set[str]] = {
    "never": {"on-demand"},
    "prefer": {"on-demand", "spot"},
    "only": {"spot"},
}


class FakeProvider:
    """Machines that are work folders under `state`; their jobs follow a script by `clock`.

    With `real` the host runs the real entrypoint as a process instead. Without `faults`, those
    that the variable LONGSHORE_FAKE names come true.
    """

    name: ClassVar[str] = "fake"
    capabilities: ClassVar[Capabilities] = Capabilities(spot=True, bid=True)

    def __init__(
        self,
        state: Path | None = None,
        faults: Faults | None = None,
        clock: Callable[[], float] = time.time,
        real: bool = False,
        entrypoint: Sequence[str] = ENTRYPOINT,
    ) -> None:
        self._faults = Faults.of_environment() if faults is None else faults
        self._clock = clock
        self._real = real
        self._records = Records((state or folders.state()).resolve() / KIND)
        self._processes = Processes(self._records, entrypoint)
        self._refused = 0
        self._looks: dict[str, int] = {}
        self._stuck: dict[str, int] = {}

    def offers(self, need: Need) -> list[Offer]:
        fits = [offer for offer in self._all(need) if _fits(offer, need)]
        if not fits:
            raise NoOfferError(
                f"nothing fake fits {need.gpu or 'a job without a GPU'}",
                f"there are: {', '.join(sorted({row[1] for row in LIST if row[1]}))}",
            )
        return sorted(fits, key=lambda offer: offer.usd_per_hour)

    def needs_image(self, offer: Offer, need: Need) -> bool:
        return False

    def request(self, offer: Offer, order: Order) -> str:
        if self._refused < self._faults.refuse:
            self._refused += 1
            raise NoCapacityError(f"no capacity for {offer.instance}", "try again later")
        if self._records.load(order.name) is None:
            self._records.save(Record.of(KIND, offer, order))
            make(self._records.work(order.name), order)
            if self._faults.lose_answer:
                raise ProviderError(f"no answer to the request of {order.name}")
        return order.name

    def look(self, machine_id: str) -> Machine | None:
        record = self._records.load(machine_id)
        if record is None:
            return None
        looks = self._looks.get(machine_id, 0)
        self._looks[machine_id] = looks + 1
        if looks < self._faults.unseen:
            return None
        return self._seen(record, looks - self._faults.unseen)

    def list_owned(self) -> list[Machine]:
        ready = self._faults.boots + 1
        machines = (self._seen(record, ready) for record in self._records.all(KIND))
        return [machine for machine in machines if machine]

    def tear_down(self, machine_id: str) -> None:
        record = self._records.load(machine_id)
        if record is None:
            return
        tried = self._stuck.get(machine_id, 0)
        if tried < self._faults.stuck:
            self._stuck[machine_id] = tried + 1
            failed = replace(record, state=State.STUCK, detail="the fake tear-down failed")
            self._records.save(failed)
        else:
            self._processes.tear_down(machine_id)

    def wake(self, machine_id: str) -> None:
        if self._faults.no_wake:
            raise NoCapacityError(f"no room to start {machine_id} again")
        (self._records.work(machine_id) / WOKEN).touch()

    def host(self, machine: Machine) -> Host:
        folder = self._records.work(machine.id)
        if self._real:
            return WorkHost(folder, ProcessJob(machine.id, self._processes))
        return _FakeHost(folder, self._job(machine.id), self._is_lost)

    def _all(self, need: Need) -> list[Offer]:
        count = need.gpu.count if need.gpu else 0
        today = datetime.fromtimestamp(self._clock(), UTC).date()
        return [
            Offer(
                provider=self.name,
                region="fake-1",
                instance=instance,
                gpu=gpu,
                gpu_count=count if gpu else 0,
                market=market,
                usd_per_hour=Decimal(price) * max(count, 1),
                source="bundled",
                as_of=today,
                vram_mib=vram,
                vcpus=8.0,
                memory_mib=65_536,
                interruption_band="<5%" if market == "spot" else "",
            )
            for instance, gpu, market, price, vram in LIST
        ]

    def _seen(self, record: Record, looks: int) -> Machine | None:
        """The machine at the so-maniest look that knows it."""
        machine = record.machine()
        if record.state is not State.RUNNING:
            return machine
        if self._is_gone(record.name):
            return None
        if self._is_asleep(record.name):
            return replace(machine, state=State.STOPPED, detail="the fake host stopped it")
        if self._faults.reject and looks:
            return replace(machine, state=State.REFUSED, detail="the fake bid was too low")
        if looks < self._faults.boots or self._faults.reject:
            return replace(machine, state=State.BOOTING if looks else State.REQUESTED)
        return machine

    def _job(self, name: str) -> ScriptedJob:
        return ScriptedJob(self._records.work(name), self._clock, self._faults)

    def _is_lost(self, name: str) -> bool:
        return self._is_gone(name) or self._is_asleep(name)

    def _is_asleep(self, name: str) -> bool:
        woken = (self._records.work(name) / WOKEN).exists()
        return self._job(name).is_stopped() and not woken

    def _is_gone(self, name: str) -> bool:
        """Whether the machine went away by itself."""
        elapsed, faults = self._job(name).elapsed(), self._faults
        ends = [faults.vanish_after]
        if faults.preempt_after is not None:
            ends.append(faults.preempt_after + GRACE)
        return elapsed > 0 and any(end is not None and elapsed >= end for end in ends)


class _FakeHost(WorkHost):
    """A work folder whose job moves on whenever somebody looks, until the machine is gone."""

    def __init__(self, folder: Path, job: ScriptedJob, is_gone: Callable[[str], bool]) -> None:
        super().__init__(folder, job)
        self._scripted = job
        self._is_gone = is_gone

    def _at(self, path: str) -> Path:
        self._advance()
        return super()._at(path)

    def start(self) -> None:
        self._advance()
        super().start()

    def poll(self) -> Exit | None:
        self._advance()
        return super().poll()

    def signal(self, name: Literal["TERM", "KILL"]) -> None:
        self._advance()
        super().signal(name)

    def _advance(self) -> None:
        if not self._folder.is_dir() or self._is_gone(self._folder.name):
            raise MachineLostError(f"{self._folder.name} is gone")
        self._scripted.advance()


def _fits(offer: Offer, need: Need) -> bool:
    if offer.market not in MARKETS[need.spot]:
        return False
    if need.gpu is None or offer.gpu is None:
        return need.gpu is None and offer.gpu is None
    return matches(need.gpu.name, offer.gpu)
