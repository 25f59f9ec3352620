"""The job as one frozen value; `defaults.yaml` says what each field means to a user."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Literal

Bytes = Annotated[int, "size"]
Seconds = Annotated[int, "duration"]
Usd = Annotated[Decimal, "usd"]
Share = Annotated[float, "share"]

Recipe = Literal["lora", "full"]
Init = Literal["pretrained", "random"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]
Spot = Literal["never", "prefer", "only"]
Runtime = Literal["auto", "docker", "process"]
Cloud = Literal["any", "secure", "community"]
Service = Literal["jupyter", "tensorboard", "ssh"]


@dataclass(frozen=True)
class Gpu:
    """A GPU by its name in `gpus.csv`, and how many of it on one machine."""

    name: str
    count: int = 1

    def __str__(self) -> str:
        return self.name if self.count == 1 else f"{self.name}:{self.count}"


@dataclass(frozen=True)
class Lora:
    """The adapter of the `lora` recipe: `W + (alpha / rank) B A`, see arXiv 2106.09685."""

    rank: int = 16
    alpha: int = 32
    dropout: Share = 0.05
    targets: tuple[str, ...] = ("all-linear",)


@dataclass(frozen=True)
class Train:
    """A training by one of our recipes. `None` means: by the device profile or the recipe."""

    recipe: Recipe
    model: str
    dataset: str
    init: Init = "pretrained"
    text_column: str = "text"
    test_share: Share = 0.1
    epochs: float = 1.0
    max_steps: int | None = None
    learning_rate: float | None = None
    warmup_share: Share = 0.03
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    batch_size: int | None = None
    micro_batch: int | None = None
    sequence_length: int = 512
    precision: Precision = "auto"
    gradient_checkpointing: bool = False
    workers: int | None = None
    log_every: int = 5
    eval_every: int | None = None
    save_every: int | None = None
    keep_checkpoints: int = 2
    seed: int = 42
    lora: Lora = field(default_factory=Lora)


@dataclass(frozen=True)
class Resources:
    """What the machine must have; memory and disk in bytes."""

    device: str = "auto"
    gpu: Gpu | None = None
    cpus: float | None = None
    memory: Bytes | None = None
    shm: Bytes = 2 * 1024**3
    disk: Bytes | None = None
    nodes: int = 1
    allow_cpu: bool = False


@dataclass(frozen=True)
class Market:
    """How the price is made; `bid` in USD per GPU-hour, never paid above.

    `wait`: seconds for which a machine at that price is waited for; 0 takes what there is now.
    """

    spot: Spot = "never"
    bid: Usd | None = None
    wait: Seconds = 0


@dataclass(frozen=True)
class Guards:
    """Limits that end a run; each is armed before the job starts."""

    max_cost: Usd | None = None
    max_time: Seconds = 24 * 3600
    idle: Seconds = 15 * 60
    boot_timeout: Seconds = 6 * 60
    recoveries: int = 3


@dataclass(frozen=True)
class Sync:
    """What travels: `data` goes in (read-only), the folder `outputs` receives what comes home.

    `every`: seconds between two copies home while the job runs elsewhere.
    """

    data: tuple[str, ...] = ()
    outputs: str = "outputs"
    exclude: tuple[str, ...] = (".git", ".venv", "__pycache__", "outputs", "node_modules")
    every: Seconds = 5 * 60


@dataclass(frozen=True)
class Image:
    """The image to build, or one that exists (`name`); paths relative to the project.

    `registry` is the repository that machines elsewhere pull the image from.
    """

    name: str | None = None
    registry: str | None = None
    base: str | None = None
    torch_index: str | None = None
    requirements: str | None = None
    apt: tuple[str, ...] = ()
    wheelhouse: str | None = None
    ca: str | None = None
    netrc: str | None = None
    pip_conf: str | None = None
    offline: bool = False


@dataclass(frozen=True)
class Local:
    """This machine as a place to run: which runtime, and what its power costs."""

    runtime: Runtime = "auto"
    watts: float = 120.0
    usd_per_kwh: Usd = Decimal("0.30")


@dataclass(frozen=True)
class Runpod:
    """RunPod as a place to run; `base` is the public image used where there is no registry."""

    cloud: Cloud = "any"
    data_centers: tuple[str, ...] = ()
    volume: str | None = None
    base: str = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"
    min_cuda: str | None = "13.0"


@dataclass(frozen=True)
class JobSpec:
    """One job, whole. Either `train` or `run` is set, never both."""

    name: str
    provider: str = "local"
    train: Train | None = None
    run: str | None = None
    resources: Resources = field(default_factory=Resources)
    market: Market = field(default_factory=Market)
    guards: Guards = field(default_factory=Guards)
    sync: Sync = field(default_factory=Sync)
    image: Image = field(default_factory=Image)
    env: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    expose: tuple[Service, ...] = ()
    local: Local = field(default_factory=Local)
    runpod: Runpod = field(default_factory=Runpod)
