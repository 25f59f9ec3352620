"""The supervisor stands when the worker falls: it loads nothing but the standard library."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "numpy", "peft", "accelerate", "yaml", "rich", "click", "docker"}


@pytest.mark.parametrize(
    "module", ["supervise", "pod", "board", "devices", "limits", "surroundings", "worker"]
)
def test_loads_only_the_standard_library(module: str) -> None:
    """Not even the module of the worker loads torch before it has begun to listen for a stop."""
    script = f"import sys, longshore.training.{module}; print(*sys.modules)"
    listed = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    loaded = {name.partition(".")[0] for name in listed.stdout.decode().split()}
    assert not loaded & HEAVY
