"""A whole RunPod on this machine: started, and ended with everything it made."""

import shutil
import threading
from contextlib import ExitStack, closing
from pathlib import Path

from .clock import Clock
from .cloud import Cloud
from .containers import LOCAL, ON_LINUX, Engine
from .front import Front, Lines
from .ground import Ground
from .hub import Hub
from .rest import application, inner_application
from .server import Server, bind
from .shelf import load_volumes
from .state import Account, World
from .timeline import FAST, Timeline

SETTLE_SECONDS = 0.5


class Running:
    """Its servers, its pods and its book-keeper; `close` ends them all."""

    def __init__(self, port: int, key: str, state: Path, timeline: Timeline = FAST) -> None:
        """Raises EmulatorError for a port that is taken, NoEngineError without Docker."""
        with ExitStack() as undo:
            outer = undo.enter_context(bind(LOCAL, port))
            engine = undo.enter_context(closing(Engine()))
            gateway = engine.gateway()
            inner = undo.enter_context(bind(gateway if ON_LINUX else LOCAL, 0))
            undo.pop_all()
        self.port = int(outer.getsockname()[1])
        api = f"http://{gateway}:{inner.getsockname()[1]}"
        self.swept = engine.sweep(self.port)
        shutil.rmtree(state / "pods", ignore_errors=True)
        world = World(Account(key), volumes=load_volumes(state))
        ground = Ground(world, Clock(), engine, state.resolve(), self.port, api)
        self.hub = Hub(Cloud(ground, timeline))
        lines: Lines = {}
        front = Front(application(self.hub), self.hub, lines)
        behind = Front(inner_application(self.hub), self.hub, lines)
        self._servers = [Server(front, outer, lines), Server(behind, inner, lines)]
        self._engine, self._over = engine, threading.Event()
        self._keeper = threading.Thread(target=self._keep_books, daemon=True)

    @property
    def url(self) -> str:
        return f"http://{LOCAL}:{self.port}"

    def start(self) -> None:
        for server in self._servers:
            server.start()
        self._keeper.start()

    def close(self) -> None:
        for server in self._servers:
            server.end()
        for server in self._servers:
            server.join()
        self._over.set()
        self._keeper.join()
        self.hub.cloud.close()
        self._engine.close()
        shutil.rmtree(self.hub.cloud.ground.state / "pods", ignore_errors=True)

    def _keep_books(self) -> None:
        while not self._over.wait(SETTLE_SECONDS):
            self.hub.cloud.settle()
