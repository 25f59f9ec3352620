"""A real image registry on this machine, which asks for a password."""

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .conftest import unavailable

WORD = "swordfish"
HTPASSWD = "me:$2b$04$0M/NigxWjObNZ.wfcxKx3u1LA.pAf6qi9l1qtcFCwDwr/p6ugfjES\n"
"""The user `me` and the word above, as bcrypt: the only kind that the registry reads."""

SETTINGS = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
http: {{addr: 127.0.0.1:{port}}}
auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}
"""


@dataclass(frozen=True)
class Registry:
    """Where it listens, as `127.0.0.1:5000`; the engine needs no TLS for such a name."""

    host: str


@contextmanager
def serving(folder: Path) -> Iterator[Registry]:
    """A registry that keeps its images in `folder`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "htpasswd").write_text(HTPASSWD)
    (folder / "config.yml").write_text(SETTINGS.format(folder=folder, port=port))
    words = ["docker-registry", "serve", str(folder / "config.yml")]
    try:
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        unavailable("docker-registry is not installed")
        return
    try:
        _await(port)
        yield Registry(f"127.0.0.1:{port}")
    finally:
        child.terminate()
        child.wait()


def _await(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the registry does not answer")
