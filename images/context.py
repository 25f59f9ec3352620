"""The build context: what goes in, as values, and the folder in the cache where it is laid out.

    Dockerfile                 of the kind
    Dockerfile.api             the same without secret mounts, which the engine's API cannot serve
    .longshore/build/          scripts and constraints of the build itself
    .longshore/lock/           the locked requirements: torch.lock, rest.lock
    .longshore/requirements/   the user's requirements.txt, empty when there are none
    .longshore/apt/            packages.txt
    .longshore/secrets/        empty; only the engine's API puts files here (see `builder`)
    .wheels/{tools,torch,locked,extra}   the wheelhouse, by the step that reads it
    longshore/                 the part of this package that runs inside
    code/                      the user's project

Each part is a folder of its own because a step is run again when a folder it reads has changed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from ..configs import folders
from ..configs.exclude import included, is_excluded
from ..errors import BuildError
from .spec import ImageSpec

PACKAGE = Path(__file__).parent.parent
DOCKERFILES = {"cpu": "Dockerfile", "gpu": "Dockerfile.gpu"}
SCRIPTS = ("net.sh", "slim.py", "warm.py", "constraints.txt")
INSIDE = ("configs", "training")
CODE_SUFFIXES = {".py", ".yaml", ".csv"}
WHEEL_GROUPS = ("tools", "torch", "locked", "extra")

ALWAYS_OUT = (".git", ".env", ".netrc", "__pycache__", "*.pyc")
"""Never part of an image: history, byte code, and the files where people keep passwords."""

SECRET_MOUNT = re.compile(r"--mount=type=secret,\S+ ")

TORCH = re.compile(r"torch|triton|cuda-.*|nvidia-(cu[a-z]+.*|nccl-.*|nvjitlink|nvshmem-.*|nvtx)")
"""torch and what only its CUDA build needs: the layer that almost never changes."""


@dataclass(frozen=True)
class Item:
    """One file of the context: a file of this machine, text made here, or a link's target.

    Files get the modes 0666 or 0777 (programs): in the container any uid may own the job. A
    secret gets 0600; no image's context has one.
    """

    target: str
    content: Path | bytes
    kind: Literal["file", "program", "link", "wheel", "secret"] = "file"


def items(spec: ImageSpec) -> list[Item]:
    """Everything that goes into the image of a spec, sorted by its place in the context."""
    found = [*_build(spec), *_wheels(spec), *package(), *_project(spec)]
    return sorted(found, key=lambda item: item.target)


def lock_names(kind: str) -> dict[str, str]:
    """The locked requirements of a kind: line by project name."""
    lines = (PACKAGE / "images" / f"{kind}.lock").read_text().splitlines()
    return {line.split("==")[0]: line for line in lines if "==" in line}


def _build(spec: ImageSpec) -> Iterator[Item]:
    dockerfile = PACKAGE / DOCKERFILES[spec.kind]
    yield Item("Dockerfile", dockerfile)
    yield Item("Dockerfile.api", SECRET_MOUNT.sub("", dockerfile.read_text()).encode())
    for name in SCRIPTS:
        yield Item(f".longshore/build/{name}", PACKAGE / "images" / name)
    for name, content in locks(spec.kind).items():
        yield Item(f".longshore/lock/{name}", content)
    yield Item(".longshore/requirements/requirements.txt", requirements(spec))
    yield Item(".longshore/apt/packages.txt", lines(spec.apt))
    yield Item(".longshore/secrets/.keep", b"")


def locks(kind: str) -> dict[str, bytes]:
    """The locked requirements in two files: what almost never changes, and the rest."""
    locked = lock_names(kind)
    torch = [line for name, line in locked.items() if TORCH.fullmatch(name)]
    rest = [line for name, line in locked.items() if not TORCH.fullmatch(name)]
    return {"torch.lock": lines(torch), "rest.lock": lines(rest)}


def requirements(spec: ImageSpec) -> Path | bytes:
    """The user's own requirements, and what the exposed services need; empty without either."""
    if not spec.services:
        return spec.requirements or b""
    try:
        own = spec.requirements.read_bytes() if spec.requirements else b""
    except OSError as error:
        raise BuildError(f"cannot read {spec.requirements}: {error.strerror}") from error
    pins = [line for line in _pins() if line.split("==")[0] in spec.services]
    return b"\n".join(part for part in (own, lines(pins)) if part)


