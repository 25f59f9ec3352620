"""A small project, and once per session the real CPU image of one."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from longshore.images.build import Built, ensure
from longshore.images.secrets import ca_bundle
from longshore.images.spec import ImageSpec, Secrets


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contexts in a folder of the test's own, and no proxy of the machine in a command."""
    monkeypatch.setenv("LONGSHORE_CACHE", str(tmp_path / "cache"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two files."""
    folder = tmp_path / "project"
    (folder / "lib").mkdir(parents=True)
    (folder / "train.py").write_text("print('hello')\n")
    (folder / "lib" / "model.py").write_text("LAYERS = 2\n")
    return folder


@pytest.fixture
def spec(project: Path) -> ImageSpec:
    """The plainest image of the project."""
    return ImageSpec("demo", "cpu", project, exclude=("outputs", "*.bin"))


@dataclass(frozen=True)
class RealImage:
    """The CPU image as a user would get it, what its build said, and its spec."""

    spec: ImageSpec
    built: Built
    said: tuple[str, ...]


@pytest.fixture(scope="session")
def real_image(
    engine: None, wheelhouse: Path | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealImage]:
    """One real build by the product's own path, removed at the end."""
    project = tmp_path_factory.mktemp("real") / "project"
    project.mkdir()
    (project / "train.py").write_text("print('first')\n")
    netrc = project.parent / "netrc"
    netrc.write_text("machine index.invalid login me password not-to-be-found-8461\n")
    secrets = Secrets(ca=ca_bundle(os.environ), netrc=netrc)
    spec = ImageSpec("longshore-test", "cpu", project, wheelhouse=wheelhouse, secrets=secrets)
    said: list[str] = []
    before = os.environ.get("LONGSHORE_CACHE")
    os.environ["LONGSHORE_CACHE"] = str(project.parent / "cache")
    try:
        image = RealImage(spec, ensure(spec, said.append), tuple(said))
    finally:
        if before is None:
            del os.environ["LONGSHORE_CACHE"]
        else:
            os.environ["LONGSHORE_CACHE"] = before
    yield image
    remove_images("longshore/longshore-test")


def remove_images(repository: str) -> None:
    """Remove the images a test made, by their repository."""
    import docker

    client = docker.from_env()
    for image in client.images.list(repository):
        for tag in image.tags:
            client.images.remove(tag, force=True)
    client.close()
