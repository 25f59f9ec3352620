"""The servers: one for clients on this machine, one that only pods can reach."""

import asyncio
import contextlib
import socket
import threading
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .front import App, Lines
from .problems import EmulatorError

TICK_SECONDS = 1.0
"""How often the server writes a new Date header."""


class Server:
    """An ASGI application in a thread of its own, on a socket that is already bound."""

    def __init__(self, app: App, listener: socket.socket, lines: Lines) -> None:
        config = uvicorn.Config(
            app,
            http=_protocol(lines),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        )
        self._server, self._listener = _Quick(config), listener
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Take no more requests; `join` waits until all are answered."""
        self._server.end()

    def join(self) -> None:
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve([self._listener]))


class _Quick(uvicorn.Server):
    """Ends at once when it is told to, and is not awake ten times a second until then."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """From any thread."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ended.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), TICK_SECONDS)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; raises EmulatorError for a port that is taken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise EmulatorError(
            f"port {port} of {host} is taken",
            "give another with --port, or stop what listens there",
        ) from error
    return listener


def _protocol(lines: Lines) -> type[asyncio.Protocol]:
    """HTTP whose connections can be found by the client's address, to be cut."""

    class Cuttable(H11Protocol):
        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.name = transport.get_extra_info("peername")
            lines[self.name] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lines.pop(self.name, None)

    return Cuttable
