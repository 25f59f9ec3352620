"""The shapes of a model's tensors, without loading one: from safetensors headers or `config.json`.

The header of a `.safetensors` file is 8 bytes of length (little-endian) and that many bytes of JSON
with the shape of each tensor (huggingface/safetensors, README, "Format"). A model that only has a
`config.json` gets the shapes of a Llama-like decoder: the parameter counts of Llama, Mistral, Qwen2
and Qwen3 come out exactly.
"""

import json
import os
from math import prod
from pathlib import Path
from typing import Any, Final

from ..errors import DataError

Shapes = dict[str, tuple[int, ...]]

LONGEST_HEADER: Final = 100 * 1000**2
"""The limit of the format; a longer one is a broken file."""

DECODERS: Final = frozenset({"llama", "mistral", "qwen2", "qwen3"})
NOT_ADAPTED: Final = frozenset({"embed_tokens", "lm_head", "wte", "wpe", "embed_in", "embed_out"})
"""Tables of tokens and positions: `all-linear` leaves them alone."""


def folder_of(model: str, project: Path) -> Path | None:
    """Where the model's files lie: under the project, or in the local cache of the hub."""
    local = project / model
    return local if local.is_dir() else _snapshot(model)


def _snapshot(model: str) -> Path | None:
    home = os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface"
    hub = Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub")
    snapshots = hub / f"models--{model.replace('/', '--')}" / "snapshots"
    return max(snapshots.glob("*/"), default=None, key=lambda path: path.stat().st_mtime)


def shapes(folder: Path) -> Shapes | None:
    """Every tensor's shape; None when the folder tells nothing. DataError for a broken file."""
    found: Shapes = {}
    for path in sorted(folder.glob("*.safetensors")):
        if not path.name.startswith("adapter"):
            found |= _header(path)
    return found or decoder(config(folder))


def config(folder: Path) -> dict[str, Any]:
    """`config.json` as it stands, or nothing where there is none."""
    path = folder / "config.json"
    if not path.is_file():
        return {}
    try:
        raw = json.loads(path.read_bytes())
    except (OSError, ValueError) as fault:
        raise DataError(f"{path}: not JSON: {fault}") from fault
    return raw if isinstance(raw, dict) else {}


def _header(path: Path) -> Shapes:
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            head: dict[str, Any] = json.loads(file.read(min(length, LONGEST_HEADER)))
        return {
            name: tuple(tensor["shape"]) for name, tensor in head.items() if name != "__metadata__"
        }
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as fault:
        hint = "download or save the model again"
        raise DataError(f"{path}: not a whole safetensors file", hint) from fault


def decoder(config: dict[str, Any]) -> Shapes | None:
    """The tensors of a Llama-like decoder; None for another kind of model."""
    if config.get("model_type") not in DECODERS:
        return None
    try:
        return _decoder(config)
    except (KeyError, TypeError, ZeroDivisionError) as fault:
        raise DataError(f"config.json of the model: {fault!r} is missing or no number") from fault


def _decoder(config: dict[str, Any]) -> Shapes:
    hidden, vocab = int(config["hidden_size"]), int(config["vocab_size"])
    found: Shapes = {"model.embed_tokens.weight": (vocab, hidden), "model.norm.weight": (hidden,)}
    if not config.get("tie_word_embeddings", False):
        found["lm_head.weight"] = (vocab, hidden)
    layer = _layer(config, hidden)
    for index in range(int(config["num_hidden_layers"])):
        found |= {f"model.layers.{index}.{name}": shape for name, shape in layer.items()}
    return found


def _layer(config: dict[str, Any], hidden: int) -> Shapes:
    heads = int(config["num_attention_heads"])
    size = int(config.get("head_dim") or hidden // heads)
    query, key = heads * size, int(config.get("num_key_value_heads") or heads) * size
    wide = int(config["intermediate_size"])
    found: Shapes = {
        "self_attn.q_proj.weight": (query, hidden),
        "self_attn.k_proj.weight": (key, hidden),
        "self_attn.v_proj.weight": (key, hidden),
        "self_attn.o_proj.weight": (hidden, query),
        "mlp.gate_proj.weight": (wide, hidden),
        "mlp.up_proj.weight": (wide, hidden),
        "mlp.down_proj.weight": (hidden, wide),
        "input_layernorm.weight": (hidden,),
        "post_attention_layernorm.weight": (hidden,),
    }
    if config["model_type"] == "qwen2" or config.get("attention_bias"):
        found |= {
            "self_attn.q_proj.bias": (query,),
            "self_attn.k_proj.bias": (key,),
            "self_attn.v_proj.bias": (key,),
        }
    if config["model_type"] == "qwen3":
        found |= {"self_attn.q_norm.weight": (size,), "self_attn.k_norm.weight": (size,)}
    if config.get("attention_bias") and config["model_type"] != "qwen2":
        found["self_attn.o_proj.bias"] = (hidden,)
    return found


def count(found: Shapes) -> int:
    """Parameters in all."""
    return sum(prod(shape) for shape in found.values())


def adapter_count(found: Shapes, rank: int, targets: tuple[str, ...]) -> int:
    """Parameters of a LoRA adapter: `rank x (in + out)` for each matrix it is put on."""
    return sum(rank * sum(shape) for name, shape in found.items() if _adapted(name, shape, targets))


def _adapted(name: str, shape: tuple[int, ...], targets: tuple[str, ...]) -> bool:
    parts = name.split(".")
    module = parts[-2] if len(parts) > 1 else name
    if len(shape) != 2 or module in NOT_ADAPTED:
        return False
    return "all-linear" in targets or module in targets
