"""A pod's public ports: each a TCP proxy, so that it can be late, move, stall and be cut."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable

CHUNK = 1 << 18
CONNECT_SECONDS = 5.0
Target = Callable[[], tuple[str, int] | None]


class Gate:
    """One public port; it is chosen at once, and refuses everybody until `open`."""

    def __init__(self, private: int, target: Target) -> None:
        self.private = private
        self.ready = True
        """While False it accepts and hangs up: nothing answers behind it yet."""
        self.rate: float | None = None
        """Bytes a second in each direction of each connection, or as fast as it goes."""
        self._target = target
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._left: int | None = None
        self._lock = threading.Lock()
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.public = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def open(self) -> None:
        self._listener.listen(64)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if self._thread.ident:
            self._thread.join(CONNECT_SECONDS)
        self._listener.close()
        self.cut()

    def cut(self, after: int = 0) -> None:
        """Break every connection, now or when `after` more bytes have gone through the port."""
        with self._lock:
            self._left = after or None
            pairs = [] if after else list(self._pairs)
        for pair in pairs:
            _break(pair)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        inside = self._connect()
        if inside is None:
            client.close()
            return
        pair = (client, inside)
        with self._lock:
            self._pairs.add(pair)
        back = threading.Thread(target=self._pump, args=(inside, client, pair), daemon=True)
        back.start()
        self._pump(client, inside, pair)
        back.join()
        with self._lock:
            self._pairs.discard(pair)
        for end in pair:
            end.close()

    def _connect(self) -> socket.socket | None:
        where = self._target() if self.ready else None
        if where is None:
            return None
        try:
            inside = socket.create_connection(where, CONNECT_SECONDS)
        except OSError:
            return None
        inside.settimeout(None)
        return inside

    def _pump(
        self, source: socket.socket, sink: socket.socket, pair: tuple[socket.socket, socket.socket]
    ) -> None:
        buffer = memoryview(bytearray(CHUNK))
        try:
            sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while count := source.recv_into(buffer, self._portion()):
                allowed = self._allowed(count)
                sink.sendall(buffer[:allowed])
                if allowed < count:
                    self.cut()
                    return
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            _break(pair)

    def _portion(self) -> int:
        """How much to read at once: slow ports take small sips, and wait after each."""
        if self.rate is None:
            return CHUNK
        sip = int(min(CHUNK, max(1, self.rate / 10)))
        time.sleep(sip / self.rate)
        return sip

    def _allowed(self, count: int) -> int:
        """How many of these bytes may go on; fewer than all of them when a cut is due."""
        with self._lock:
            if self._left is None:
                return count
            allowed = min(count, self._left)
            self._left -= allowed
            return allowed


def _break(pair: tuple[socket.socket, socket.socket]) -> None:
    for end in pair:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
