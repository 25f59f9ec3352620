"""A project folder, a job and offers, made anew for each test."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from longshore.configs.spec import Guards, JobSpec, Market, Train
from longshore.providers.base import Offer

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

QWEN = {
    "model_type": "qwen2",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 176,
    "vocab_size": 264,
    "tie_word_embeddings": True,
}
"""109,632 parameters as transformers 5.23 counts them; a rank-8 all-linear adapter has 18,688."""


@dataclass(frozen=True)
class Stall:
    """This machine, a rented GPU, the same with a bundled price of 158 days ago, and spot."""

    own: Offer
    rented: Offer
    old: Offer
    spot: Offer


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def stall() -> Stall:
    rented = Offer(
        provider="runpod",
        region="secure",
        instance="NVIDIA L40S",
        gpu="L40S",
        gpu_count=1,
        market="on-demand",
        usd_per_hour=Decimal("0.86"),
        source="live",
        as_of=NOW.date(),
        vram_mib=45_776,
    )
    own = replace(
        rented,
        provider="local",
        region="here",
        instance="docker",
        gpu=None,
        gpu_count=0,
        market="own",
        usd_per_hour=Decimal("0.036"),
        source="settings",
        vram_mib=None,
        vcpus=2.0,
        memory_mib=24_000,
    )
    spot = replace(
        rented,
        provider="aws",
        region="us-east-2",
        zone="az1",
        instance="g6e.xlarge",
        market="spot",
        usd_per_hour=Decimal("0.50"),
        interruption_band="5-10%",
    )
    old = replace(rented, source="bundled", as_of=date(2026, 6, 15))
    return Stall(own, rented, old, spot)


@dataclass(frozen=True)
class Project:
    """A folder with 80 kB of text and a tiny model, and jobs over them."""

    folder: Path

    def job(self, train: dict[str, Any] | None = None, **limits: Any) -> JobSpec:
        """A LoRA job; `train` changes its training, `limits` are guards, and `bid` the market."""
        bid = limits.pop("bid", None)
        about = {"recipe": "lora", "model": "model", "dataset": "data.txt", **(train or {})}
        return JobSpec(
            name="tiny",
            train=Train(**about),
            market=Market(bid=bid),
            guards=Guards(**limits),
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "data.txt").write_text("x" * 80_000)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(QWEN))
    return Project(tmp_path)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty state folder in place of the user's."""
    monkeypatch.setenv("LONGSHORE_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


WriteTensors = Callable[[Path, dict[str, list[int]]], None]


@pytest.fixture
def write_tensors() -> WriteTensors:
    """Write a `.safetensors` file that has a header and no data."""

    def write(path: Path, shapes: dict[str, list[int]]) -> None:
        tensors = {
            name: {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}
            for name, shape in shapes.items()
        }
        head = json.dumps({"__metadata__": {"format": "pt"}, **tensors}).encode()
        path.write_bytes(len(head).to_bytes(8, "little") + head)

    return write
