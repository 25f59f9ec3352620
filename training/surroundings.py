"""The environment a job sees: its own `env:`, its secrets, and LONGSHORE_* for plain scripts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ..configs import container
from ..configs.spec import JobSpec
from ..errors import ConfigError
from . import limits

MICRO_BATCH: Final = "LONGSHORE_MICRO_BATCH"
"""How many sequences at once, after the device's memory did not hold more."""

_RANKS: Final = {
    "RANK": "0",
    "WORLD_SIZE": "1",
    "LOCAL_RANK": "0",
    "LOCAL_WORLD_SIZE": "1",
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": "29500",
}


def take_secrets(root: Path, names: tuple[str, ...], base: Mapping[str, str]) -> dict[str, str]:
    """The values of the named secrets; the file that brought them is gone on return.

    What the file lacks comes from the environment (`base`). Raises ConfigError for a missing one.
    """
    file = root / container.SECRETS
    try:
        brought: dict[str, str] = json.loads(file.read_text())
        file.unlink()
    except FileNotFoundError:
        brought = {}
    except ValueError:
        file.unlink()
        raise ConfigError("the file of secrets is damaged", where=container.SECRETS) from None
    named = {name: base[name] for name in names if name in base} | brought
    missing = [name for name in names if name not in named]
    if missing:
        raise ConfigError(
            f"secret {missing[0]} has no value", "set it in the environment of the command"
        )
    return named


def environment(
    spec: JobSpec, root: Path, secrets: Mapping[str, str], base: Mapping[str, str]
) -> dict[str, str]:
    """All variables of the worker; the job's own settings win over our defaults."""
    return {
        **_defaults(root, limits.threads()),
        **base,
        **(_RANKS if spec.run else {}),
        **_paths(spec, root),
        **spec.env,
        **secrets,
    }


def _defaults(root: Path, threads: int) -> dict[str, str]:
    return {
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "true",
        "HF_HOME": str(root / container.CACHE / "huggingface"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }


def _paths(spec: JobSpec, root: Path) -> dict[str, str]:
    outputs = str(root / container.OUTPUTS)
    return {
        container.ROOT_VARIABLE: str(root),
        "LONGSHORE_NAME": spec.name,
        "LONGSHORE_DATA": str(root / container.DATA),
        "LONGSHORE_OUTPUT": outputs,
        "LONGSHORE_OUTPUTS": outputs,
        "LONGSHORE_CHECKPOINTS": str(root / container.CHECKPOINTS),
        "LONGSHORE_DEVICE": spec.resources.device,
    }
