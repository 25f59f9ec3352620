"""Loads the model and the tokenizer; every fault of a folder becomes one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..configs.spec import Train
from ..errors import ConfigError, DataError

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

_WEIGHTS: Final = ("*.safetensors", "pytorch_model*.bin")


@dataclass(frozen=True)
class Source:
    """Where a model comes from: a folder here, or the hub when `folder` is None."""

    name: str
    folder: Path | None

    @classmethod
    def of(cls, train: Train, root: Path) -> "Source":
        """A folder that exists under `root` comes before a name on the hub.

        Raises DataError for a folder that holds no model that can be used.
        """
        folder = root / train.model
        if not folder.is_dir():
            return cls(train.model, None)
        _check_folder(train, folder)
        return cls(train.model, folder)

    @property
    def place(self) -> str:
        return str(self.folder or self.name)


def load_tokenizer(source: Source) -> "PreTrainedTokenizerBase":
    """Raises DataError."""
    from transformers import AutoTokenizer

    with _explained(source, "tokenizer"):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source.place)
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        # transformers makes an empty one for a known kind of model without tokenizer files.
        raise DataError(
            f"{source.name} holds no tokenizer", "put the model's tokenizer.json beside it"
        )
    return tokenizer


def load_model(source: Source, train: Train, dtype: "torch.dtype") -> "PreTrainedModel":
    """The model in `dtype`, random weights drawn from torch's seed; raises DataError."""
    from transformers import AutoConfig, AutoModelForCausalLM

    with _explained(source, "model"):
        config = AutoConfig.from_pretrained(source.place)
        _check_length(config, train)
        # Other attention keeps a whole score matrix in memory; the default dtype is the file's.
        kept = {"dtype": dtype, "attn_implementation": "sdpa"}
        if train.init == "random":
            draw: Callable[..., PreTrainedModel] = AutoModelForCausalLM.from_config
            return draw(config, **kept)
        load: Callable[..., PreTrainedModel] = AutoModelForCausalLM.from_pretrained
        return load(source.place, config=config, **kept)


def vocabulary(model: "PreTrainedModel | PeftModel") -> int:
    """How many tokens a model knows: the rows of its embedding, which may be padded."""
    return next(model.get_input_embeddings().parameters()).shape[0]


def check_vocabulary(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
    """Raises DataError when the tokenizer has tokens that the model does not know."""
    rows = vocabulary(model)
    if len(tokenizer) > rows:
        raise DataError(
            f"the tokenizer has {len(tokenizer)} tokens, the model only {rows}",
            "take the tokenizer that belongs to the model",
        )


def _check_folder(train: Train, folder: Path) -> None:
    if (folder / "adapter_config.json").is_file():
        raise DataError(
            f"{train.model} is an adapter, not a model",
            "set train.model to the model it was made for",
        )
    if not (folder / "config.json").is_file():
        raise DataError(f"{train.model} holds no config.json", "it is not a model's folder")
    has_weights = any(path for kind in _WEIGHTS for path in folder.glob(kind))
    if train.init == "pretrained" and not has_weights:
        raise DataError(
            f"{train.model} holds no weights (*.safetensors)",
            "set train.init: random to train a new model from its config.json",
        )


def _check_length(config: "PretrainedConfig", train: Train) -> None:
    most = getattr(config, "max_position_embeddings", None)
    if most and train.sequence_length > most:
        raise ConfigError(
            f"{train.sequence_length} tokens are more than the {most} the model was made for",
            f"set it to {most} or less",
            where="train.sequence_length",
        )


@contextmanager
def _explained(source: Source, what: str) -> Iterator[None]:
    """Turn what transformers raises for an unusable model into a DataError."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise DataError(*_reason(source, what, error)) from error


def _reason(source: Source, what: str, error: Exception) -> tuple[str, str]:
    if source.folder is None:
        return (
            f"cannot get the {what} {source.name!r}: no such folder, and the hub does not give it",
            "check the path, the name and the network; a gated model needs secrets: [HF_TOKEN]",
        )
    first = str(error).strip().splitlines() or [type(error).__name__]
    return f"cannot load the {what} in {source.name}: {first[0]}", "is the folder whole?"
