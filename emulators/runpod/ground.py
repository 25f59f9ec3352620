"""What all pods of an emulator stand on."""

from dataclasses import dataclass
from pathlib import Path

from .clock import Clock
from .containers import Engine
from .state import World


@dataclass(frozen=True)
class Ground:
    """The world they change, the engine that runs them, and where they find both."""

    world: World
    clock: Clock
    engine: Engine
    state: Path
    port: int
    api: str
    """The base address of GraphQL as containers reach it."""
