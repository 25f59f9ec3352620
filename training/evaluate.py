"""The held-out loss: mean negative log-likelihood in nats per token, beside a unigram guess."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import numpy as np
import torch

from .data import Tokens

Autocast = Callable[[], AbstractContextManager[object]]


def loss(
    model: torch.nn.Module, tokens: Tokens, length: int, batch: int, autocast: Autocast
) -> float:
    """The model's loss over all blocks of `tokens`, a shorter last one included.

    The first token of a block has no context and is not counted. No random number is drawn, so a
    training that goes on after it is the same as without it.
    """
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for part in _batches(tokens, length, batch):
            ids = torch.from_numpy(part.astype(np.int64)).to(_device(model))
            with autocast():
                mean = model(input_ids=ids, labels=ids).loss
            seen = ids.shape[0] * (ids.shape[1] - 1)
            total, count = total + float(mean) * seen, count + seen
    model.train(was_training)
    return total / count


def unigram_loss(train: Tokens, held_out: Tokens, length: int, vocabulary: int) -> float:
    """What `loss` would be for the best guess without context: how often each token was seen.

    p(token) = (count in `train` + 1) / (len(train) + vocabulary), add-one smoothing.
    """
    counts = np.bincount(train, minlength=vocabulary) + 1.0
    log_p = np.log(counts / counts.sum())
    counted = held_out[np.arange(len(held_out)) % length != 0]
    return float(-log_p[counted].mean())


def _batches(tokens: Tokens, length: int, batch: int) -> Iterator[Tokens]:
    whole = len(tokens) // length
    blocks = tokens[: whole * length].reshape(whole, length)
    for start in range(0, whole, batch):
        yield blocks[start : start + batch]
    rest = tokens[whole * length :]
    if len(rest) > 1:
        yield rest[None, :]


def _device(model: torch.nn.Module) -> torch.device:
    return next(model.parameters()).device
