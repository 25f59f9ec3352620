"""Whether a training fits: a conservative rule for its peak memory, against what an offer has.

    weights      full: 18 bytes a parameter (fp32 weight, gradient, two Adam moments, 16-bit copy);
                 lora: the frozen weights (4 bytes in fp32, else 2) and 18 for each trained one
    activations  34 bytes x layers x width a token (arXiv 2205.05198, section 4), 2 x with
                 checkpointing and one whole layer on top
    logits       12 bytes x vocabulary a token: the peak of most LoRA runs is the loss's backward
    all of it    + 10 % for the allocator, + 1 GiB for the runtime

for one sequence at a time unless `micro_batch` is set, since the entrypoint halves the micro-batch
when memory runs out. It errs on the side of "does not fit".
"""

from typing import Final

from ..configs.spec import JobSpec
from ..providers.base import Offer
from .size import JobSize

TRAINED: Final = 18
ACTIVATIONS: Final = 34
CHECKPOINTED: Final = 2
LOGITS: Final = 12
SLACK: Final = 1.1
RUNTIME_MIB: Final = 1024
USUAL_VOCABULARY: Final = 152_000
"""Of a model whose vocabulary is not known: a large one, to stay on the safe side."""


def need_mib(spec: JobSpec, size: JobSize | None, gpu: bool) -> int | None:
    """Peak memory in MiB on one device, None where nothing is known of the job."""
    train = spec.train
    if size is None or train is None:
        return None
    model = size.model
    narrow = train.precision != "fp32" and gpu
    frozen = model.params * (2 if narrow else 4) if train.recipe == "lora" else 0
    weights = frozen + TRAINED * model.trainable
    layer = ACTIVATIONS * model.width
    layers = model.layers * layer
    if train.gradient_checkpointing:
        layers = model.layers * CHECKPOINTED * model.width + layer
    each = layers + LOGITS * (model.vocabulary or USUAL_VOCABULARY)
    moving = each * train.sequence_length * (train.micro_batch or 1)
    return RUNTIME_MIB + round(SLACK * (weights + moving) / 2**20)


def have_mib(offer: Offer) -> int | None:
    """Memory of one device of the offer: of a GPU, or of the machine when it has none."""
    return offer.vram_mib if offer.gpu else offer.memory_mib


def fits(need: int | None, have: int | None) -> bool | None:
    """None when either side is unknown."""
    return None if need is None or have is None else need <= have
