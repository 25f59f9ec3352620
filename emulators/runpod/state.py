"""All that this RunPod remembers: pods, volumes, credentials, and the account that owns them."""

import random
import string
import threading
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from .money import Rate, Spans, amount, network, running, stopped, turn
from .stock import Stock, Want

ACTIONS: dict[str, tuple[str, ...]] = {
    "PROVISIONING": ("stop", "terminate"),
    "STARTING": ("stop", "terminate"),
    "RUNNING": ("stop", "restart", "terminate"),
    "EXITED": ("start", "terminate"),
    "ERROR": ("start", "terminate"),
}
"""What can be asked of a pod in each state (RunPod documentation, REST v2 `podAction`)."""
HOLDS_GPUS = frozenset({"PROVISIONING", "STARTING", "RUNNING"})
SYMBOLS = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class Pod:
    """One pod; every change makes a new value (`World.change`)."""

    id: str
    name: str
    image: str
    cloud: str
    data_center: str
    compute: Rate
    created: float
    key: str
    """The pod-scoped API key, which its container finds as RUNPOD_API_KEY."""
    gpu: tuple[str, int] | None = None
    cpu: tuple[str, int] | None = None
    args: str = ""
    disk: int = 20
    ports: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    mounts: dict[str, Any] = field(default_factory=dict)
    registry: str | None = None
    template: str | None = None
    locked: bool = False
    global_networking: bool = False
    public_key: str = ""
    jupyter: bool = False
    bid: Decimal | None = None
    status: str = "PROVISIONING"
    started: float | None = None
    shown: dict[int, int] = field(default_factory=dict)
    """{private: public} ports as the API tells them; they can be out of date."""
    silent: bool = False
    """Its host is broken: no runtime, whatever the status says."""
    last_change: str = ""
    ended: tuple[float, str] | None = None
    """When and why it left the list of pods."""
    spans: Spans = ()

    @property
    def volume_gb(self) -> int:
        return int(self.mounts.get("persistent", {}).get("size", 0))

    @property
    def network_volume(self) -> str | None:
        mounted = self.mounts.get("network")
        return str(mounted[0]["volumeId"]) if mounted else None

    @property
    def want(self) -> Want | None:
        return Want(*self.gpu, self.cloud, self.data_center) if self.gpu else None

    @property
    def rate(self) -> Rate:
        """What it costs an hour in its present state."""
        if self.status in HOLDS_GPUS:
            return running(self.compute, self.disk, self.volume_gb)
        return stopped(self.volume_gb)

    @property
    def cost(self) -> Decimal:
        """`cost` of the API: nothing for a stopped pod, though its volume still costs."""
        return self.rate.total if self.status in HOLDS_GPUS else Decimal(0)


@dataclass(frozen=True)
class Volume:
    """A network volume."""

    id: str
    name: str
    size: int
    data_center: str
    type: str
    spans: Spans = ()


@dataclass(frozen=True)
class Registry:
    id: str
    name: str
    username: str
    password: str = field(repr=False)


@dataclass
class Account:
    key: str = field(repr=False)
    credit: Decimal = Decimal(100)
    spend_limit: Decimal = Decimal(80)
    """USD an hour, RunPod's default."""
    ssh_keys: list[str] = field(default_factory=list)


@dataclass
class World:
    """Everything, behind one lock: whoever reads twice or writes holds `lock`."""

    account: Account
    stock: Stock = field(default_factory=Stock)
    pods: dict[str, Pod] = field(default_factory=dict)
    past: dict[str, Pod] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    past_volumes: list[Volume] = field(default_factory=list)
    registries: dict[str, Registry] = field(default_factory=dict)
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    templates: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def change(self, pod_id: str, **changes: Any) -> Pod | None:
        """The pod with these changes, or None when it has left."""
        with self.lock:
            pod = self.pods.get(pod_id)
            if pod is None:
                return None
            self.pods[pod_id] = replace(pod, **changes)
            return self.pods[pod_id]

    def move(self, pod_id: str, status: str, now: float, why: str = "") -> Pod | None:
        """Enter a state: GPUs are taken or given back, and another rate begins."""
        with self.lock:
            pod = self.pods.get(pod_id)
            if pod is None:
                return None
            self._hand_over(pod, status)
            moved = replace(pod, status=status, last_change=why or pod.last_change)
            spans = moved.spans if moved.rate == pod.rate and pod.spans else None
            moved = replace(moved, spans=spans or turn(pod.spans, moved.rate, now))
            self.pods[pod_id] = moved
            return moved

    def add(self, pod: Pod) -> Pod:
        with self.lock:
            if pod.want:
                self.stock.take(pod.want)
            self.pods[pod.id] = replace(pod, spans=turn((), pod.rate, pod.created))
            return self.pods[pod.id]

    def remove(self, pod_id: str, now: float, why: str) -> Pod | None:
        """Take it off the list; its bill ends, and is remembered."""
        with self.lock:
            pod = self.pods.pop(pod_id, None)
            if pod is None:
                return None
            self._hand_over(pod, "TERMINATED")
            spans = turn(pod.spans, None, now)
            self.past[pod_id] = replace(pod, status="TERMINATED", ended=(now, why), spans=spans)
            return self.past[pod_id]

    def keep_volume(self, volume: Volume, now: float) -> Volume:
        """Add a network volume, or change its size."""
        with self.lock:
            kept = replace(volume, spans=turn(volume.spans, network(volume.size), now))
            self.volumes[volume.id] = kept
            return kept

    def drop_volume(self, volume_id: str, now: float) -> None:
        with self.lock:
            volume = self.volumes.pop(volume_id)
            self.past_volumes.append(replace(volume, spans=turn(volume.spans, None, now)))

    def every_pod(self) -> list[Pod]:
        """Those that are and those that were, oldest first."""
        with self.lock:
            return sorted([*self.past.values(), *self.pods.values()], key=lambda pod: pod.created)

    def spent(self, now: float) -> Decimal:
        with self.lock:
            bills = [pod.spans for pod in self.every_pod()]
            bills += [volume.spans for volume in (*self.volumes.values(), *self.past_volumes)]
        return amount([span for spans in bills for span in spans], 0, now).total

    def balance(self, now: float) -> Decimal:
        return self.account.credit - self.spent(now)

    def _hand_over(self, pod: Pod, status: str) -> None:
        had, has = pod.status in HOLDS_GPUS, status in HOLDS_GPUS
        if pod.want and had and not has:
            self.stock.give(pod.want)
        if pod.want and has and not had:
            self.stock.take(pod.want)


def new_id(length: int = 14) -> str:
    """As RunPod makes them: 14 lower-case letters and digits."""
    return "".join(random.choices(SYMBOLS, k=length))
