"""What ssh and rsync say went wrong, by exit status and text, as our errors.

ssh tells all its own faults by 255 (ssh(1)), rsync by the numbers in rsync(1).
"""

import errno
import re
from collections.abc import Mapping
from typing import Final

from ...errors import LongshoreError, ProviderError, SyncError, UnreachableError
from .address import Address

SSH: Final = 255
NOT_FOUND: Final = 127
VANISHED: Final = 24
"""Source files went away while they were copied: a job that runs does that."""

_CUT: Final = {10, 12, 14, 20, 30, 35, SSH}
"""Socket, protocol stream, pipe, signal, two timeouts: what a broken connection looks like."""
_IMPOSTOR = re.compile(
    r"host key verification failed|identification has changed|no \S+ host key is known"
    r"|no matching host key type",
    re.IGNORECASE,
)
_DENIED = re.compile(r"permission denied \(|too many authentication failures", re.IGNORECASE)
_DISK = re.compile(r"^rsync: (?:\[\w+\] )?(?P<what>.*) \((?P<number>\d+)\)$", re.MULTILINE)
_RSYNC_ITSELF = re.compile(r"^rsync (error|warning): |^rsync: (\[\w+\] )?connection unexpectedly")


class ImpostorError(ProviderError):
    """What answers at the address is not our machine: nothing was sent to it."""


def of_ssh(status: int, said: str, address: Address) -> LongshoreError:
    """The fault of an ssh that ended, or of the program it was to start there.

    A key that is denied is no passing fault: the host key is checked before it, so this is our
    machine, and it has its list of keys before its sshd starts.
    """
    if status == NOT_FOUND:
        return ProviderError(
            f"a program is missing on the machine at {address}: {_last(said)}",
            "use an image with python3 and rsync in its PATH",
        )
    if _IMPOSTOR.search(said):
        return ImpostorError(
            f"what answers at {address} does not have the host key of our machine",
            "nothing was sent to it; another machine may have taken over the address",
        )
    if _DENIED.search(said):
        return ProviderError(
            f"the machine at {address} refuses the key that was made for it",
            "its authorized_keys was changed: end the run and deploy again",
        )
    return UnreachableError(f"the machine at {address} does not answer: {_last(said) or 'closed'}")


def of_rsync(
    status: int, said: str, address: Address, what: str, hints: Mapping[int, str]
) -> LongshoreError:
    """The fault of a copy of `what`; `hints` say what to do about a number of errno."""
    disk = [found for found in _DISK.finditer(said) if int(found["number"]) in hints]
    if disk:
        fault = disk[0]
        return SyncError(f"{what}: {fault['what']}", hints[int(fault["number"])])
    if status == NOT_FOUND or status in _CUT:
        return of_ssh(status, _without_summary(said), address)
    return SyncError(f"{what}: {_first(said) or f'rsync ended with {status}'}")


def there(number: int) -> str:
    """What to do about a fault of the machine's own disk."""
    return HINTS_THERE.get(number, "")


HINTS_THERE: Final = {
    errno.ENOSPC: "the machine's disk is full: ask for more with resources.disk",
    errno.EDQUOT: "the machine's volume is full: ask for more with resources.disk",
}


def _without_summary(said: str) -> str:
    return "\n".join(line for line in said.splitlines() if not _RSYNC_ITSELF.match(line))


def _first(said: str) -> str:
    lines = _without_summary(said).strip().splitlines()
    return re.sub(r"^rsync: (\[\w+\] )?", "", lines[0]) if lines else ""


def _last(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1].strip() if lines else ""