def lines(words: Sequence[str]) -> bytes:
    """A text file of one word a line."""
    return "".join(f"{word}\n" for word in words).encode()


def _pins() -> list[str]:
    return (PACKAGE / "images/constraints.txt").read_text().splitlines()


def _wheels(spec: ImageSpec) -> Iterator[Item]:
    for group in WHEEL_GROUPS:
        yield Item(f".wheels/{group}/.keep", b"")
    locked = lock_names(spec.kind)
    for wheel in sorted(spec.wheelhouse.glob("*.whl")) if spec.wheelhouse else []:
        yield Item(f".wheels/{wheel_group(wheel.name, locked)}/{wheel.name}", wheel, "wheel")


def wheel_group(filename: str, locked: dict[str, str]) -> str:
    """Which step reads a wheel, by its project name (normalised as in PEP 503)."""
    name = re.sub(r"[-_.]+", "-", filename.split("-")[0]).lower()
    if name == "uv":
        return "tools"
    if TORCH.fullmatch(name):
        return "torch"
    return "locked" if name in locked else "extra"


def package() -> Iterator[Item]:
    """The part of this package that runs inside."""
    for name in ("__init__.py", "errors.py"):
        yield Item(f"longshore/{name}", PACKAGE / name)
    for room in INSIDE:
        for path in included(PACKAGE / room):
            if path.suffix in CODE_SUFFIXES:
                yield Item(f"longshore/{room}/{path}", PACKAGE / room / path)


def _project(spec: ImageSpec) -> Iterator[Item]:
    for path in project_files(spec):
        source = spec.project / path
        if source.is_symlink() and _leads_inside(source, spec.project):
            yield Item(f"code/{path}", str(source.readlink()).encode(), "link")
        elif source.is_file():
            program = source.stat().st_mode & 0o100
            yield Item(f"code/{path}", source, "program" if program else "file")


def project_files(spec: ImageSpec) -> Iterator[PurePosixPath]:
    """The project's files without `sync.exclude`, `.dockerignore`, secrets and the wheelhouse."""
    ignored = _dockerignore(spec.project)
    plain = () if any(negated for negated, _ in ignored) else tuple(rule for _, rule in ignored)
    for path in included(spec.project, _out(spec, plain)):
        if not _is_ignored(path, ignored):
            yield path


def _out(spec: ImageSpec, ignored: tuple[str, ...]) -> tuple[str, ...]:
    ours = folders.inside(spec.project)
    return (*ALWAYS_OUT, *spec.exclude, *_private(spec), *ours, *ignored)


def _private(spec: ImageSpec) -> Iterator[str]:
    for path in (spec.wheelhouse, *spec.secrets.files().values()):
        if path and path.is_relative_to(spec.project) and path != spec.project:
            yield "/" + re.sub(r"([*?[])", r"[\1]", str(path.relative_to(spec.project)))


def _dockerignore(project: Path) -> list[tuple[bool, str]]:
    """Docker's own rules: from the top folder, the last one that matches decides, `!` keeps."""
    path = project / ".dockerignore"
    lines = path.read_text(errors="replace").splitlines() if path.is_file() else []
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [(rule.startswith("!"), f"/{rule.lstrip('!/')}") for rule in rules]


def _is_ignored(path: PurePosixPath, rules: list[tuple[bool, str]]) -> bool:
    ignored = False
    for negated, rule in rules:
        if ignored == negated and is_excluded(path, (rule,)):
            ignored = not negated
    return ignored


def _leads_inside(link: Path, project: Path) -> bool:
    target = link.readlink()
    return not target.is_absolute() and link.resolve().is_relative_to(project)
