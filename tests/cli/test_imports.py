"""Commands that only look do not pay for what they do not use."""

import subprocess
import sys

import pytest

from .conftest import Shell

HEAVY = {
    "torch",
    "transformers",
    "rich",
    "docker",
    "requests",
    "jinja2",
    "pydantic",
    "numpy",
    "boto3",
}
PROGRAM = """
import sys
from longshore.cli.main import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["deploy", "--help"],
        ["deploy", "--dry-run", "--provider", "local", "--runtime", "process"],
        ["deploy", "--dry-run", "--provider", "fake"],
        ["config", "explain"],
        ["config", "explain", "--json"],
        ["offers"],
        ["estimate"],
        ["ps"],
        ["init", "--force"],
        ["completion", "bash"],
    ],
)
def test_nothing_heavy_is_loaded(shell: Shell, words: list[str]) -> None:
    """Not torch, nor what draws, templates or speaks to engines and clouds."""
    command = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "longshore.cli.main" in loaded
    assert not HEAVY & loaded


def test_help_loads_no_command(shell: Shell) -> None:
    """Each is loaded when it is called."""
    command = [sys.executable, "-c", PROGRAM, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rooms = {name.split(".")[1] for name in done.stderr.split() if name.startswith("longshore.")}
    assert rooms == {"cli", "errors"}


@pytest.mark.parametrize("words", [["--help"], ["deploy", "--dry-run"]])
def test_the_tests_own_list_is_not_blind(shell: Shell, words: list[str]) -> None:
    """A program that does load one of them is found out."""
    command = [sys.executable, "-c", "import rich\n" + PROGRAM, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stderr.split()) == {"rich"}
