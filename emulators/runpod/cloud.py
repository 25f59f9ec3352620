"""What can be done with pods, whoever asks: REST, GraphQL, or the test behind the scenes."""

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from .boot import Boot
from .ground import Ground
from .inside import own_folder
from .logs import Log
from .problems import (
    HOST_FULL,
    NO_BALANCE,
    OVER_LIMIT,
    ProblemError,
    SupplyError,
    not_found,
)
from .state import ACTIONS, Pod
from .timeline import Timeline

STOP_GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL; Docker's default, RunPod names none."""
DEATHS = ("stuck", "vanished", "error")
"""What becomes of a pod whose machine dies."""
OUTBID_GRACE = 5.0
"""RunPod's documentation of spot pods, before 2026-05."""


@dataclass
class Cloud:
    """The verbs; each changes the world at once, and the engine follows."""

    ground: Ground
    timeline: Timeline
    boots: dict[str, Boot] = field(default_factory=dict)
    logs: dict[str, Log] = field(default_factory=dict)
    sick: list[str] = field(default_factory=list)
    """Stages at which the next boots get stuck, one each."""
    endings: list[threading.Thread] = field(default_factory=list)

    def pod(self, pod_id: str) -> Pod:
        """Raises the 404 of a pod that is not, or no longer, there."""
        found = self.ground.world.pods.get(pod_id)
        if found is None:
            raise not_found()
        return found

    def now(self) -> float:
        return self.ground.clock.now()

    def admit(self, pod: Pod) -> Pod:
        """Rent it out and boot it; raises what the account or the stock says against it."""
        world = self.ground.world
        with world.lock:
            self._afford(pod.cost)
            if pod.want and not world.stock.has(pod.want):
                raise SupplyError
            pod = world.add(replace(pod, last_change=f"Rented by User: {self._date()}"))
        self.logs[pod.id] = Log(self.ground.clock)
        self._boot(pod)
        return pod

    def act(self, pod_id: str, action: str) -> Pod | None:
        """Do what a user may ask for now; raises 409 for what they may not."""
        with self.ground.world.lock:
            pod = self.pod(pod_id)
            if action not in ACTIONS[pod.status]:
                raise ProblemError(409, f"cannot {action} a pod that is {pod.status}")
            if pod.locked and action in ("stop", "restart"):
                raise ProblemError(409, "pod is locked")
            verbs = {"start": self.start, "stop": self.stop, "restart": self.restart}
            if action in verbs:
                return verbs[action](pod)
        self.terminate(pod_id)
        return None

    def start(self, pod: Pod) -> Pod:
        """Boot again, on the machine that it had, if that still has its GPUs."""
        world = self.ground.world
        with world.lock:
            self._afford(replace(pod, status="RUNNING").cost)
            if pod.want and not world.stock.has(pod.want):
                raise SupplyError(HOST_FULL)
            why = f"Rented by User: {self._date()}"
            moved = self._moved(pod, "PROVISIONING", why)
            world.change(pod.id, started=None)
            self._boot(moved)
            return self.pod(pod.id)

    def stop(self, pod: Pod) -> Pod:
        return self._exit(pod, f"Exited by user: {self._date()}", STOP_GRACE)

    def outbid(self, pod_id: str) -> Pod:
        """Somebody bid more: five seconds, and no more."""
        return self._exit(self.pod(pod_id), f"Outbid: {self._date()}", OUTBID_GRACE)

    def restart(self, pod: Pod) -> Pod:
        """The same pod with a fresh container disk."""
        with self.ground.world.lock:
            self._end(pod.id, STOP_GRACE)
            moved = self._moved(pod, "STARTING")
            self._boot(moved)
            return moved

    def terminate(self, pod_id: str, why: str = "Terminated by user") -> None:
        with self.ground.world.lock:
            pod = self.pod(pod_id)
            self.ground.world.remove(pod_id, self.now(), f"{why}: {self._date()}")
            self._end(pod_id, STOP_GRACE, pod)

    def kill_host(self, pod_id: str, how: str) -> None:
        """The machine dies with its disk: the pod hangs without runtime, or vanishes."""
        with self.ground.world.lock:
            pod = self.pod(pod_id)
            if how == "vanished":
                self.ground.world.remove(pod_id, self.now(), f"Host died: {self._date()}")
            elif how == "error":
                self._moved(pod, "ERROR")
            else:
                self.ground.world.change(pod_id, silent=True)
            self._end(pod_id, None, pod)

    def settle(self) -> None:
        """With no credit left all pods stop; those without a network volume are lost.

        RunPod documentation, pricing, 2026-08.
        """
        world = self.ground.world
        with world.lock:
            if world.balance(self.now()) > 0:
                return
            for pod in list(world.pods.values()):
                if not pod.network_volume:
                    self.terminate(pod.id, "Terminated by Runpod")
                elif pod.status != "EXITED":
                    self._exit(pod, f"Exited by Runpod: {self._date()}", STOP_GRACE)

    def edit(self, pod: Pod, changes: dict[str, Any]) -> Pod:
        """Change its settings; what concerns the container makes a running one anew."""
        world = self.ground.world
        with world.lock:
            edited = world.change(pod.id, **changes) or pod
            if changes.keys() - {"name", "locked", "global_networking"} and pod.status == "RUNNING":
                return self.restart(edited)
            return edited

    def close(self) -> None:
        """End every container at once."""
        for boot in list(self.boots.values()):
            boot.end(None)
        for ending in self.endings:
            ending.join()

    def _exit(self, pod: Pod, why: str, grace: float) -> Pod:
        with self.ground.world.lock:
            moved = self._moved(pod, "EXITED", why)
            self._end(pod.id, grace)
            return moved

    def _moved(self, pod: Pod, status: str, why: str = "") -> Pod:
        return self.ground.world.move(pod.id, status, self.now(), why) or pod

    def _boot(self, pod: Pod) -> None:
        boot = Boot(self.ground, pod, self.logs[pod.id], self.timeline, self.boots.get(pod.id))
        boot.stuck_at = self.sick.pop(0) if self.sick else None
        self.ground.world.change(pod.id, silent=False)
        self.boots[pod.id] = boot
        boot.begin()

    def _end(self, pod_id: str, grace: float | None, gone: Pod | None = None) -> None:
        """Call the boot off without waiting; the folder of a pod that is gone goes with it."""
        boot = self.boots[pod_id]
        boot.over.set()

        def finish() -> None:
            boot.end(grace)
            self.logs[pod_id].add("system", "stop container")
            if gone is not None:
                folder = own_folder(pod_id, self.ground.state)
                self.ground.engine.erase(folder, gone.image)

        thread = threading.Thread(target=finish, daemon=True)
        self.endings = [ending for ending in self.endings if ending.is_alive()] + [thread]
        thread.start()

    def _afford(self, cost: Decimal) -> None:
        world = self.ground.world
        if world.balance(self.now()) < cost:
            raise ProblemError(402, NO_BALANCE)
        if sum((pod.cost for pod in world.pods.values()), cost) > world.account.spend_limit:
            raise ProblemError(400, OVER_LIMIT)

    def _date(self) -> str:
        """As JavaScript writes it."""
        words = "%a %b %d %Y %H:%M:%S GMT+0000 (Coordinated Universal Time)"
        return datetime.fromtimestamp(self.now(), UTC).strftime(words)
