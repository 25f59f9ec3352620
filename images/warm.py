"""Run inside the build: import what a training imports, so that its byte code lies in the image.

Only these modules get byte code (a whole `compileall` would add a fifth to the image), and a
package that cannot be imported stops the build here instead of on a rented machine.
"""

import importlib
import pkgutil
import shutil
import sys
import tempfile
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


def warm_libraries() -> None:
    for module in MODULES:
        importlib.import_module(module)
    for left in Path(tempfile.gettempdir()).glob("torchinductor_*"):
        shutil.rmtree(left)


def warm_package() -> None:
    """All that runs inside: one module that cannot be imported here would fail a paid machine."""
    inside = importlib.import_module("longshore.training")
    for module in pkgutil.walk_packages(inside.__path__, f"{inside.__name__}."):
        importlib.import_module(module.name)


if __name__ == "__main__":
    {"libraries": warm_libraries, "package": warm_package}[sys.argv[1]]()
