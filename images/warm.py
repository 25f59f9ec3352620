"""Run inside the build: import all that a training imports, so its byte code lies in the image.

Only these modules get byte code (a whole `compileall` would add a fifth to the image), and a
package that cannot be imported stops the build here instead of on a rented machine.
"""

import importlib
import pkgutil
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

MODULES = (
    "accelerate",
    "numpy",
    "peft",
    "psutil",
    "pynvml",
    "safetensors.torch",
    "torch.utils.data",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.gpt2.modeling_gpt2",
    "transformers.models.llama.modeling_llama",
    "transformers.models.qwen2.modeling_qwen2",
    "transformers.trainer",
)


AHEAD = (
    "peft/tuners",
    "transformers/generation",
    "accelerate",
    "huggingface_hub",
    "torch/_dynamo",
    "sympy/solvers",
    "sympy/functions",
    "sympy/core",
    "numpy/lib",
)
"""Folders that such an import loads (almost) whole, the last needed first."""


def main() -> None:
    # The import uses one core: meanwhile one more process compiles, from the other end.
    site = Path(sysconfig.get_path("purelib"))
    folders = [str(site / name) for name in AHEAD]
    ahead = subprocess.Popen([sys.executable, "-m", "compileall", "-q", *folders])
    for module in (*MODULES, *inside()):
        importlib.import_module(module)
    ahead.wait()
    for left in Path(tempfile.gettempdir()).glob("torchinductor_*"):
        shutil.rmtree(left)


def inside() -> Iterator[str]:
    """Every module of ours that runs inside: one that fails here would fail a paid machine."""
    package = importlib.import_module("longshore.training")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield module.name


if __name__ == "__main__":
    main()
