"""From a data set to blocks of tokens: split, tokenised once, packed, kept for the next run."""

import hashlib
import json
import os
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from ..configs.spec import Train
from ..errors import DataError
from . import corpus

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Tokens = npt.NDArray[np.int32]
Sample = dict[str, torch.Tensor]

_FORMAT: Final = 1
"""Goes into the name of what is kept; to be raised when what is kept changes its meaning."""
_AT_ONCE: Final = 1000
"""Texts per call of the tokenizer: enough to use all cores, little enough to hold in memory."""


@dataclass(frozen=True)
class Corpus:
    """The tokens to train on and those held out, each text followed by the end-of-text token."""

    train: Tokens
    held_out: Tokens


class Blocks(Dataset[Sample]):
    """Tokens cut into blocks of one length; what is left over at the end is not used."""

    def __init__(self, tokens: Tokens, length: int) -> None:
        count = len(tokens) // length
        self._blocks = tokens[: count * length].reshape(count, length)

    def __len__(self) -> int:
        return len(self._blocks)

    def __getitem__(self, index: int) -> Sample:
        block = torch.from_numpy(self._blocks[index].astype(np.int64))
        return {"input_ids": block, "labels": block}


def collate(samples: list[Sample]) -> Sample:
    """A batch; no padding is needed, since all blocks have one length."""
    batch = torch.stack([sample["input_ids"] for sample in samples])
    return {"input_ids": batch, "labels": batch}


def load(path: Path, train: Train, tokenizer: "PreTrainedTokenizerBase", cache: Path) -> Corpus:
    """The corpus of a job.

    Kept by content: the same data, tokenizer and settings are tokenised once on a machine. Raises
    DataError for data that cannot be used.
    """
    kept = cache / "tokens" / f"{_key(path, train, tokenizer)}.npz"
    found = _read(kept)
    if found:
        return found
    made = _tokenise(path, train, tokenizer)
    _keep(kept, made)
    return made


def blocks(corpus: Corpus, length: int) -> Blocks:
    """The blocks to train on; raises DataError when there is not even one."""
    found = Blocks(corpus.train, length)
    if not len(found):
        raise DataError(
            f"{len(corpus.train)} tokens to train on do not fill one sequence of {length}",
            "give more text, or lower train.sequence_length",
        )
    return found


def split(texts: list[str], test_share: float, seed: int) -> tuple[list[str], list[str]]:
    """The texts to train on and those held out, each in their order; at least one of each."""
    if not test_share:
        return texts, []
    if len(texts) < 2:
        raise DataError(
            "one text only: nothing would be left to train on, or to measure with",
            "give more than one line of text, or set train.test_share to 0",
        )
    count = min(len(texts) - 1, max(1, round(len(texts) * test_share)))
    chosen = set(random.Random(seed).sample(range(len(texts)), count))
    kept = [text for index, text in enumerate(texts) if index not in chosen]
    return kept, [texts[index] for index in sorted(chosen)]


def _tokenise(path: Path, train: Train, tokenizer: "PreTrainedTokenizerBase") -> Corpus:
    texts = corpus.records(path, train.text_column)
    kept, held_out = split(texts, train.test_share, train.seed)
    encode = _encoder(tokenizer)
    return Corpus(_joined(encode(kept)), _joined(encode(held_out)))


def _encoder(
    tokenizer: "PreTrainedTokenizerBase",
) -> Callable[[list[str]], Iterable[list[int]]]:
    end = [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]

    def encode(texts: list[str]) -> Iterable[list[int]]:
        for start in range(0, len(texts), _AT_ONCE):
            ids = tokenizer(texts[start : start + _AT_ONCE], add_special_tokens=False)["input_ids"]
            yield from ([*one, *end] for one in ids)

    return encode


def _joined(ids: Iterable[list[int]]) -> Tokens:
    parts = [np.asarray(one, dtype=np.int32) for one in ids]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)


def _key(path: Path, train: Train, tokenizer: "PreTrainedTokenizerBase") -> str:
    settings = [_FORMAT, train.text_column, train.test_share, train.seed, tokenizer.eos_token_id]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for part in (*(_file_hash(file) for file in corpus.files(path)), _fingerprint(tokenizer)):
        digest.update(part)
    return digest.hexdigest()[:32]


def _file_hash(file: Path) -> bytes:
    with file.open("rb") as content:
        return file.suffix.encode() + hashlib.file_digest(content, "sha256").digest()


def _fingerprint(tokenizer: "PreTrainedTokenizerBase") -> bytes:
    """All of a tokenizer that changes tokens; those without a Rust core have a vocabulary only."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    whole = backend.to_str() if backend else json.dumps(sorted(tokenizer.get_vocab().items()))
    return f"{type(tokenizer).__name__}{whole}".encode()


def _read(file: Path) -> Corpus | None:
    try:
        with np.load(file) as kept:
            return Corpus(kept["train"], kept["held_out"])
    except (OSError, ValueError, KeyError, EOFError):
        return None


def _keep(file: Path, made: Corpus) -> None:
    """Keep for the next run; a cache that cannot be written only costs time."""
    draft = file.with_name(f".{os.getpid()}-{file.name}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as target:
            np.savez(target, train=made.train, held_out=made.held_out)
        draft.replace(file)
    except OSError:
        draft.unlink(missing_ok=True)
