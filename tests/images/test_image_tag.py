"""A tag changes exactly when something that goes into the image changes."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from longshore.errors import BuildError
from longshore.images.spec import ImageSpec, Secrets
from longshore.images.tag import plan

Change = Callable[[ImageSpec], ImageSpec]


def edit(spec: ImageSpec) -> ImageSpec:
    (spec.project / "train.py").write_text("print('other')\n")
    return spec


def add(spec: ImageSpec) -> ImageSpec:
    (spec.project / "new.py").write_text("")
    return spec


def rename(spec: ImageSpec) -> ImageSpec:
    (spec.project / "train.py").rename(spec.project / "main.py")
    return spec


def make_program(spec: ImageSpec) -> ImageSpec:
    (spec.project / "train.py").chmod(0o755)
    return spec


def require(spec: ImageSpec) -> ImageSpec:
    path = spec.project.parent / "requirements.txt"
    path.write_text("tqdm\n")
    return replace(spec, requirements=path)


def stock(spec: ImageSpec) -> ImageSpec:
    folder = spec.project.parent / "wheels"
    folder.mkdir()
    (folder / "tqdm-4.0-py3-none-any.whl").write_text("wheel")
    return replace(spec, wheelhouse=folder)


@pytest.mark.parametrize(
    "change",
    [
        edit,
        add,
        rename,
        make_program,
        require,
        stock,
        lambda spec: replace(spec, kind="gpu"),
        lambda spec: replace(spec, base="debian:12"),
        lambda spec: replace(spec, torch_index="https://index/simple"),
        lambda spec: replace(spec, apt=("git",)),
        lambda spec: replace(spec, offline=True),
        lambda spec: replace(spec, name="other"),
    ],
)
def test_a_change_gives_a_new_tag(change: Change, spec: ImageSpec) -> None:
    """Whatever reaches the image is part of its name."""
    before = plan(spec).tag
    assert plan(change(spec)).tag != before


def touch(spec: ImageSpec) -> ImageSpec:
    os.utime(spec.project / "train.py", (1, 1))
    return spec


def leave_out(spec: ImageSpec) -> ImageSpec:
    (spec.project / "outputs").mkdir()
    (spec.project / "outputs" / "model.pt").write_text("big")
    (spec.project / "weights.bin").write_text("big")
    return spec


def open_up(spec: ImageSpec) -> ImageSpec:
    (spec.project / "train.py").chmod(0o600)
    return spec


def with_secrets(spec: ImageSpec) -> ImageSpec:
    path = spec.project.parent / "secret"
    path.write_text("s3cret")
    secrets = Secrets(ca=path, netrc=path, pip_conf=path)
    return replace(spec, secrets=secrets, pip_settings="[global]\nindex-url = https://x")


@pytest.mark.parametrize("change", [touch, leave_out, open_up, with_secrets, lambda spec: spec])
def test_what_does_not_reach_the_image_keeps_the_tag(change: Change, spec: ImageSpec) -> None:
    """Times, excluded files, the caller's umask and secrets are no part of an image."""
    before = plan(spec).tag
    assert plan(change(spec)).tag == before


def test_two_checkouts_of_one_project_share_a_tag(spec: ImageSpec, tmp_path: Path) -> None:
    """Where the project lies is no part of it, but each has a context of its own."""
    other = tmp_path / "elsewhere"
    spec.project.rename(other)
    first = plan(replace(spec, project=other))
    other.rename(spec.project)
    second = plan(spec)
    assert first.tag == second.tag
    assert first.folder != second.folder


def test_a_hash_is_remembered_but_a_fresh_file_is_read_again(spec: ImageSpec) -> None:
    """Same size and time stamp within a moment of writing: the content decides."""
    path = spec.project / "train.py"
    before = plan(spec).tag
    facts = path.stat()
    path.write_text("print('HELLO')\n")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert plan(spec).tag != before


def test_a_damaged_memory_of_hashes_is_ignored(spec: ImageSpec) -> None:
    """The index of hashes can be lost or torn without harm."""
    os.utime(spec.project / "train.py", (1, 1))
    first = plan(spec)
    first.folder.with_suffix(".hashes.json").write_text("{torn")
    assert plan(spec).tag == first.tag


def test_a_file_that_vanishes_or_cannot_be_read_is_named(spec: ImageSpec, tmp_path: Path) -> None:
    """The error names the file and says how to leave it out."""
    gone = tmp_path / "gone.txt"
    with pytest.raises(BuildError, match=r"gone\.txt") as caught:
        plan(replace(spec, requirements=gone))
    assert "sync.exclude" in caught.value.hint
