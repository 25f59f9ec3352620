"""Whether a machine lets us in: the proof that it is ready, which a banner alone is not."""

import subprocess
from typing import Final

from ...errors import UnreachableError
from . import faults
from .connection import CONNECT_SECONDS, Connection

SECONDS: Final = CONNECT_SECONDS + 5


def enter(connection: Connection) -> None:
    """Log in once; the connection that files will take is open then, and is kept.

    Raises UnreachableError when nobody answers, ImpostorError for another host key, ProviderError
    where our own is refused.
    """
    words = connection.ssh_words("true", "files")
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{connection.address} answers and lets nobody in") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        raise faults.of_ssh(done.returncode, said, connection.address)
