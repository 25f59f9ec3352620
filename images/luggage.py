"""What a machine takes along whose image is not the job's own: our package, locks and wheels.

    longshore/                    the part of this package that runs inside
    torch.lock, rest.lock         the locked requirements
    requirements.txt, apt.txt     the user's own
    wheels/                       the wheelhouse
    torch-index, offline          settings, each there only when it is set
    ca, netrc, pip_conf           secrets, 0600; `boot.sh` removes them once all is installed

`boot.sh` installs it there.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..configs import folders
from .context import Item, lines, locks, package, requirements
from .spec import ImageSpec
from .stage import full_disk, write
from .tag import content_digests, digest

TORCH_INDEXES: Final = {"cpu": "https://download.pytorch.org/whl/cpu", "gpu": ""}
"""As the Dockerfiles have it: PyPI's own torch is the one for CUDA."""


def pack(spec: ImageSpec) -> Path:
    """A folder with all that a bare image lacks; the same content is the same folder.

    Raises BuildError for a file that cannot be read, or when the disk is full.
    """
    found = sorted(_items(spec), key=lambda item: item.target)
    top = folders.cache() / "luggage"
    with full_disk(top):
        digests = content_digests(found, top / f"{spec.name}.hashes.json")
    folder = top / digest(found, digests, ())
    if not folder.is_dir():
        _lay_out(found, folder)
    return folder


def _items(spec: ImageSpec) -> Iterator[Item]:
    yield from package()
    for name, content in locks(spec.kind).items():
        yield Item(name, content)
    yield Item("requirements.txt", requirements(spec))
    yield Item("apt.txt", lines(spec.apt))
    for wheel in sorted(spec.wheelhouse.glob("*.whl")) if spec.wheelhouse else ():
        yield Item(f"wheels/{wheel.name}", wheel, "wheel")
    index = TORCH_INDEXES[spec.kind] if spec.torch_index is None else spec.torch_index
    if index:
        yield Item("torch-index", lines([index]))
    if spec.offline:
        yield Item("offline", b"")
    yield from _secrets(spec)


def _secrets(spec: ImageSpec) -> Iterator[Item]:
    if spec.pip_settings and not spec.secrets.pip_conf:
        yield Item("pip_conf", spec.pip_settings.encode(), "secret")
    for name, path in spec.secrets.files().items():
        yield Item(name, path, "secret")


def _lay_out(found: list[Item], folder: Path) -> None:
    """Write it beside and give it the name last, so that it is never half there."""
    with full_disk(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as new:
            draft = Path(new, "luggage")
            draft.mkdir(mode=0o700)
            for item in found:
                write(draft / item.target, item)
            if folder.is_dir():
                shutil.rmtree(folder)
            os.rename(draft, folder)
