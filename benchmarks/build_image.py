"""What a build costs, beside the naive `COPY . && pip install` of the same requirements.

    python -m benchmarks.build_image [--empty-caches]

Both sides are built in one run on one engine, so the ratios hold whatever the machine does.
`--empty-caches` first empties BuildKit's cache mounts (all of them), as on a new machine.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from longshore.images.build import Built, ensure
from longshore.images.builder import command, find_builder
from longshore.images.context import PACKAGE
from longshore.images.engine import connect
from longshore.images.progress import Progress
from longshore.images.run import run_command
from longshore.images.secrets import ca_bundle
from longshore.images.spec import ImageSpec, Secrets
from longshore.images.stage import stage
from longshore.images.tag import plan

TRIES = 2
NAIVE = "longshore-bench/naive"
NAIVE_DOCKERFILE = """\
FROM python:3.11-slim
COPY app /app
RUN --mount=type=secret,id=ca --mount=type=bind,source=.wheels,target=/wheels \\
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \\
    python3 -m venv /venv && /venv/bin/pip install -q --find-links /wheels -r /app/requirements.txt
CMD ["/venv/bin/python", "/app/train.py"]
"""
IMPORT = "import accelerate, peft; from transformers import AutoModelForCausalLM, Trainer"


@dataclass(frozen=True)
class Row:
    """One line of the table; `limit` is the target for `value`, both in the same unit."""

    what: str
    value: float
    limit: float | None
    unit: str

    def __str__(self) -> str:
        limit = "" if self.limit is None else f"<= {self.limit:g}"
        verdict = "" if self.limit is None else ("ok" if self.value <= self.limit else "MISSED")
        return f"{self.what:<52}{self.value:>9.2f} {self.unit:<3}{limit:>9}  {verdict}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--empty-caches", action="store_true")
    empty = parser.parse_args().empty_caches
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LONGSHORE_CACHE"] = f"{folder}/cache"
        with clean_images():
            rows = measured(Path(folder), empty)
    print(*rows, sep="\n")
    sys.exit(any(row.limit is not None and row.value > row.limit for row in rows))


def measured(folder: Path, empty: bool) -> list[Row]:
    """All rows, in the order of their builds."""
    spec = a_spec(folder)
    lay_out_naive(folder / "naive", spec)
    naive, cold = in_turn(
        lambda: build_naive(folder / "naive", spec), lambda: build_cold(spec), empty
    )
    first = ensure(spec)
    nothing = min(timed(lambda: ensure(spec)) for _ in range(3))
    code = min(code_change(spec) for _ in range(3))
    before = ensure(spec)
    code_change(spec)
    added = layers_added(before, ensure(spec))
    requirement = new_requirement(spec)
    ours_mb, naive_mb = size(first.tag) / 1e6, size(NAIVE) / 1e6
    ours_s, naive_s = fresh_import(first.tag, "python"), fresh_import(NAIVE, "/venv/bin/python")
    return [
        Row("nothing changed", nothing, 1, "s"),
        Row("code change", code, 1, "s"),
        Row("  layers it adds", added, 1, ""),
        Row("new requirement", requirement, 5, "s"),
        Row("cold build", cold, None, "s"),
        Row("cold build, naive", naive, None, "s"),
        Row("cold build / naive", cold / naive, 0.6, ""),
        Row("size", ours_mb, None, "MB"),
        Row("size, naive", naive_mb, None, "MB"),
        Row("size / naive", ours_mb / naive_mb, 0.75, ""),
        Row("import of the training stack, fresh container", ours_s, None, "s"),
        Row("import of the training stack, naive", naive_s, None, "s"),
    ]


def a_spec(folder: Path) -> ImageSpec:
    """A project of one file, with a CPU wheel of torch where pip can get one."""
    project, wheels = folder / "project", folder / "wheels"
    project.mkdir()
    wheels.mkdir()
    (project / "train.py").write_text("print('hello')\n")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels)]
    subprocess.run([*pip, "torch==2.13.0+cpu"], check=False, capture_output=True)
    secrets = Secrets(ca=ca_bundle(os.environ))
    house = wheels if any(wheels.iterdir()) else None
    return ImageSpec("longshore-bench", "cpu", project, wheelhouse=house, secrets=secrets)


def lay_out_naive(folder: Path, spec: ImageSpec) -> None:
    """The same project and requirements for the naive build; its wheels cost it no layer."""
    (folder / ".wheels").mkdir(parents=True)
    (folder / "app").mkdir()
    (folder / "app/train.py").write_text("print('hello')\n")
    (folder / "app/requirements.txt").write_text((PACKAGE / "images/cpu.lock").read_text())
    (folder / "Dockerfile").write_text(NAIVE_DOCKERFILE)
    for wheel in spec.wheelhouse.iterdir() if spec.wheelhouse else []:
        os.link(wheel, folder / ".wheels" / wheel.name)


def build_naive(folder: Path, spec: ImageSpec) -> None:
    ours = command(plan(spec), find_builder())
    head = ours[: ours.index("--tag")]
    secrets = [f"--secret=id=ca,src={spec.secrets.ca}"] if spec.secrets.ca else []
    words = [*head, "--no-cache", "--tag", NAIVE, *secrets, str(folder)]
    run_command(words, Progress(lambda words: None))


def build_cold(spec: ImageSpec) -> None:
    """Our own command without any cached step, from an empty context folder on."""
    decided = plan(spec)
    stage(decided)
    words = command(decided, find_builder())
    run_command([*words[:-1], "--no-cache", words[-1]], Progress(lambda words: None))


def code_change(spec: ImageSpec) -> float:
    """Never the same change twice: BuildKit remembers earlier runs."""
    (spec.project / "train.py").write_text(f"print({time.time_ns()})\n")
    return timed(lambda: ensure(spec))


def new_requirement(spec: ImageSpec) -> float:
    path = spec.project.parent / "requirements.txt"
    path.write_text(f"tabulate==0.9.0  # {time.time_ns()}\n")
    return timed(lambda: ensure(replace(spec, requirements=path)))


def in_turn(
    first: Callable[[], object], second: Callable[[], object], empty: bool
) -> tuple[float, float]:
    """The best of some tries each, taken in turn: a busy moment must not fall on one side only."""
    times: list[list[float]] = [[], []]
    for number in range(2 * TRIES):
        if empty:
            empty_caches()
        times[number % 2].append(timed((first, second)[number % 2]))
    return min(times[0]), min(times[1])


def timed(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def layers_added(before: Built, after: Built) -> int:
    client = connect()
    known, now = (
        client.images.get(built.image_id).attrs["RootFS"]["Layers"] for built in (before, after)
    )
    client.close()
    return len(set(now) - set(known))


def size(tag: str) -> int:
    client = connect()
    image = client.images.get(tag)
    client.close()
    return int(image.attrs["Size"])


def fresh_import(tag: str, python: str) -> float:
    client = connect()

    def once() -> float:
        return timed(
            lambda: client.containers.run(tag, ["-c", IMPORT], entrypoint=python, remove=True)
        )

    seconds = min(once() for _ in range(2))
    client.close()
    return seconds


def empty_caches() -> None:
    docker = find_builder().docker
    words = [docker, "builder", "prune", "-f", "--filter", "type=exec.cachemount"]
    subprocess.run(words, check=True, capture_output=True)


@contextmanager
def clean_images() -> Iterator[None]:
    """Remove what the benchmark made, whatever happened."""
    try:
        yield
    finally:
        client = connect()
        for repository in (NAIVE, "longshore/longshore-bench"):
            for image in client.images.list(repository):
                for tag in image.tags:
                    client.images.remove(tag, force=True)
        client.close()


if __name__ == "__main__":
    main()
