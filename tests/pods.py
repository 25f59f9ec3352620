"""A small image that a pod can be made of: ssh, rsync, Python and this package, without torch."""

import io
import os
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from longshore.images.engine import connect

from .conftest import unavailable

ROOT = Path(__file__).parents[1]
BASE = "python:3.11-slim"
INSIDE = ("*.py", "configs/*", "training/**/*.py")
DOCKERFILE = f"""
FROM {BASE}
RUN apt-get update -q && apt-get install -yq --no-install-recommends openssh-server rsync \\
    && rm -rf /var/lib/apt/lists/* && rm -f /etc/ssh/ssh_host_*
RUN command -v python || ln -s "$(command -v python3)" /usr/local/bin/python
RUN mkdir -p /longshore/code
COPY longshore /opt/package/longshore
ENV PYTHONPATH=/opt/package LONGSHORE_ROOT=/longshore PYTHONUNBUFFERED=1
WORKDIR /longshore
ENTRYPOINT ["python", "-m", "longshore.training"]
"""


@contextmanager
def small_image() -> Iterator[str]:
    """Build it, and remove it at the end; its name."""
    script = [str(ROOT / "scripts" / "base-image.sh"), BASE]
    made = subprocess.run(script, capture_output=True, text=True, check=False)
    if made.returncode:
        unavailable(f"no base image: {made.stderr}")
    tag = f"longshore-test-pod:{os.getpid()}"
    with closing(connect()) as client:
        client.images.build(fileobj=_context(), custom_context=True, tag=tag, rm=True, forcerm=True)
        try:
            yield tag
        finally:
            client.images.remove(tag, force=True)


def _context() -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        dockerfile = tarfile.TarInfo("Dockerfile")
        dockerfile.size = len(DOCKERFILE.encode())
        tar.addfile(dockerfile, io.BytesIO(DOCKERFILE.encode()))
        for path in sorted({path for pattern in INSIDE for path in ROOT.glob(pattern)}):
            if path.is_file():
                tar.add(path, f"longshore/{path.relative_to(ROOT)}")
    stream.seek(0)
    return stream
