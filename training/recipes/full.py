"""`full`: every weight learns."""

from pathlib import Path
from typing import TYPE_CHECKING

from ...configs.spec import Train

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


class FullRecipe:
    """Needs weights, gradients and two moments of Adam in fp32: 16 bytes for each parameter."""

    output = "model"
    freezes = False

    def learning_rate(self, train: Train) -> float:
        return 1e-3 if train.init == "random" else 2e-5

    def prepare(self, model: "PreTrainedModel", train: Train) -> "PreTrainedModel":
        return model

    def save(self, model: "PreTrainedModel | PeftModel", train: Train, folder: Path) -> None:
        model.save_pretrained(str(folder))

    def flops_per_token(self, params: int, trainable: int) -> int:
        """6 N: two for the forward pass, four for the backward pass (arXiv 2001.08361, 2.1)."""
        return 6 * params
