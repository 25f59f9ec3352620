"""The programs of this machine that everything here rests on: OpenSSH's client and rsync."""

import os
import shutil
from functools import lru_cache

from ...errors import ProviderError

NEEDED = ("ssh", "ssh-keygen", "rsync")
HINT = "apt install openssh-client rsync, or on a Mac: brew install openssh rsync"


def require() -> None:
    """Raise ProviderError, with what to install, unless all of them are on the PATH."""
    missing = _missing(os.environ.get("PATH", os.defpath))
    if missing:
        raise ProviderError(f"{' and '.join(missing)} cannot be found on this machine", HINT)


@lru_cache(maxsize=8)
def _missing(path: str) -> tuple[str, ...]:
    return tuple(program for program in NEEDED if shutil.which(program, path=path) is None)
