"""Rules of a model's size: exact from headers or a decoder's settings, without loading it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from longshore.costs import tensors
from longshore.errors import DataError

WriteTensors = Callable[[Path, dict[str, list[int]]], None]

TINY = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 176,
    "vocab_size": 264,
}


@pytest.mark.parametrize(
    ("about", "params", "adapter"),
    [
        ({"model_type": "qwen2", "tie_word_embeddings": True}, 109_632, 18_688),
        ({"model_type": "qwen2", "tie_word_embeddings": False}, 126_528, 18_688),
        ({"model_type": "llama"}, 126_272, 18_688),
        ({"model_type": "llama", "attention_bias": True}, 126_656, 18_688),
        ({"model_type": "mistral"}, 126_272, 18_688),
        ({"model_type": "qwen3", "head_dim": 128}, 298_816, 40_192),
        ({"model_type": "qwen3", "head_dim": 128, "attention_bias": True}, 300_992, 40_192),
    ],
)
def test_a_decoder_by_its_settings(about: dict[str, object], params: int, adapter: int) -> None:
    """The counts are those of transformers 5.23 and peft 0.21 for the same settings, rank 8."""
    shapes = tensors.decoder({**TINY, **about})
    assert shapes is not None
    assert tensors.count(shapes) == params
    assert tensors.adapter_count(shapes, 8, ("all-linear",)) == adapter


def test_a_known_model() -> None:
    """Qwen2.5-1.5B has 1,543,714,304 parameters (its model card: 1.54B)."""
    about = {
        "model_type": "qwen2",
        "hidden_size": 1536,
        "num_hidden_layers": 28,
        "num_attention_heads": 12,
        "num_key_value_heads": 2,
        "intermediate_size": 8960,
        "vocab_size": 151_936,
        "tie_word_embeddings": True,
    }
    shapes = tensors.decoder(about)
    assert shapes is not None
    assert tensors.count(shapes) == 1_543_714_304


def test_targets_choose_the_matrices() -> None:
    """Two attention matrices of 64 to 64 and 64 to 32, rank 4, in two layers."""
    shapes = tensors.decoder({**TINY, "model_type": "llama"})
    assert shapes is not None
    assert tensors.adapter_count(shapes, 4, ("q_proj", "v_proj")) == 2 * 4 * (128 + 96)


def test_headers_of_all_shards(tmp_path: Path, write_tensors: WriteTensors) -> None:
    """Shards add up; an adapter beside them is no part of the model."""
    write_tensors(tmp_path / "model-00001-of-00002.safetensors", {"a.weight": [10, 20]})
    write_tensors(tmp_path / "model-00002-of-00002.safetensors", {"b.weight": [3], "c": []})
    write_tensors(tmp_path / "adapter_model.safetensors", {"x": [1000]})
    shapes = tensors.shapes(tmp_path)
    assert shapes is not None
    assert tensors.count(shapes) == 200 + 3 + 1


def test_a_folder_that_tells_nothing(tmp_path: Path) -> None:
    """No weights and an unknown kind of model: not known, and no error."""
    (tmp_path / "config.json").write_text('{"model_type": "mamba"}')
    assert tensors.shapes(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x05\x00",
        b"\xff" * 16,
        (4).to_bytes(8, "little") + b"[1]",
        (40).to_bytes(8, "little") + b'{"a": {"shape": 3}}',
        (2).to_bytes(8, "little") + b"[]",
    ],
)
def test_a_broken_safetensors_file(tmp_path: Path, content: bytes) -> None:
    """One line with the file's name, whatever is wrong with it."""
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(DataError, match=r"model\.safetensors: not a whole safetensors file"):
        tensors.shapes(tmp_path)


@pytest.mark.parametrize("content", ["{", '{"model_type": "llama"}'])
def test_broken_settings(tmp_path: Path, content: str) -> None:
    """A config.json that is no JSON, or lacks a number, is one clear line."""
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(DataError, match=r"config\.json"):
        tensors.shapes(tmp_path)


def test_settings_with_no_heads(tmp_path: Path) -> None:
    """Zero heads would divide by zero: a clear line instead."""
    about = {**TINY, "model_type": "llama", "num_attention_heads": 0}
    (tmp_path / "config.json").write_text(json.dumps(about))
    with pytest.raises(DataError, match=r"config\.json"):
        tensors.shapes(tmp_path)


def test_the_hubs_local_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub id is looked up in the local cache; a folder of the project comes first."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    snapshot = tmp_path / "hub" / "models--org--name" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    assert tensors.folder_of("org/name", tmp_path) == snapshot
    assert tensors.folder_of("org/other", tmp_path) is None
    (tmp_path / "org" / "name").mkdir(parents=True)
    assert tensors.folder_of("org/name", tmp_path) == tmp_path / "org" / "name"
