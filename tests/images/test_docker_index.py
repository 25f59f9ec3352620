"""A private index with its own CA and a login, and a wheelhouse without any network."""

import base64
import os
import ssl
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from longshore.errors import BuildError
from longshore.images.build import ensure
from longshore.images.context import PACKAGE
from longshore.images.engine import connect
from longshore.images.spec import Secrets

if TYPE_CHECKING:
    from .conftest import RealImage

pytestmark = [pytest.mark.docker, pytest.mark.slow]

LOGIN = "me:not-to-be-found-8461"
WHEEL = "ourpackage-1.0-py3-none-any.whl"


def make_wheel(folder: Path) -> Path:
    """The smallest wheel: one module that says hello."""
    folder.mkdir(parents=True)
    info = "ourpackage-1.0.dist-info"
    with zipfile.ZipFile(folder / WHEEL, "w") as wheel:
        wheel.writestr("ourpackage.py", "WORDS = 'from our own index'\n")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: ourpackage\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"ourpackage.py,,\n{info}/RECORD,,\n")
    return folder / WHEEL


class Private(SimpleHTTPRequestHandler):
    """Serves a folder to those who log in."""

    def do_GET(self) -> None:
        wanted = "Basic " + base64.b64encode(LOGIN.encode()).decode()
        if self.headers.get("Authorization") == wanted:
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="ours"')
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: pytest shows what matters."""


def make_certificates(folder: Path, host: str) -> tuple[Path, Path, Path]:
    """A CA of our own, and a certificate for `host` that it signed, with its key."""
    ca, ca_key = folder / "own-ca.pem", folder / "ca-key.pem"
    certificate, request, key = folder / "host.pem", folder / "host.csr", folder / "key.pem"
    extensions = folder / "extensions"
    extensions.write_text(f"subjectAltName=IP:{host}\n")
    new = ["-newkey", "rsa:2048", "-nodes"]
    sign: list[str | Path] = [
        "-CA",
        ca,
        "-CAkey",
        ca_key,
        "-CAcreateserial",
        "-extfile",
        extensions,
        "-days",
        "2",
    ]
    commands: tuple[list[str | Path], ...] = (
        ["req", "-x509", *new, "-days", "2", "-subj", "/CN=own CA", "-keyout", ca_key, "-out", ca],
        ["req", *new, "-subj", "/CN=own index", "-keyout", key, "-out", request],
        ["x509", "-req", "-in", request, *sign, "-out", certificate],
    )
    for words in commands:
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    return ca, certificate, key


@dataclass(frozen=True)
class Index:
    """Where the private index answers, and the CA that signed its certificate."""

    url: str
    host: str
    ca: Path


GATEWAY = """
import socket, struct
routes = [line.split() for line in open("/proc/net/route")][1:]
print(next(socket.inet_ntoa(bytes.fromhex(r[2])[::-1]) for r in routes if r[1] == "00000000"))
"""


@pytest.fixture
def index(real_image: "RealImage", tmp_path: Path) -> Iterator[Index]:
    """A TLS index at the address by which a container sees this machine."""
    host = says(real_image.built.tag, GATEWAY, network="bridge")
    make_wheel(tmp_path / "index/simple/ourpackage")
    ca, certificate, key = make_certificates(tmp_path, host)
    handler = partial(Private, directory=str(tmp_path / "index"))
    with ThreadingHTTPServer((host, 0), handler) as server:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        yield Index(f"https://{host}:{server.server_port}/simple/", host, ca)
        server.shutdown()


def says(image: str, script: str, network: str = "none") -> str:
    client = connect()
    output: bytes = client.containers.run(
        image, ["-c", script], entrypoint="python", remove=True, network_mode=network
    )
    client.close()
    return output.decode().strip()


def test_a_private_index_with_its_own_ca_and_login(
    real_image: "RealImage", index: Index, tmp_path: Path
) -> None:
    """Three secrets make it work; without the login, or the CA, the error says which to set."""
    requirements, netrc = tmp_path / "requirements.txt", tmp_path / "netrc"
    # A layer that an earlier test run built would be taken from the cache, whatever the secrets.
    requirements.write_text(f"ourpackage==1.0  # {uuid4()}\n")
    netrc.write_text(f"machine {index.host} login me password {LOGIN.split(':')[1]}\n")
    settings = f"[global]\nindex-url = {index.url}\n"
    spec = replace(real_image.spec, requirements=requirements, pip_settings=settings)
    with pytest.raises(BuildError) as caught:
        ensure(replace(spec, secrets=Secrets(netrc=netrc)))
    assert "image.ca" in caught.value.hint
    with pytest.raises(BuildError) as caught:
        ensure(replace(spec, secrets=Secrets(ca=index.ca)))
    assert "image.netrc" in caught.value.hint
    built = ensure(replace(spec, secrets=Secrets(ca=index.ca, netrc=netrc)))
    script = (
        "import ourpackage, pathlib; print(ourpackage.WORDS);"
        "print([p for p in pathlib.Path('/').glob('r*/**/*') if p.is_file() "
        "and p.parts[1] in ('run', 'root') and p.stat().st_size and 'ca' == p.name])"
    )
    assert says(built.tag, script) == "from our own index\n[]"


def test_a_wheelhouse_needs_no_network(
    real_image: "RealImage", wheelhouse: Path | None, tmp_path: Path
) -> None:
    """`image.offline`: every package comes from the folder; the build has no network at all."""
    house = tmp_path / "house"
    house.mkdir()
    words = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(house)]
    if wheelhouse:
        for wheel in wheelhouse.iterdir():
            os.link(wheel, house / wheel.name)
    lock = PACKAGE / "images/cpu.lock"
    pins = (PACKAGE / "images/constraints.txt").read_text().splitlines()
    uv = next(line for line in pins if line.startswith("uv=="))
    subprocess.run([*words, "--find-links", str(house), "-r", str(lock), uv], check=True)
    make_wheel(tmp_path / "own").rename(house / WHEEL)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("ourpackage\n")
    spec = replace(
        real_image.spec,
        requirements=requirements,
        wheelhouse=house,
        secrets=Secrets(),
        offline=True,
    )
    built = ensure(spec)
    assert says(built.tag, "import torch, ourpackage; print(ourpackage.WORDS)") == (
        "from our own index"
    )
