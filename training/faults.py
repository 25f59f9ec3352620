"""Turns what libraries raise into one line the user can act on."""

import errno
from collections.abc import Iterator
from typing import Final

from ..configs.container import LOG
from ..errors import JobFailedError, LongshoreError

_NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_SPACE_WORDS: Final = ("no space left", "file too large", "disk quota", "pytorchstreamwriter")
"""What safetensors and torch's file writer say; they keep the error number to themselves."""
_NO_MEMORY_WORDS: Final = ("out of memory", "can't allocate memory", "not enough memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device's (or the machine's) memory ran out; CUDA, XPU, MPS and CPU."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and _says(error, _NO_MEMORY_WORDS)


def explain(error: Exception) -> LongshoreError:
    """The fault as one of our own errors; the traceback stays in the log."""
    if isinstance(error, LongshoreError):
        return error
    if any(_is_full_disk(cause) for cause in _causes(error)):
        return JobFailedError(
            "the disk is full: outputs or a checkpoint could not be written",
            "free some space, or ask for more with resources.disk; the last checkpoint is kept",
        )
    lines = str(error).strip().splitlines() or ["no message"]
    return JobFailedError(f"{type(error).__name__}: {lines[0]}", f"the traceback is in {LOG}")


def _is_full_disk(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        return True
    return _says(error, _NO_SPACE_WORDS)


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(word in text for word in words)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
