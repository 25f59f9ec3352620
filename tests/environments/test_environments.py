"""Which environment is meant, and the built-in ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

import longshore.environments
from longshore.environments.layers import Flag, environments
from longshore.environments.resolve import resolve
from longshore.errors import ConfigError

Write = Callable[[str, str], Path]

JOB = "name: job\nrun: make\n"
USER = "../config/environments"
BUILT_IN = Path(longshore.environments.__path__[0])


def test_the_built_in_ones_are_there(project: Path) -> None:
    """Five layers ship with the package."""
    assert sorted(environments(project)) == ["aws", "azure", "gpu", "local", "runpod"]


@pytest.mark.parametrize("name", ["aws", "azure", "gpu", "local", "runpod"])
def test_every_built_in_one_makes_a_job(write: Write, name: str) -> None:
    """Each is valid by itself, names its provider, and limits the time."""
    write("longshore.yaml", JOB)
    resolved = resolve(env=name)
    assert resolved.environment == BUILT_IN / f"{name}.yaml"
    assert resolved.spec.provider == ("local" if name == "gpu" else name)
    assert resolved.origins["guards.max_time"].where.startswith(
        f"longshore/environments/{name}.yaml:"
    )


def test_the_nearest_file_of_a_name_is_taken_whole(write: Write) -> None:
    """The project's own before the user's before the built-in one; they are not mixed."""
    write("longshore.yaml", JOB)
    assert resolve(env="runpod").spec.resources.disk == 40 * 10**9
    users = write(f"{USER}/runpod.yaml", "resources: {nodes: 2}\n")
    resolved = resolve(env="runpod")
    assert (resolved.environment, resolved.spec.resources.nodes) == (users.resolve(), 2)
    assert resolved.spec.resources.disk is None
    own = write("environments/runpod.yml", "resources: {nodes: 3}\n")
    resolved = resolve(env="runpod")
    assert (resolved.environment, resolved.spec.resources.nodes) == (own, 3)
    assert resolved.origins["resources.nodes"].where == "environments/runpod.yml:1:20"


def test_an_environment_may_be_all_comments(write: Write) -> None:
    """It changes nothing, and is no fault."""
    write("longshore.yaml", JOB)
    write("environments/mine.yaml", "# later\n")
    assert resolve(env="mine").origins["provider"].layer == "default"


class TestWhichOne:
    """`--env`, else $LONGSHORE_ENV, else the provider's name if there is such an environment."""

    def test_the_flag_comes_before_the_variable(
        self, write: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And the variable before the provider."""
        write("longshore.yaml", JOB + "provider: aws\n")
        assert resolve().environment == BUILT_IN / "aws.yaml"
        monkeypatch.setenv("LONGSHORE_ENV", "gpu")
        assert resolve().environment == BUILT_IN / "gpu.yaml"
        assert resolve(env="azure").environment == BUILT_IN / "azure.yaml"

    def test_the_provider_is_the_one_of_the_highest_layer(self, write: Write) -> None:
        """A flag chooses the provider and with it the environment."""
        write("longshore.yaml", JOB)
        assert resolve().environment == BUILT_IN / "local.yaml"
        write("../config/settings.yaml", "provider: azure\n")
        assert resolve().environment == BUILT_IN / "azure.yaml"
        flags = [Flag("provider", "runpod", "--provider")]
        resolved = resolve(flags=flags)
        assert (resolved.spec.provider, resolved.spec.guards.idle) == ("runpod", 600)

    def test_a_provider_without_an_environment_has_none(self, write: Write) -> None:
        """Nothing was asked for, so nothing is missing."""
        write("longshore.yaml", JOB + "provider: fake\n")
        assert resolve().environment is None


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("runpot", "did you mean 'runpod'?"),
        ("zzz", "there are: aws, azure, gpu, local, mine, runpod"),
        ("../longshore", "there are: aws, azure, gpu, local, mine, runpod"),
    ],
)
def test_an_unknown_environment_says_where_was_looked(
    write: Write, project: Path, name: str, hint: str
) -> None:
    """A name is no path; the three folders are listed."""
    write("longshore.yaml", JOB)
    users = write(f"{USER}/mine.yaml", "").resolve().parent
    with pytest.raises(ConfigError) as caught:
        resolve(env=name)
    assert str(caught.value) == f"--env: unknown environment {name!r}"
    looked = f"environments, {users}, longshore/environments"
    assert caught.value.hint == f"{hint} (looked in {looked})"


def test_an_unknown_environment_in_the_variable_names_the_variable(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that one knows what to unset."""
    write("longshore.yaml", JOB)
    monkeypatch.setenv("LONGSHORE_ENV", "gone")
    with pytest.raises(ConfigError, match=r"^\$LONGSHORE_ENV: unknown environment 'gone'$"):
        resolve()
