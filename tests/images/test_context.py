"""The context holds the project without its secrets, and is laid out anew only where it changed."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from longshore.images.context import TORCH, lock_names, project_files, wheel_group
from longshore.images.spec import ImageSpec, Secrets
from longshore.images.stage import stage
from longshore.images.tag import plan


def names(spec: ImageSpec) -> set[str]:
    return {str(path) for path in project_files(spec)}


def laid_out(spec: ImageSpec) -> Path:
    decided = plan(spec)
    stage(decided)
    return decided.folder


def test_the_context_has_its_known_parts(spec: ImageSpec) -> None:
    """The Dockerfile mounts these folders, so all are there, empty or not."""
    folder = laid_out(replace(spec, apt=("curl", "git")))
    for part in ("secrets", "build", "lock", "requirements", "apt"):
        assert (folder / ".longshore" / part).is_dir()
    for part in ("tools", "torch", "locked", "extra"):
        assert (folder / ".wheels" / part).is_dir()
    assert (folder / ".longshore/apt/packages.txt").read_text() == "curl\ngit\n"
    assert (folder / ".longshore/requirements/requirements.txt").read_text() == ""
    assert (folder / "code/lib/model.py").read_text() == "LAYERS = 2\n"


def test_the_engines_api_gets_a_dockerfile_without_secret_mounts(spec: ImageSpec) -> None:
    """It has no session to ask for secrets; everything else in the file is the same."""
    folder = laid_out(spec)
    plain, api = (folder / "Dockerfile").read_text(), (folder / "Dockerfile.api").read_text()
    assert "type=secret" in plain
    assert "type=secret" not in api
    assert api.count("\n") == plain.count("\n")
    assert len(plain) - len(api) == sum(map(len, re.findall(r"--mount=type=secret,\S+ ", plain)))


def test_only_the_inside_of_this_package_goes_in(spec: ImageSpec) -> None:
    """The container gets the entrypoint and what it imports, and no cloud or command code."""
    folder = laid_out(spec)
    assert {path.name for path in (folder / "longshore").iterdir()} == {
        "__init__.py",
        "errors.py",
        "configs",
        "training",
    }
    assert (folder / "longshore/training/__main__.py").is_file()


def test_an_empty_project_has_an_empty_code_folder(spec: ImageSpec, tmp_path: Path) -> None:
    """A job of our recipes needs no code of the user's."""
    empty = tmp_path / "empty"
    empty.mkdir()
    assert list((laid_out(replace(spec, project=empty)) / "code").iterdir()) == []


@pytest.mark.parametrize("name", [".env", ".git/config", "lib/.netrc", "lib/__pycache__/x.pyc"])
def test_passwords_and_rubbish_stay_out_by_themselves(name: str, spec: ImageSpec) -> None:
    """No setting is needed to keep these out of an image."""
    path = spec.project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    assert names(replace(spec, exclude=())) == {"train.py", "lib/model.py"}


def test_secret_files_and_the_wheelhouse_in_the_project_stay_out(spec: ImageSpec) -> None:
    """A secret named in `image:` is no code, even when it lies beside the code."""
    for name in ("our[1].pem", "login", "pip.conf"):
        (spec.project / name).write_text("secret")
    (spec.project / "wheels").mkdir()
    (spec.project / "wheels" / "a-1-py3-none-any.whl").write_text("x")
    secrets = Secrets(
        spec.project / "our[1].pem", spec.project / "login", spec.project / "pip.conf"
    )
    spec = replace(spec, secrets=secrets, wheelhouse=spec.project / "wheels")
    assert names(spec) == {"train.py", "lib/model.py"}


@pytest.mark.parametrize(
    ("ignore", "kept"),
    [
        ("lib", {"train.py"}),
        ("# comment\n\nlib/\n", {"train.py"}),
        ("model.py", {"train.py", "lib/model.py"}),
        ("**/model.py", {"train.py"}),
        ("*\n!lib", {"lib/model.py"}),
        ("*.py\n!train.py\n", {"train.py", "lib/model.py"}),
        ("lib\n!lib/model.py", {"train.py", "lib/model.py"}),
        ("!lib\nlib", {"train.py"}),
    ],
)
def test_dockerignore_has_dockers_own_rules(ignore: str, kept: set[str], spec: ImageSpec) -> None:
    """Names count from the top folder, the last matching line decides, `!` brings back."""
    (spec.project / ".dockerignore").write_text(ignore)
    assert names(replace(spec, exclude=(".dockerignore",))) == kept


