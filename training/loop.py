"""The training loop: transformers' Trainer with pinned arguments and our own checkpoints."""

from typing import Any

import torch
from peft import PeftModel
from transformers import PreTrainedModel, Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from .checkpoint import Checkpoint
from .data import Blocks, collate
from .steps import Setup, Steps


def arguments(setup: Setup) -> TrainingArguments:
    """Every argument that changes what is learned or where it is saved is set here by name."""
    train, plan = setup.train, setup.plan
    return TrainingArguments(
        output_dir=str(setup.checkpoints),
        per_device_train_batch_size=plan.micro_batch,
        gradient_accumulation_steps=plan.accumulation,
        max_steps=plan.steps,
        learning_rate=plan.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=plan.warmup,
        weight_decay=train.weight_decay,
        max_grad_norm=train.max_grad_norm,
        optim="adamw_torch_fused",
        bf16=setup.precision == "bf16",
        fp16=setup.precision == "fp16",
        use_cpu=setup.device.kind == "cpu",
        activation_checkpointing=train.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        dataloader_num_workers=plan.workers,
        dataloader_persistent_workers=plan.workers > 0,
        dataloader_pin_memory=setup.device.kind == "cuda",
        seed=train.seed,
        # What follows is ours to do: `Steps` decides when, and nothing waits for the device.
        save_strategy="no",
        eval_strategy="no",
        logging_strategy="no",
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
    )


class Loop(Trainer):
    """Trainer with its numbers sent to `Steps`, and an evaluation of our own."""

    def __init__(
        self,
        model: PreTrainedModel | PeftModel,
        blocks: Blocks,
        setup: Setup,
        steps: Steps,
    ) -> None:
        super().__init__(
            model=model,
            args=arguments(setup),
            data_collator=collate,
            train_dataset=blocks,
            callbacks=[steps],
        )
        self.remove_callback(PrinterCallback)
        self._steps = steps

    def run_from(self, found: Checkpoint | None) -> int:
        """Make the steps after `found` (None: all); how many are made in the end."""
        if found and found.step >= self.args.max_steps:
            # Trainer would make one more step; only evaluation and saving were left to do.
            self._load_from_checkpoint(str(found.path))
            return found.step
        self.train(resume_from_checkpoint=str(found.path) if found else None)
        return self.state.global_step

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        loss = super().training_step(model, inputs, num_items_in_batch)
        self._steps.add(loss, inputs["input_ids"].numel())
        return loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Trainer's own mean is wrong after a resume in mid-interval; the rest is passed on."""
        if "learning_rate" in logs:
            self._steps.tell_step(self.state, logs["learning_rate"], logs.get("grad_norm"))

    def evaluate(self, *args: object, **kwargs: object) -> dict[str, float]:
        """Measure the held-out loss without a data loader, which would draw random numbers."""
        self._steps.evaluate(self.state.global_step)
        return {}
