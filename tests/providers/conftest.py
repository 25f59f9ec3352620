"""What the tests of providers share: a Docker engine, and an image to run the contract in."""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from longshore.images.engine import connect

from ..conftest import unavailable

ROOT = Path(__file__).parents[2]
BASE = "python:3.11-slim"
DOCKERFILE = f"""
FROM {BASE}
RUN command -v python || ln -s "$(command -v python3)" /usr/local/bin/python
COPY longshore /opt/package/longshore
ENV PYTHONPATH=/opt/package
"""


@pytest.fixture(scope="session")
def image(engine: None) -> Iterator[str]:
    """A small image with Python and this package, without torch: the supervisor needs none."""
    made = subprocess.run(
        [ROOT / "scripts" / "base-image.sh", BASE], capture_output=True, text=True, check=False
    )
    if made.returncode:
        unavailable(f"no base image: {made.stderr}")
    tag = f"longshore-test-providers:{os.getpid()}"
    client = connect()
    client.images.build(fileobj=_context(), custom_context=True, tag=tag, rm=True, forcerm=True)
    yield tag
    client.images.remove(tag, force=True)
    client.close()


def _context() -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        dockerfile = tarfile.TarInfo("Dockerfile")
        dockerfile.size = len(DOCKERFILE.encode())
        tar.addfile(dockerfile, io.BytesIO(DOCKERFILE.encode()))
        for path in [*ROOT.glob("*.py"), *ROOT.glob("configs/*"), *ROOT.glob("training/*.py")]:
            if path.is_file():
                tar.add(path, f"longshore/{path.relative_to(ROOT)}")
    stream.seek(0)
    return stream


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB; needs the right to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)
