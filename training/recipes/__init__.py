"""What each `train.recipe` makes of a model: which weights learn, and what comes out."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ...configs.spec import Recipe as Name
from ...configs.spec import Train
from .full import FullRecipe
from .lora import LoraRecipe

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

    Model = PreTrainedModel | PeftModel


class Recipe(Protocol):
    """One way to train a causal language model."""

    output: str
    """The folder under outputs/ that receives the result."""
    freezes: bool
    """Whether the model's own weights stay as they are; they may then be in half precision."""

    def learning_rate(self, train: Train) -> float:
        """What suits when the job names none."""
        ...

    def prepare(self, model: "PreTrainedModel", train: Train) -> "Model":
        """The model with what is to learn made ready; uses torch's random numbers."""
        ...

    def save(self, model: "Model", train: Train, folder: Path) -> None:
        """Write what was learned."""
        ...

    def flops_per_token(self, params: int, trainable: int) -> int:
        """Floating-point operations to train on one token."""
        ...


RECIPES: Final[dict[Name, Recipe]] = {"full": FullRecipe(), "lora": LoraRecipe()}
