"""A machine on 127.0.0.1 for the benchmarks: this computer's own sshd, with keys of its own."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from longshore.providers.remote import Address, Connection, Keys, banner

CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey "{folder}/host"
AuthorizedKeysFile "{folder}/authorized_keys"
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
SetEnv "HOME={folder}"
"""


@contextmanager
def machine(folder: Path) -> Iterator[Connection]:
    """A connection to an sshd that runs until the end; needs root and openssh-server."""
    keys = Keys.make("benchmark")
    Path("/run/sshd").mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = Address("127.0.0.1", int(probe.getsockname()[1]))
    files = {
        "host": keys.host_private,
        "authorized_keys": f"{keys.public}\n",
        "sshd_config": CONFIG.format(port=address.port, folder=folder),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    program = shutil.which("sshd", path="/usr/sbin:/usr/bin") or "sshd"
    child = subprocess.Popen([program, "-D", "-f", str(folder / "sshd_config")])
    try:
        while not banner(address, 1):
            time.sleep(0.02)
        yield Connection(address, keys)
    finally:
        child.terminate()
        child.wait()
