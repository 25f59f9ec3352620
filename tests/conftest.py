"""What all rooms' tests share: folders of their own, an engine, a wheel of torch, a tiny model."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from longshore.emulators.runpod.client import Emulator
from longshore.images.engine import available

if TYPE_CHECKING:
    from .registries import Registry

WORDS = ["the", "device", "holds", "what", "a", "step", "needs", "and", "then", "goes", "on"]


def texts(count: int) -> list[str]:
    """Lines that differ, of words that come again."""
    return [
        " ".join(WORDS[(line * step + 3) % len(WORDS)] for step in range(1, 14))
        for line in range(count)
    ]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """State and settings in a folder of the test's own, and no real account within reach."""
    monkeypatch.setenv("LONGSHORE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LONGSHORE_CONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("LONGSHORE_ENV", raising=False)
    monkeypatch.delenv("RUNPOD_API_KEY", raising=False)
    monkeypatch.setenv("RUNPOD_API_BASE_URL", "http://127.0.0.1:9")


def unavailable(reason: str) -> None:
    """Skip a test for want of Docker, or fail it where Docker is said to be there, as in CI."""
    if os.environ.get("LONGSHORE_REQUIRE_DOCKER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine that answers."""
    if not available():
        unavailable("no Docker engine answers")


@pytest.fixture(scope="session")
def pod_image(engine: None) -> Iterator[str]:
    """A small image for pods, built once."""
    from .pods import small_image

    with small_image() as name:
        yield name


@pytest.fixture(scope="session")
def runpod(engine: None) -> Iterator[Emulator]:
    """One RunPod, played here for all tests; each leaves it as it was."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Registry"]:
    """An image registry that asks for a password."""
    from .registries import serving

    with serving(tmp_path_factory.mktemp("registry")) as served:
        yield served


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """A CPU wheel of torch when this machine's pip can get one; else the build asks its index."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    words = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    subprocess.run([*words, "torch==2.13.0+cpu"], check=False, capture_output=True)
    return folder if any(folder.iterdir()) else None


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2 of 30 k parameters without weights, with dropout, and a tokenizer of bytes."""
    folder = tmp_path_factory.mktemp("model")
    symbols = [chr(byte) if 33 <= byte <= 126 else chr(256 + byte) for byte in range(256)]
    vocabulary = {symbol: number for number, symbol in enumerate(["<|end|>", *symbols])}
    tokenizer = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": True,
            "use_regex": True,
        },
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    }
    config = {
        "model_type": "qwen2",
        "architectures": ["Qwen2ForCausalLM"],
        "vocab_size": len(vocabulary) + 7,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "attention_dropout": 0.1,
        "eos_token_id": 0,
    }
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>"}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "config.json").write_text(json.dumps(config))
    return folder
