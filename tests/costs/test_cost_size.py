"""Rules of a job's size: tokens from bytes, operations from parameters and tokens."""

import json
from pathlib import Path
from typing import Any

import pytest

from longshore.configs.spec import JobSpec, Train
from longshore.costs import size as sizes
from longshore.costs.corpus import text_bytes
from longshore.costs.size import JobSize, Model, bytes_per_token, flops, size, unknown
from longshore.errors import DataError


def measured(spec: JobSpec, folder: Path) -> JobSize:
    found = size(spec, folder)
    assert found is not None
    return found


BILLION = Model(10**9, 10**7, 0, 0, 32_000, 0, exact=True)


@pytest.mark.parametrize(
    ("recipe", "again", "factor"),
    [("full", False, 6), ("full", True, 8), ("lora", False, 4), ("lora", True, 6)],
)
def test_operations_by_recipe(recipe: Any, again: bool, factor: int) -> None:
    """4, 6 or 8 operations for each parameter and token: LoRA saves a third, not 95 %."""
    train = Train(recipe, "m", "d", gradient_checkpointing=again)
    assert flops(train, BILLION, 1000) == factor * 10**12


def test_attention_adds_operations() -> None:
    """12 x layers x width x sequence length for each token."""
    train = Train("full", "m", "d", sequence_length=512)
    model = Model(10**9, 10**9, 24, 2048, 32_000, 0, exact=True)
    assert flops(train, model, 1) == 6 * 10**9 + 12 * 24 * 2048 * 512


@pytest.mark.parametrize(
    ("vocabulary", "rate"),
    [(0, 4.0), (256, 1.0), (320, 1.0), (5_000, 3.4), (32_000, 3.9), (50_257, 4.2), (151_936, 4.4)],
)
def test_bytes_of_a_token(vocabulary: int, rate: float) -> None:
    """A larger vocabulary has longer tokens; byte-level ones are a byte, unknown ones 4."""
    assert bytes_per_token(vocabulary) == rate


@pytest.mark.parametrize(
    ("train", "tokens", "steps"),
    [
        ({"test_share": 0.1}, 72_000, 18),
        ({"test_share": 0.1, "epochs": 2}, 144_000, 36),
        ({"test_share": 0.1, "max_steps": 5}, 5 * 8 * 512, 5),
        ({"test_share": 0.1, "batch_size": 16}, 72_000, 9),
        ({"test_share": 0.1, "sequence_length": 128}, 72_000, 71),
    ],
)
def test_tokens_and_steps(project: Any, train: dict[str, Any], tokens: int, steps: int) -> None:
    """80,000 bytes of a byte-level model, without those held out, over all epochs."""
    found = measured(project.job(train), project.folder)
    assert (found.tokens, found.steps) == (tokens, steps)


def test_only_the_adapter_is_trained(project: Any) -> None:
    """LoRA trains and brings home the adapter, `full` the model."""
    lora = measured(project.job({"recipe": "lora"}), project.folder)
    full = measured(project.job({"recipe": "full"}), project.folder)
    assert (lora.model.params, lora.model.trainable) == (109_632, 2 * 18_688)
    assert (full.model.trainable, full.bytes_out) == (109_632, 4 * 109_632)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("Qwen/Qwen2.5-1.5B", 1_500_000_000),
        ("meta-llama/Llama-3.1-8B-Instruct", 8_000_000_000),
        ("HuggingFaceTB/SmolLM2-135M", 135_000_000),
        ("7b/nameless", None),
        ("mistralai/Mixtral-8x7B", None),
        ("gpt2", None),
        ("zero-0B", None),
    ],
)
def test_the_size_in_a_name(project: Any, name: str, params: int | None) -> None:
    """A model that is not here is as big as its name says, or of unknown size."""
    found = size(project.job({"model": name}), project.folder)
    assert (found.model.params if found else None) == params
    assert found is None or not found.model.exact


def test_a_size_from_a_name_is_told(project: Any) -> None:
    """The note says that the name was all there was to go by."""
    found = measured(project.job({"model": "org/tiny-1B"}), project.folder)
    assert "read from its name" in found.notes[0]


@pytest.mark.parametrize(
    ("train", "why"),
    [({"model": "gpt2"}, "download it"), ({"dataset": "gone.txt"}, "is not a file here")],
)
def test_why_a_size_is_unknown(project: Any, train: dict[str, Any], why: str) -> None:
    """Without a size there is a sentence with what to do."""
    spec = project.job(train)
    assert size(spec, project.folder) is None
    assert why in unknown(spec, project.folder)


def test_a_command_has_no_size(tmp_path: Path) -> None:
    """The work of a command cannot be counted."""
    spec = JobSpec(name="any", run="python train.py")
    assert size(spec, tmp_path) is None
    assert "max_time" in unknown(spec, tmp_path)


def test_only_the_text_column_counts(tmp_path: Path) -> None:
    """Keys, quotes and other columns are not tokens; bytes are counted, not letters."""
    rows = [{"text": "é" * 50, "id": "x" * 100} for _ in range(10)]
    data = tmp_path / "d.jsonl"
    data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    assert text_bytes(data, "text") == 1000
    assert text_bytes(data, "gone") == 0


def test_a_large_file_is_sampled(tmp_path: Path) -> None:
    """The share of text in the first MiB stands for the whole file."""
    data = tmp_path / "d.jsonl"
    line = json.dumps({"text": "y" * 1000}) + "\n"
    data.write_text(line * 3000)
    assert text_bytes(data, "text") == pytest.approx(3_000_000, rel=0.001)


def test_a_folder_is_the_sum_of_its_files(tmp_path: Path) -> None:
    """Text files of a folder count together, JSON Lines by their column, odd lines for nothing."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("a" * 10)
    (tmp_path / "in" / "b.jsonl").write_text('{"text": "bbbb"}\nnot json\n[1]\n{"text": 3}\n')
    assert text_bytes(tmp_path, "text") == 14


def test_data_that_cannot_be_read(tmp_path: Path) -> None:
    """A file of the system that refuses to be read is one clear line."""
    (tmp_path / "d.jsonl").symlink_to("/proc/self/mem")
    with pytest.raises(DataError, match="cannot be read"):
        text_bytes(tmp_path / "d.jsonl", "text")


def test_a_batch_of_the_profile_is_assumed(project: Any) -> None:
    """Without a batch size the start value of the CPU profile stands in."""
    assert measured(project.job(), project.folder).batch == sizes.DEFAULT_BATCH


def test_a_size_is_a_whole_number(project: Any) -> None:
    """Operations are counted exactly, as integers."""
    assert isinstance(measured(project.job(), project.folder).flops, int)
