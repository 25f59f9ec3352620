"""The keys of one machine: ours to log in with, and the host key it was given before it booted."""

import hashlib
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...configs import folders
from ...errors import ProviderError
from ..copying import remove
from .programs import require

ALIAS: Final = "longshore"
"""The one name in a machine's known_hosts: its address may change, its key never does."""

_LOGIN: Final = "login"
_HOST: Final = "host"
_KNOWN: Final = "known_hosts"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Keys:
    """A folder with two ed25519 pairs, `login` and `host`, readable by this user only."""

    folder: Path

    @classmethod
    def make(cls, name: str) -> "Keys":
        """The keys of a machine: new ones, or those it has, as a request may be made again.

        Raises ProviderError when they cannot be made.
        """
        keys = cls(_folder(name))
        if keys._is_whole():
            return keys
        require()
        try:
            keys._generate()
        except OSError as error:
            raise ProviderError(
                f"cannot make ssh keys in {keys.folder}: {error.strerror}"
            ) from error
        return keys

    @classmethod
    def are_here(cls, name: str) -> bool:
        """Whether this computer has the keys of a machine."""
        return cls(_folder(name))._is_whole()

    @classmethod
    def load(cls, name: str) -> "Keys":
        """The keys made before; raises ProviderError when they are not on this computer."""
        keys = cls(_folder(name))
        if not keys._is_whole():
            raise ProviderError(
                f"the ssh keys of {name!r} are not in {keys.folder}",
                "they stay on the computer that deployed the run: go on from there",
            )
        return keys

    @property
    def identity(self) -> Path:
        """The private key to log in with."""
        return self.folder / _LOGIN

    @property
    def known_hosts(self) -> Path:
        """Knows one host, ALIAS, by the one key that was made for it."""
        return self.folder / _KNOWN

    @property
    def public(self) -> str:
        """The line for the machine's `authorized_keys`."""
        return (self.folder / f"{_LOGIN}.pub").read_text().strip()

    @property
    def host_private(self) -> str:
        """The host key for the machine's sshd, in OpenSSH's private format."""
        return (self.folder / _HOST).read_text()

    def remove(self) -> None:
        """Remove them, once the machine is gone; safe to call twice."""
        try:
            remove(self.folder)
        except OSError as error:
            raise ProviderError(f"{self.folder}: {error.strerror}") from error

    def _is_whole(self) -> bool:
        return self.known_hosts.is_file() and self.identity.is_file()

    def _generate(self) -> None:
        """Make all in a folder beside and give it the name last, so that it is never half there."""
        top = self.folder.parent
        top.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=top, prefix=".new-") as new:
            draft = Path(new, "keys")
            draft.mkdir(mode=0o700)
            for pair in (_LOGIN, _HOST):
                _generate(draft / pair, self.folder.name)
            public = (draft / f"{_HOST}.pub").read_text()
            (draft / _KNOWN).write_text(f"{ALIAS} {public}")
            remove(self.folder)
            os.rename(draft, self.folder)


def keygen_words(path: Path, comment: str) -> list[str]:
    """The command that makes one pair without a passphrase."""
    return ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)]


def _generate(path: Path, comment: str) -> None:
    made = subprocess.run(
        keygen_words(path, comment), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if made.returncode:
        said = made.stderr.decode(errors="replace").strip()
        raise ProviderError(f"ssh-keygen made no key in {path.parent.parent}: {said}")


def _folder(name: str) -> Path:
    """A name that is no plain word (the cloud may tell us any) becomes a hash, as a file name."""
    plain = _PLAIN.fullmatch(name)
    word = name if plain else hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return folders.state() / "keys" / word
