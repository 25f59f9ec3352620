"""What ssh and rsync print becomes one of our errors: who is patient with it depends on which."""

import pytest

from longshore.errors import LongshoreError, ProviderError, SyncError, UnreachableError
from longshore.providers.copying import HINTS
from longshore.providers.remote import Address
from longshore.providers.remote.faults import HINTS_THERE, ImpostorError, of_rsync, of_ssh

HERE = Address("203.0.113.7", 40022)
CHANGED = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed."

SSH = [
    (255, "ssh: connect to host 203.0.113.7 port 40022: Connection refused", UnreachableError),
    (255, "ssh: connect to host 203.0.113.7 port 40022: Connection timed out", UnreachableError),
    (255, "kex_exchange_identification: read: Connection reset by peer", UnreachableError),
    (255, "Connection closed by 203.0.113.7 port 40022", UnreachableError),
    (255, "Timeout, server 203.0.113.7 not responding.", UnreachableError),
    (255, "", UnreachableError),
    (-9, "", UnreachableError),
    (255, CHANGED, ImpostorError),
    (255, "No ED25519 host key is known for longshore and you have requested", ImpostorError),
    (255, "Unable to negotiate with 203.0.113.7: no matching host key type found.", ImpostorError),
    (255, "root@203.0.113.7: Permission denied (publickey).", ProviderError),
    (127, "bash: line 1: exec: python3: not found", ProviderError),
]


@pytest.mark.parametrize(("status", "said", "kind"), SSH)
def test_a_fault_of_ssh(status: int, said: str, kind: type[LongshoreError]) -> None:
    """Silence may pass; another host key, a denied key and a missing program do not."""
    fault = of_ssh(status, said, HERE)
    assert type(fault) is kind
    assert "203.0.113.7:40022" in str(fault)
    assert "\n" not in str(fault)


RSYNC = [
    (
        255,
        "Host key verification failed.\nrsync error: unexplained error (code 255)",
        ImpostorError,
    ),
    (255, "ssh: connect to host 203.0.113.7 port 40022: Connection refused", UnreachableError),
    (12, "rsync: connection unexpectedly closed (0 bytes received so far)", UnreachableError),
    (30, "rsync error: timeout in data send/receive (code 30)", UnreachableError),
    (127, "bash: line 1: rsync: command not found", ProviderError),
    (11, 'rsync: [receiver] write failed on "/d/x": No space left on device (28)', SyncError),
    (12, 'rsync: [receiver] write failed on "/d/x": No space left on device (28)', SyncError),
    (23, 'rsync: [sender] opendir "/d/x" failed: Permission denied (13)', SyncError),
    (3, "", SyncError),
]


@pytest.mark.parametrize(("status", "said", "kind"), RSYNC)
def test_a_fault_of_rsync(status: int, said: str, kind: type[LongshoreError]) -> None:
    """A broken connection is told from a file that cannot be read or written."""
    fault = of_rsync(status, said, HERE, "/home/me/data", HINTS)
    assert type(fault) is kind
    assert "\n" not in str(fault)


@pytest.mark.parametrize(("hints", "word"), [(HINTS, "that disk"), (HINTS_THERE, "resources.disk")])
def test_a_full_disk_is_told_with_whose_it_is(hints: dict[int, str], word: str) -> None:
    """What to do about it depends on the side that is full."""
    said = (
        'rsync: [receiver] write failed on "/d/x y": No space left on device (28)\nrsync error: …'
    )
    fault = of_rsync(11, said, HERE, "/home/me/data", hints)
    told = 'write failed on "/d/x y": No space left on device'
    assert str(fault) == f"/home/me/data: {told}"
    assert word in fault.hint
