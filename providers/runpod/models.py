"""What we send to REST v2 and what we read of it; unknown fields of answers are passed over.

Answers leave out or null what their state does not have, so only what we cannot do without is
required.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from ...errors import ProviderError


class Read(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, found: Any) -> Any:
        if not isinstance(found, dict):
            return found
        return {name: value for name, value in found.items() if value is not None}


class Sent(BaseModel):
    """A part of a request: RunPod refuses every field that it does not know."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True
    )

    def body(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class DirectSsh(Read):
    host: str
    port: int


class Ssh(Read):
    direct: DirectSsh | None = None


class RuntimePort(Read):
    private: int | None = None
    public: int | None = None
    type: str | None = None
    ip: str | None = None


class Runtime(Read):
    ports: tuple[RuntimePort, ...] = ()


class PersistentRead(Read):
    size: int


class MountsRead(Read):
    persistent: PersistentRead | None = None


class Pod(Read):
    """A pod; `cost` in USD an hour, 0 while it is stopped."""

    id: str
    name: str = ""
    status: str
    cost: Decimal = Decimal(0)
    env: dict[str, str] = Field(default_factory=dict, repr=False)
    mounts: MountsRead = Field(default_factory=MountsRead)
    ssh: Ssh = Field(default_factory=Ssh)
    runtime: Runtime = Field(default_factory=Runtime)

    @property
    def address(self) -> tuple[str, int] | None:
        """Host and port of its sshd, once RunPod has given it one."""
        if self.ssh.direct:
            return self.ssh.direct.host, self.ssh.direct.port
        for port in self.runtime.ports:
            if port.private == 22 and port.type == "tcp" and port.ip and port.public:
                return port.ip, port.public
        return None

    @property
    def volume_gb(self) -> int:
        return self.mounts.persistent.size if self.mounts.persistent else 0


class ByCloud(Read):
    """A number for each cloud."""

    secure: Decimal = Decimal(0)
    community: Decimal = Decimal(0)


class Stock(Read):
    """A data center and how many are free there: NONE, LOW, MEDIUM or HIGH."""

    id: str
    availability: str = ""


class GpuType(Read):
    """A kind of GPU; `memory` in GB, `price` in USD an hour for one."""

    id: str
    name: str = ""
    memory: int = 0
    secure: bool = False
    community: bool = False
    price: ByCloud = Field(default_factory=ByCloud)
    max_count: ByCloud = Field(default_factory=ByCloud)
    availability: str = ""
    data_centers: tuple[Stock, ...] = ()


class DataCenter(Read):
    id: str


class NetworkVolume(Read):
    """A volume of its own, in one data center; `size` in GB."""

    id: str
    name: str = ""
    size: int = 0
    data_center: str


class Registry(Read):
    """A login that RunPod keeps; it is never read back."""

    id: str
    name: str = ""


class BillingRecord(Read):
    """What a pod cost in one span of time, in USD."""

    pod_id: str
    total_amount: Decimal


class LogLine(Read):
    line: str


class CreateGpu(Sent):
    id: str
    count: int
    min_cuda_version: str | None = None
    min_ram_per_gpu: int | None = None
    min_vcpu_count_per_gpu: int | None = None


class Persistent(Sent):
    size: int
    path: str


class Network(Sent):
    volume_id: str
    path: str


class Mounts(Sent):
    persistent: Persistent | None = None
    network: tuple[Network, ...] | None = None


class CreatePod(Sent):
    """A pod to make; `disk` in GB."""

    name: str
    image: str
    gpu: CreateGpu
    cloud: str
    disk: int
    mounts: Mounts
    ports: tuple[str, ...]
    env: dict[str, str] = Field(repr=False)
    args: str | None = None
    data_center_ids: tuple[str, ...] | None = None
    registry: str | None = None


class CreateRegistry(Sent):
    name: str
    username: str
    password: str = Field(repr=False)


class Action(Sent):
    action: str


Model = TypeVar("Model", bound=Read)


def read(kind: type[Model], answer: Mapping[str, Any]) -> Model:
    """A part of an answer as a value; raises ProviderError where it is not as the API says."""
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise ProviderError(
            f"RunPod's answer is not as its API says: {kind.__name__} {where}: {first['msg']}",
            "look for a newer longshore",
        ) from None