def test_links_inside_stay_links_and_links_outside_become_files(
    spec: ImageSpec, tmp_path: Path
) -> None:
    """A link that leads out of the project would lead nowhere in a container."""
    (tmp_path / "shared.txt").write_text("shared")
    (spec.project / "inside").symlink_to("lib/model.py")
    (spec.project / "outside").symlink_to(tmp_path / "shared.txt")
    (spec.project / "broken").symlink_to(tmp_path / "nothing")
    code = laid_out(spec) / "code"
    assert os.readlink(code / "inside") == "lib/model.py"
    assert not (code / "outside").is_symlink()
    assert (code / "outside").read_text() == "shared"
    assert not os.path.lexists(code / "broken")


@pytest.mark.parametrize(
    ("filename", "group"),
    [
        ("uv-0.13.8-py3-none-manylinux_2_17_x86_64.whl", "tools"),
        ("torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl", "torch"),
        ("nvidia_cudnn_cu13-9.20.0.48-py3-none-any.whl", "torch"),
        ("triton-3.7.1-cp311-cp311-linux_x86_64.whl", "torch"),
        ("nvidia_ml_py-13.615.71-py3-none-any.whl", "locked"),
        ("PyYAML-6.0.3-cp311-cp311-linux_x86_64.whl", "locked"),
        ("torchvision-0.28.0-cp311-cp311-linux_x86_64.whl", "extra"),
    ],
)
def test_a_wheel_is_read_by_the_step_that_needs_it(filename: str, group: str) -> None:
    """A new wheel of the user's must not run the torch step again."""
    assert wheel_group(filename, lock_names("gpu")) == group


def test_torchs_cuda_libraries_are_all_in_the_torch_layer() -> None:
    """What the GPU lock adds to the CPU lock is CUDA, or one of the two named packages."""
    added = set(lock_names("gpu")) - set(lock_names("cpu"))
    assert {name for name in added if not TORCH.fullmatch(name)} == {
        "bitsandbytes",
        "liger-kernel",
    }
    assert [name for name in lock_names("cpu") if TORCH.fullmatch(name)] == ["torch"]


def test_a_wheel_is_a_second_name_not_a_copy(spec: ImageSpec, tmp_path: Path) -> None:
    """Gigabytes of wheels cost no second place on the disk."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"
    wheel.write_text("wheel")
    folder = laid_out(replace(spec, wheelhouse=wheels))
    assert (folder / ".wheels/torch" / wheel.name).stat().st_ino == wheel.stat().st_ino


def test_only_changed_files_are_written(spec: ImageSpec) -> None:
    """The second layout writes one file, the third none."""
    everything = stage(plan(spec))
    (spec.project / "train.py").write_text("print('other')\n")
    assert everything > 10
    assert stage(plan(spec)) == 1
    assert stage(plan(spec)) == 0


def test_what_went_away_is_removed(spec: ImageSpec) -> None:
    """A deleted file, and the folder it left empty, do not stay in the next image."""
    folder = laid_out(spec)
    (spec.project / "lib/model.py").unlink()
    assert laid_out(spec) == folder
    assert not (folder / "code/lib").exists()


def test_a_damaged_context_is_mended(spec: ImageSpec) -> None:
    """A file lost from the folder, or a stage that was cut short, is laid out again."""
    folder = laid_out(spec)
    (folder / "code/train.py").unlink()
    assert stage(plan(spec)) == 1
    (folder / "code/train.py").write_text("half")
    folder.with_suffix(".staged.json").unlink()
    stage(plan(spec))
    assert (folder / "code/train.py").read_text() == "print('hello')\n"


def test_modes_are_open_to_any_uid(spec: ImageSpec) -> None:
    """In the container any uid may own the job, whatever the caller's umask was."""
    (spec.project / "train.py").chmod(0o700)
    (spec.project / "lib/model.py").chmod(0o600)
    code = laid_out(spec) / "code"
    modes = {path.name: path.stat().st_mode & 0o777 for path in code.rglob("*")}
    assert modes == {"train.py": 0o777, "model.py": 0o666, "lib": 0o777}
