"""Runs copies, patiently: one that is cut goes on over the next connection."""

import subprocess
import time
from collections.abc import Callable
from typing import Final, TypeVar

from ...errors import UnreachableError
from . import faults, sockets
from .connection import Connection
from .copies import Pass
from .line import Line

T = TypeVar("T")

PAUSES: Final = (0.5, 2.0, 5.0)
"""Seconds before each further try: also time for the far side to notice and keep its part."""


class Transfers:
    """Copies to and from one machine, over a shared connection of their own.

    Raises SyncError with the file at fault, UnreachableError after the last try, ProviderError for
    another host key at the same address, and what `Line` raises.
    """

    def __init__(self, line: Line, sleep: Callable[[float], None] = time.sleep) -> None:
        self._line = line
        self._sleep = sleep

    def carry(self, one: Pass) -> None:
        """Make a copy; what has arrived by one try is not sent again by the next."""
        self.patiently(lambda: self._try(one))

    def patiently(self, call: Callable[[], T]) -> T:
        """Call again, a few times, while the machine cannot be reached."""
        for pause in PAUSES:
            try:
                return call()
            except UnreachableError:
                self._sleep(pause)
        return call()

    def _try(self, one: Pass) -> None:
        connection = self._line.connection()
        try:
            _run(one, connection)
        except (UnreachableError, faults.ImpostorError) as fault:
            moved = self._line.failed(connection, "files")
            if moved and isinstance(fault, faults.ImpostorError):
                raise UnreachableError(f"{connection.address} is no longer the address") from fault
            raise


def _run(one: Pass, connection: Connection) -> None:
    sockets.prepare()
    ended = subprocess.run(
        one.words(connection),
        input=one.stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        # Ctrl-C is for the watch to act on: it must not end a copy.
        start_new_session=True,
    )
    if ended.returncode not in (0, faults.VANISHED):
        said = ended.stderr.decode(errors="replace")
        raise faults.of_rsync(ended.returncode, said, connection.address, one.what, one.hints)
