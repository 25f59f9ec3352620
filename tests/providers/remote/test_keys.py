"""Keys are made before the machine, by ssh-keygen, and stay on this computer."""

import base64
import stat
import subprocess
from pathlib import Path

import pytest

from longshore.configs import folders
from longshore.errors import ProviderError
from longshore.providers.remote import Keys
from longshore.providers.remote.keys import ALIAS, keygen_words

NAMES = [
    "longshore-otter-1",
    "two words",
    "-rf",
    "../../up",
    ".",
    "line\nbreak",
    "'\"$(x)",
    "ø" * 200,
]


def test_a_pair_and_a_host_key_are_made() -> None:
    """One line for authorized_keys, one private host key, and nobody else may read either."""
    keys = Keys.make("longshore-otter-1")
    assert keys.folder == folders.state() / "keys" / "longshore-otter-1"
    kind, body, comment = keys.public.split(" ")
    assert (kind, comment) == ("ssh-ed25519", "longshore-otter-1")
    assert base64.b64decode(body)
    assert keys.host_private.startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(keys.identity.stat().st_mode) == 0o600


def test_known_hosts_knows_our_host_key_only() -> None:
    """The one key in known_hosts is the public half of the host key that the machine is given."""
    keys = Keys.make("longshore-otter-1")
    private = keys.folder / "host"
    public = subprocess.check_output(["ssh-keygen", "-y", "-f", private], text=True).split()
    assert keys.known_hosts.read_text().split()[:3] == [ALIAS, *public[:2]]
    assert len(keys.known_hosts.read_text().splitlines()) == 1


def test_keys_are_made_once() -> None:
    """A request that is made again gives its machine the same keys; each machine has its own."""
    assert Keys.make("one").public == Keys.make("one").public == Keys.load("one").public
    assert Keys.make("one").host_private != Keys.make("two").host_private


@pytest.mark.parametrize("name", NAMES)
def test_any_name_has_its_own_folder(name: str) -> None:
    """Whatever a cloud calls a machine, its keys lie right below our folder, and load again."""
    keys = Keys.make(name)
    assert keys.folder.resolve().parent == (folders.state() / "keys").resolve()
    assert Keys.load(name).public == keys.public
    assert "\n" not in keys.public
    assert keys.folder not in [Keys.make(other).folder for other in NAMES if other != name]


def test_lost_keys_are_named() -> None:
    """Keys that are not here are a fault with their place and what to do."""
    with pytest.raises(ProviderError, match=r"the ssh keys of 'gone' are not in .*keys/gone") as e:
        Keys.load("gone")
    assert "computer that deployed" in e.value.hint


def test_half_made_keys_are_made_anew() -> None:
    """What a kill in the middle has left does not pass for keys."""
    keys = Keys.make("one")
    keys.known_hosts.unlink()
    with pytest.raises(ProviderError):
        Keys.load("one")
    assert Keys.make("one").known_hosts.is_file()


def test_keys_are_removed() -> None:
    """Afterwards they are gone; once more is fine."""
    keys = Keys.make("one")
    keys.remove()
    keys.remove()
    assert not keys.folder.exists()


def test_a_state_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of the disk is told with the path."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("LONGSHORE_STATE", str(tmp_path / "file"))
    with pytest.raises(ProviderError, match=r"cannot make ssh keys in .*: Not a directory"):
        Keys.make("one")


def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without OpenSSH or rsync, one line says what is missing and how to install it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match="ssh and ssh-keygen and rsync cannot be found") as e:
        Keys.make("one")
    assert "apt install openssh-client rsync" in e.value.hint
    assert "brew install" in e.value.hint


def test_the_command_that_makes_a_key(tmp_path: Path) -> None:
    """ed25519, no passphrase, the machine's name as comment."""
    assert keygen_words(Path("/k/login"), "otter") == (
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "otter", "-f", "/k/login"]
    )
