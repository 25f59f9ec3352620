"""Files that are there whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new name beside `target` that takes its place on success and leaves no trace otherwise."""
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f".{target.name[:200]}.{os.urandom(4).hex()}.part")
    try:
        yield new
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def write_whole(target: Path, content: bytes, mode: int = 0o644, durable: bool = False) -> None:
    """Write a file that nobody can see half-written, nor with a wider mode than asked for."""
    with replacing(target) as new, open(new, "xb", opener=partial(os.open, mode=mode)) as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
