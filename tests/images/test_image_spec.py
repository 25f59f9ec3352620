"""What an image is made of follows from the job, its folder and the environment."""

from dataclasses import replace
from pathlib import Path

import pytest

from longshore.configs.spec import Gpu, Image, JobSpec, Resources, Sync
from longshore.errors import ConfigError
from longshore.images.secrets import ca_bundle, pip_settings
from longshore.images.spec import ImageSpec

JOB = JobSpec(name="demo", run="python train.py")


@pytest.mark.parametrize(
    ("resources", "kind"),
    [
        (Resources(), "cpu"),
        (Resources(device="cpu"), "cpu"),
        (Resources(device="mps"), "cpu"),
        (Resources(device="cuda"), "gpu"),
        (Resources(device="cuda:1"), "gpu"),
        (Resources(gpu=Gpu("RTX 4090")), "gpu"),
    ],
)
def test_a_gpu_or_cuda_asks_for_the_gpu_image(
    resources: Resources, kind: str, project: Path
) -> None:
    """The kind follows from `resources`; everything without CUDA runs on the CPU image."""
    spec = ImageSpec.of(replace(JOB, resources=resources), project, {})
    assert spec.kind == kind


@pytest.mark.parametrize(
    ("name", "repository"),
    [("demo", "demo"), ("My Job!", "my-job"), ("--x--", "x"), ("été", "t"), ("!!", "job")],
)
def test_a_job_name_becomes_a_repository_name(name: str, repository: str, project: Path) -> None:
    """Docker allows lower case, digits and few signs; nothing at all becomes `job`."""
    assert ImageSpec.of(replace(JOB, name=name), project, {}).name == repository


def test_paths_are_taken_from_the_project(project: Path) -> None:
    """A relative path in `image:` starts at the project's folder."""
    (project / "requirements.txt").write_text("tqdm\n")
    (project / "wheels").mkdir()
    image = Image(requirements="requirements.txt", wheelhouse="wheels", apt=("git", "curl"))
    spec = ImageSpec.of(replace(JOB, image=image, sync=Sync(exclude=("x",))), project, {})
    assert spec.requirements == project / "requirements.txt"
    assert spec.wheelhouse == project / "wheels"
    assert (spec.apt, spec.exclude) == (("curl", "git"), ("x", "/outputs"))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image(requirements="no.txt"), "image.requirements: no file no.txt"),
        (Image(wheelhouse="no"), "image.wheelhouse: no folder no"),
        (Image(ca="no.pem"), "image.ca: no file no.pem"),
        (Image(netrc="no"), "image.netrc: no file no"),
        (Image(pip_conf="no"), "image.pip_conf: no file no"),
        (Image(apt=("git; rm -rf /",)), "image.apt: 'git; rm -rf /' is no package name"),
    ],
)
def test_a_missing_file_is_a_config_error(image: Image, message: str, project: Path) -> None:
    """What cannot be read is refused before anything is built, with the key's name."""
    with pytest.raises(ConfigError, match="^" + message.replace("(", r"\(") + "$"):
        ImageSpec.of(replace(JOB, image=image), project, {})


@pytest.mark.parametrize("variable", ["PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_the_environments_ca_is_used_when_none_is_named(variable: str, project: Path) -> None:
    """Behind a company's proxy a build works without any setting; a named bundle wins."""
    found, named = project / "found.pem", project / "named.pem"
    found.write_text("ca")
    named.write_text("ca")
    assert ImageSpec.of(JOB, project, {variable: str(found)}).secrets.ca == found
    job = replace(JOB, image=Image(ca="named.pem"))
    assert ImageSpec.of(job, project, {variable: str(found)}).secrets.ca == named


def test_a_ca_variable_that_leads_nowhere_is_passed_over(tmp_path: Path) -> None:
    """The first variable whose file exists is taken."""
    there = tmp_path / "ca.pem"
    there.write_text("ca")
    environ = {"PIP_CERT": str(tmp_path / "gone.pem"), "SSL_CERT_FILE": str(there)}
    assert ca_bundle(environ) == there
    assert ca_bundle({}) is None


def test_pip_settings_are_files_under_variables(tmp_path: Path) -> None:
    """Later files win, PIP_* variables win over files, paths of this machine are left out."""
    legacy, own = tmp_path / ".pip/pip.conf", tmp_path / ".config/pip/pip.conf"
    for path, text in (
        (legacy, "[global]\nindex-url = https://old/simple\ntrusted-host = old\n"),
        (
            own,
            "[global]\nindex-url = https://new/simple\nextra-index-url =\n  file:///x\n  https://b\n",
        ),
    ):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    environ = {"HOME": str(tmp_path), "PIP_TRUSTED_HOST": "new"}
    lines = pip_settings(environ).splitlines()
    assert lines == [
        "[global]",
        "index-url = https://new/simple",
        "trusted-host = new",
        "extra-index-url = https://b",
    ]


def test_no_index_setting_is_no_secret(tmp_path: Path) -> None:
    """A pip.conf without an index, or a broken one, gives nothing to pass on."""
    path = tmp_path / "pip.conf"
    path.write_text("[global]\nquiet = 1\n")
    environ = {
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": str(path),
        "PIP_EXTRA_INDEX_URL": "file:///x",
    }
    assert pip_settings(environ) == ""
    path.write_text("no section\n")
    assert pip_settings(environ) == ""


def test_a_password_in_an_index_is_not_shown(project: Path, tmp_path: Path) -> None:
    """A spec may be printed; the pip settings in it are not part of that."""
    environ = {"HOME": str(tmp_path), "PIP_INDEX_URL": "https://me:hunter2@index/simple"}
    spec = ImageSpec.of(JOB, project, environ)
    assert "hunter2" in spec.pip_settings
    assert "hunter2" not in repr(spec)
