"""How big a training is: parameters, tokens, steps and floating-point operations.

Parameters, the first of these that answers:
    the tensors of the model folder, or of the hub's local cache   exact
    `config.json` of a Llama-like decoder                          exact
    the size in the model's name, "Qwen2.5-1.5B"                   as good as the name
Tokens: bytes of text / bytes per token, a rule of thumb for English by the size of the vocabulary.

Operations for one token (measured with torch's FlopCounterMode): full 6 N, LoRA 4 N, since the
frozen weights need no gradient of their own; checkpointing runs the forward pass once more: 8 N and
6 N. Attention adds 12 x layers x width x sequence length (PaLM, arXiv 2204.02311, appendix B).
"""

import re
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, Final

from ..configs.spec import JobSpec, Train
from . import tensors
from .corpus import text_bytes, tree_bytes

BYTES_PER_TOKEN: Final = ((320, 1.0), (2_000, 2.6), (10_000, 3.4), (40_000, 3.9), (100_000, 4.2))
"""Largest vocabulary, and bytes of English text in one of its tokens; the first is byte-level."""
BIG_VOCABULARY: Final = 4.4
UNKNOWN_VOCABULARY: Final = 4.0
DEFAULT_BATCH: Final = 8
"""Sequences in a step when neither the job nor a device profile says; changes steps, not tokens."""


@dataclass(frozen=True)
class Model:
    """What the costs need to know of a model; `exact` is false when only its name told the size."""

    params: int
    trainable: int
    layers: int
    width: int
    vocabulary: int
    bytes_on_disk: int
    exact: bool


@dataclass(frozen=True)
class JobSize:
    """A training in numbers; `tokens` are those trained on, over all epochs."""

    model: Model
    tokens: int
    steps: int
    batch: int
    sequence_length: int
    flops: int
    bytes_in: int
    bytes_out: int
    notes: tuple[str, ...] = ()


def size(spec: JobSpec, project: Path) -> JobSize | None:
    """The size of the job, or None for what cannot be known: a command, a model or data not here.

    Raises DataError for a model file that is there but broken.
    """
    train = spec.train
    if train is None:
        return None
    model = model_size(train, project)
    text = text_bytes(project / train.dataset, train.text_column)
    if model is None or text is None:
        return None
    tokens, steps = _tokens(train, text, model.vocabulary)
    return JobSize(
        model=model,
        tokens=tokens,
        steps=steps,
        batch=train.batch_size or DEFAULT_BATCH,
        sequence_length=train.sequence_length,
        flops=flops(train, model, tokens),
        bytes_in=tree_bytes(project / train.dataset) + model.bytes_on_disk,
        bytes_out=4 * model.trainable,
        notes=_notes(train, model),
    )


def unknown(spec: JobSpec, project: Path) -> str:
    """Why `size` has no answer, as one sentence with what to do."""
    if spec.train is None:
        return "the time of a command is not known before its first run: max_time is the worst case"
    if model_size(spec.train, project) is None:
        return (
            f"the size of model {spec.train.model!r} is not known here: download it, "
            "or give a name that says it, such as 'Qwen2.5-1.5B'"
        )
    return f"data set {spec.train.dataset!r} is not a file here: its tokens cannot be counted"


def model_size(train: Train, project: Path) -> Model | None:
    """The model of a job, by its folder or else by its name."""
    folder = tensors.folder_of(train.model, project)
    shapes = tensors.shapes(folder) if folder else None
    if folder is None or shapes is None:
        return _by_name(train)
    about = tensors.config(folder)
    params = tensors.count(shapes)
    lora = train.lora
    adapter = tensors.adapter_count(shapes, lora.rank, lora.targets)
    return Model(
        params=params,
        trainable=adapter if train.recipe == "lora" else params,
        layers=_whole(about, "num_hidden_layers", "n_layer"),
        width=_whole(about, "hidden_size", "n_embd"),
        vocabulary=_whole(about, "vocab_size"),
        bytes_on_disk=tree_bytes(folder),
        exact=True,
    )


def _whole(about: dict[str, Any], *names: str) -> int:
    values = (about.get(name) for name in names)
    return next((value for value in values if isinstance(value, int) and value > 0), 0)


def _by_name(train: Train) -> Model | None:
    """A decoder of the named size in the usual shape: N = 12 layers width², width = 64 layers."""
    last = train.model.rsplit("/", 1)[-1]
    said = re.search(r"(?<![\w.])(\d+(?:\.\d+)?)([bm])(?![a-z0-9])", last, re.IGNORECASE)
    if said is None or not float(said[1]):
        return None
    params = round(float(said[1]) * (1e9 if said[2] in "bB" else 1e6))
    width = round((params * 64 / 12) ** (1 / 3))
    layers = max(1, width // 64)
    adapter = 18 * train.lora.rank * width * layers
    trainable = min(params, adapter) if train.recipe == "lora" else params
    return Model(params, trainable, layers, width, 0, 2 * params, exact=False)


def _tokens(train: Train, text: int, vocabulary: int) -> tuple[int, int]:
    """Tokens trained on and steps; `max_steps` cuts both."""
    each = text / bytes_per_token(vocabulary) * (1 - train.test_share)
    per_step = (train.batch_size or DEFAULT_BATCH) * train.sequence_length
    whole = max(1, round(each * train.epochs))
    steps = min(ceil(whole / per_step), train.max_steps or whole)
    return min(whole, steps * per_step), steps


def bytes_per_token(vocabulary: int) -> float:
    """Bytes of English text in a token of such a vocabulary; 0 means: unknown."""
    if not vocabulary:
        return UNKNOWN_VOCABULARY
    return next((rate for top, rate in BYTES_PER_TOKEN if vocabulary <= top), BIG_VOCABULARY)


def flops(train: Train, model: Model, tokens: int) -> int:
    """Floating-point operations of the training; see the module's text for the factors."""
    again = train.gradient_checkpointing
    factor = (4 if train.recipe == "lora" else 6) + 2 * again
    attention = (16 if again else 12) * model.layers * model.width * train.sequence_length
    return tokens * (factor * model.params + attention)


def _notes(train: Train, model: Model) -> tuple[str, ...]:
    rate = bytes_per_token(model.vocabulary)
    counted = f"tokens by rule: {rate} bytes of text each"
    if model.exact:
        return (counted,)
    return (f"size of {train.model!r} read from its name", counted)
