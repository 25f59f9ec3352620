"""Who may log in to a pod is settled by keys alone, known before it boots."""

import base64
from pathlib import Path

import pytest

from longshore.configs import container
from longshore.training import pod_ssh

KEYS = ["ssh-ed25519 AAAA one", 'ssh-rsa BBBB "two" $(three)']


def test_all_keys_are_let_in_once(tmp_path: Path) -> None:
    """Those of before stay; a second boot adds nothing; nobody else can read the file."""
    file = tmp_path / ".ssh/authorized_keys"
    pod_ssh.allow(["ssh-ed25519 0000 before"], tmp_path)
    for _ in range(2):
        pod_ssh.allow([*KEYS, KEYS[0]], tmp_path)
    assert file.read_text().splitlines() == ["ssh-ed25519 0000 before", *KEYS]
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("keys", "host_key", "fault"),
    [
        ("", "", "PUBLIC_KEY holds no key"),
        (" \n\n", "", "PUBLIC_KEY holds no key"),
        (KEYS[0], "", "LONGSHORE_HOST_KEY is no key in base64"),
        (KEYS[0], "not base64!", "LONGSHORE_HOST_KEY is no key in base64"),
        (KEYS[0], base64.b64encode(b"text").decode(), "LONGSHORE_HOST_KEY is no key in base64"),
    ],
)
def test_says_why_nobody_could_log_in(keys: str, host_key: str, fault: str, tmp_path: Path) -> None:
    """Instead of an sshd that refuses everybody, or shows a key that nobody knows."""
    environ = {container.PUBLIC_KEY: keys, container.HOST_KEY: host_key}
    with pytest.raises(ValueError, match=fault):
        pod_ssh.prepare(environ, tmp_path)


def test_no_password_opens_it() -> None:
    """Neither does a plug-in of the system; tunnels lead to the machine and nowhere else."""
    settings = dict(line.split(" ", 1) for line in pod_ssh.settings().splitlines())
    assert settings["PermitRootLogin"] == "prohibit-password"
    refused = ("PasswordAuthentication", "KbdInteractiveAuthentication", "UsePAM")
    assert {settings[name] for name in refused} == {"no"}
    assert settings["AllowTcpForwarding"] == "local"
