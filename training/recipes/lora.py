"""`lora`: low-rank adapters learn beside a frozen model (arXiv 2106.09685)."""

from pathlib import Path
from typing import TYPE_CHECKING

from ...configs.spec import Train
from ...errors import ConfigError

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


class LoraRecipe:
    """The result is an adapter, loadable with `peft.PeftModel.from_pretrained(model, folder)`."""

    output = "adapter"
    freezes = True

    def learning_rate(self, train: Train) -> float:
        return 2e-4

    def prepare(self, model: "PreTrainedModel", train: Train) -> "PeftModel":
        """Raises ConfigError when no layer has a name of `train.lora.targets`."""
        from peft import LoraConfig, get_peft_model

        asked = train.lora
        all_linear = asked.targets == ("all-linear",)
        config = LoraConfig(
            task_type="CAUSAL_LM",
            r=asked.rank,
            lora_alpha=asked.alpha,
            lora_dropout=asked.dropout,
            target_modules="all-linear" if all_linear else list(asked.targets),
        )
        try:
            return get_peft_model(model, config)
        except ValueError as error:
            raise ConfigError(str(error).splitlines()[0], where="train.lora.targets") from None

    def save(self, model: "PreTrainedModel | PeftModel", train: Train, folder: Path) -> None:
        """The adapter names its model as the job does, not by a path inside the container."""
        from peft import PeftModel

        assert isinstance(model, PeftModel)
        for config in model.peft_config.values():
            config.base_model_name_or_path = train.model
        # "auto" would ask the hub whether the vocabulary was resized; we never do that.
        model.save_pretrained(str(folder), save_embedding_layers=False)

    def flops_per_token(self, params: int, trainable: int) -> int:
        """4 N and two for each trained weight: frozen ones need no gradient of their own."""
        return 4 * params + 2 * trainable
