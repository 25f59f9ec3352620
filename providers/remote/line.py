"""The connection in use: asked for when first needed, and anew once it has failed."""

import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import get_args

from .connection import Channel, Connection
from .programs import require


class Line:
    """The current way in, shared by all threads.

    `find` reads the address anew; it raises MachineLostError when the machine is gone or stopped
    and UnreachableError while nobody can say. Both are passed on.
    """

    def __init__(self, find: Callable[[], Connection]) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._current: Connection | None = None

    def connection(self) -> Connection:
        with self._lock:
            if self._current is None:
                require()
                self._current = self._find()
            return self._current

    def failed(self, connection: Connection, channel: Channel) -> bool:
        """Hang up a connection that failed and find the machine again; whether it has moved."""
        hang_up(connection, channel)
        with self._lock:
            if self._current in (connection, None):
                self._current = None
                self._current = self._find()
            return self._current != connection

    def close(self) -> None:
        """End both shared connections, with all that uses them."""
        with self._lock:
            current, self._current = self._current, None
        if current:
            for channel in get_args(Channel):
                hang_up(current, channel)


def hang_up(connection: Connection, channel: Channel) -> None:
    """End a shared connection, so that nothing new is sent down a line that is dead."""
    control = connection.control(channel)
    if control.exists():
        with suppress(OSError, subprocess.TimeoutExpired):
            words = connection.close_words(channel)
            subprocess.run(words, capture_output=True, timeout=5, check=False)
        control.unlink(missing_ok=True)
