"""The docker runtime: one container for each machine, its files in a work folder on this disk.

A container is made when the machine is asked for and started with the job; after the job's end it
stays, with its files, until the machine is torn down. So nearly all its states are RUNNING to us.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from ...configs import container as paths
from ...errors import MachineLostError, NoEngineError, ProviderError
from ...images.engine import connect
from ..base import Exit, Machine, Offer, Order, State
from ..copying import remove
from ..records import Record, Records
from ..work import WorkHost, make
from .creation import MANAGED, STATE, Creation, make_mount_points, record_of
from .faults import translated
from .kinds import DOCKER

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

STATES: Final = {
    "created": State.RUNNING,
    "running": State.RUNNING,
    "paused": State.RUNNING,
    "restarting": State.RUNNING,
    "exited": State.RUNNING,
    "removing": State.TEARING_DOWN,
    "dead": State.STUCK,
}
"""The engine's words for a container's state, and what they mean for a machine of ours."""

ENDED: Final = {"exited", "dead"}
CONFLICT: Final = 409
"""The engine's answer to a signal for what does not run."""


class Containers:
    """Machines that are a container and a work folder."""

    def __init__(self, records: Records, entrypoint: Sequence[str]) -> None:
        self._records = records
        self._entrypoint = entrypoint

    def request(self, offer: Offer, order: Order) -> str:
        if order.image is None:
            raise ProviderError(f"{order.name} has no image to run")
        try:
            with translated():
                if self._find(order.name) is None:
                    self._create(offer, order, order.image)
        except NoEngineError:
            # The answer was lost, not the machine: it stays on record, to be found again.
            raise
        except ProviderError:
            self._forget(order.name)
            raise
        return order.name

    def look(self, name: str) -> Machine | None:
        record = self._records.load(name)
        try:
            with translated():
                return self._machine(self._find(name), record)
        except NoEngineError:
            if record is None or record.state is not State.STUCK:
                raise
            return record.machine()

    def list_owned(self) -> list[Machine]:
        """Containers with our mark, and work folders whose container is gone.

        Raises NoEngineError when an engine that had machines of ours does not answer.
        """
        recorded = {record.name: record for record in self._records.all(DOCKER)}
        with translated():
            names = sorted({*self._names(), *recorded})
            machines = [self._machine(self._find(name), recorded.get(name)) for name in names]
        return [machine for machine in machines if machine]

    def tear_down(self, name: str) -> None:
        record = self._records.load(name)
        try:
            with translated():
                found = self._find(name)
                record = record or (record_of(name, found.labels) if found else None)
                if record is None:
                    return
                self._records.save(replace(record, state=State.TEARING_DOWN, detail=""))
                _remove(found)
                self._forget(name)
        except ProviderError as error:
            if record is None:
                raise
            self._records.save(replace(record, state=State.STUCK, detail=str(error)))

    def host(self, name: str) -> WorkHost:
        return WorkHost(self._records.work(name), ContainerJob(name, self), paths.ROOT)

    def known(self, name: str) -> "Container":
        """Our container of that name; raises MachineLostError when it is not there."""
        found = self._find(name)
        if found is None:
            raise MachineLostError(f"the container {name} is gone")
        return found

    @cached_property
    def _client(self) -> "DockerClient":
        return connect()

    def _create(self, offer: Offer, order: Order, image: str) -> None:
        folder = self._records.work(order.name)
        self._records.save(Record.of(DOCKER, offer, order))
        make(folder, order)
        make_mount_points(order, folder)
        creation = Creation.of(offer, order, image, folder, self._entrypoint)
        self._client.containers.create(**creation.arguments())

    def _forget(self, name: str) -> None:
        """Remove what is kept of a machine on this disk; raises ProviderError with the path."""
        folder = self._records.work(name)
        try:
            remove(folder)
        except OSError as error:
            raise ProviderError(f"{error.filename or folder}: {error.strerror}") from error
        self._records.drop(name)

    def _find(self, name: str) -> "Container | None":
        from docker.errors import NotFound

        try:
            found = self._client.containers.get(name)
        except NotFound:
            return None
        if found.labels.get(STATE) != str(self._records.folder):
            raise ProviderError(
                f"a container named {name} was made by somebody else",
                f"remove it with `docker rm -f {name}` if nobody needs it",
            )
        return found

    def _names(self) -> list[str]:
        marks = [MANAGED, f"{STATE}={self._records.folder}"]
        rows = self._client.api.containers(all=True, filters={"label": marks})
        return [row["Names"][0].removeprefix("/") for row in rows]

    def _machine(self, found: "Container | None", record: Record | None) -> Machine | None:
        if found is None:
            return _left_over(record) if record else None
        record = record or record_of(str(found.name), found.labels)
        if record.state is State.RUNNING:
            record = replace(record, state=STATES[found.status])
        return record.machine(self._detail(found))

    def _detail(self, found: "Container") -> str:
        if found.status not in ENDED:
            return "not started" if found.status == "created" else found.status
        code = found.attrs["State"]["ExitCode"]
        told = (self._records.work(str(found.name)) / paths.DONE).exists()
        last = "" if told else found.logs(tail=1).decode(errors="replace").strip()
        return f"ended with {code}" + (f": {last}" if last else "")


class ContainerJob:
    """The entrypoint of one machine of the docker runtime."""

    def __init__(self, name: str, runtime: Containers) -> None:
        self._name = name
        self._runtime = runtime

    def start(self) -> None:
        with translated():
            found = self._runtime.known(self._name)
            if found.status == "created":
                found.start()

    def poll(self) -> Exit | None:
        with translated():
            found = self._runtime.known(self._name)
        if found.status not in ENDED:
            return None
        state = found.attrs["State"]
        # OOMKilled also tells of a child that the entrypoint has survived and replaced.
        return Exit(state["ExitCode"], state["OOMKilled"] and state["ExitCode"] != 0)

    def signal(self, name: Literal["TERM", "KILL"]) -> None:
        from docker.errors import APIError

        with translated():
            found = self._runtime.known(self._name)
            try:
                if found.status in ("running", "paused"):
                    found.kill(signal=f"SIG{name}")
            except APIError as error:
                if error.status_code != CONFLICT:
                    raise


def _remove(found: "Container | None") -> None:
    from docker.errors import NotFound

    if found:
        with suppress(NotFound):
            found.remove(force=True, v=True)


def _left_over(record: Record) -> Machine:
    """A machine whose container is gone but not its files, so that someone tidies up."""
    if record.state is State.RUNNING:
        record = replace(record, state=State.TEARING_DOWN)
    return record.machine("the container is gone, its work folder is left")
