"""What a machine with a foreign image takes along is whole, private, and written once."""

from dataclasses import replace
from pathlib import Path

import pytest

from longshore.configs.spec import JobSpec
from longshore.errors import BuildError
from longshore.images.context import PACKAGE, lock_names, requirements
from longshore.images.luggage import pack
from longshore.images.spec import ImageSpec, Kind, Secrets
from longshore.training import pod_ssh

PASSWORD = "not-for-others-4409"


def test_holds_what_an_image_would(spec: ImageSpec, tmp_path: Path) -> None:
    """Our package without what runs outside, the locks, the user's wishes and wheels."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / "tiny-1.0-py3-none-any.whl").write_bytes(b"wheel")
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("tqdm\n")
    folder = pack(replace(spec, wheelhouse=wheels, requirements=wanted, apt=("git", "jq")))
    assert (folder / "longshore/training/pod.py").is_file()
    assert not (folder / "longshore/providers").exists()
    locked = (folder / "torch.lock").read_text() + (folder / "rest.lock").read_text()
    assert sorted(locked.split()) == sorted(lock_names("cpu").values())
    assert (folder / "requirements.txt").read_text() == "tqdm\n"
    assert (folder / "apt.txt").read_text() == "git\njq\n"
    assert (folder / "wheels/tiny-1.0-py3-none-any.whl").read_bytes() == b"wheel"


def test_secrets_are_for_the_owner_only(spec: ImageSpec, tmp_path: Path) -> None:
    """They lie in files of mode 0600, in a folder that nobody else can enter."""
    netrc = tmp_path / "netrc"
    netrc.write_text(PASSWORD)
    settings = f"[global]\nindex-url = https://me:{PASSWORD}@index.invalid\n"
    folder = pack(replace(spec, secrets=Secrets(netrc=netrc), pip_settings=settings))
    modes = [(folder / name).stat().st_mode & 0o777 for name in ("netrc", "pip_conf")]
    assert modes == [0o600, 0o600]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert PASSWORD in (folder / "pip_conf").read_text()


@pytest.mark.parametrize(
    ("kind", "torch_index", "offline", "settings"),
    [
        ("cpu", None, False, {"torch-index": "https://download.pytorch.org/whl/cpu\n"}),
        ("gpu", None, False, {}),
        ("gpu", "https://index.invalid", True, {"torch-index": "https://index.invalid\n"}),
    ],
)
def test_settings_are_there_only_when_set(
    kind: Kind, torch_index: str | None, offline: bool, settings: dict[str, str], spec: ImageSpec
) -> None:
    """PyPI's own torch is the one for CUDA; `offline` stands for no index at all."""
    asked = replace(spec, kind=kind, torch_index=torch_index, offline=offline)
    folder = pack(asked)
    found = folder / "torch-index"
    assert ({found.name: found.read_text()} if found.exists() else {}) == settings
    assert (folder / "offline").exists() is offline


def test_the_same_content_is_the_same_folder(spec: ImageSpec, project: Path) -> None:
    """Nothing is written again, and the project is no part of it: it has a way of its own."""
    folder = pack(spec)
    mark = folder.stat().st_ctime_ns
    (project / "train.py").write_text("print('other')\n")
    assert pack(spec) == folder
    assert folder.stat().st_ctime_ns == mark
    assert pack(replace(spec, apt=("jq",))) != folder
    assert [path for path in folder.parent.iterdir() if path.name.startswith(".new-")] == []


def test_exposed_services_are_installed_where_they_are_asked_for(
    project: Path, tmp_path: Path
) -> None:
    """Their pinned packages join the user's own requirements; ssh needs none."""
    spec = ImageSpec.of(JobSpec("demo", expose=("ssh", "tensorboard", "jupyter")), project, {})
    assert spec.services == ("jupyterlab", "tensorboard")
    own = tmp_path / "own.txt"
    own.write_text("tqdm")
    content = requirements(replace(spec, requirements=own))
    assert isinstance(content, bytes)
    names = [line.split("==")[0] for line in content.decode().split()]
    assert names == ["tqdm", "jupyterlab", "tensorboard"]
    assert requirements(replace(spec, services=())) == b""


def test_a_file_that_is_gone_is_named(spec: ImageSpec, tmp_path: Path) -> None:
    """As a fault of the build, not a traceback."""
    gone = tmp_path / "gone.txt"
    with pytest.raises(BuildError, match=r"cannot read .*gone.txt"):
        pack(replace(spec, requirements=gone))
    with pytest.raises(BuildError, match=r"cannot read .*gone.txt"):
        pack(replace(spec, requirements=gone, services=("tensorboard",)))


def test_a_full_cache_folder_is_a_fault_of_the_build(
    spec: ImageSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no folder can be made, the message says which."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("LONGSHORE_CACHE", str(tmp_path / "file"))
    with pytest.raises(BuildError, match="file"):
        pack(spec)


def test_the_shell_opens_ssh_as_the_package_does() -> None:
    """Both write the same settings: a machine must not change its manners when one takes over."""
    script = (PACKAGE / "images/boot.sh").read_text()
    lines = pod_ssh.settings(Path("$run")).splitlines()
    inside = script.partition("<<END\n")[2].partition("\nEND\n")[0]
    assert inside.splitlines() == lines
    assert f"run={pod_ssh.FOLDER}\n" in script
