"""What one would write by hand: the same training as `longshore train`, with Trainer alone.

    python plain_trainer.py DATA.jsonl MODEL_FOLDER OUTPUT_FOLDER STEPS

Prints one JSON line: the training losses by step and the held-out loss.
"""

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
    default_data_collator,
    set_seed,
)

SEED = 42
LENGTH = 128


def main(data: Path, model_folder: Path, output: Path, steps: int) -> None:
    """Tokenise, train, evaluate, save."""
    texts = [json.loads(line)["text"] for line in data.read_text().splitlines()]
    held_out = set(random.Random(SEED).sample(range(len(texts)), round(len(texts) * 0.1)))
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    set_seed(SEED)
    config = AutoConfig.from_pretrained(model_folder)
    draw: Callable[..., PreTrainedModel] = AutoModelForCausalLM.from_config
    model = draw(config, dtype=torch.float32)
    trainer = Trainer(
        model=model,
        args=arguments(output, steps),
        train_dataset=blocks(tokenizer, [t for i, t in enumerate(texts) if i not in held_out]),
        eval_dataset=blocks(tokenizer, [t for i, t in enumerate(texts) if i in held_out]),
        data_collator=default_data_collator,
    )
    trainer.train()
    loss = trainer.evaluate()["eval_loss"]
    trainer.save_model(str(output / "model"))
    tokenizer.save_pretrained(output / "model")
    steps_told = [[log["step"], log["loss"]] for log in trainer.state.log_history if "loss" in log]
    print(json.dumps({"train_curve": steps_told, "eval_loss": loss}))


def arguments(output: Path, steps: int) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(output / "checkpoints"),
        max_steps=steps,
        per_device_train_batch_size=8,
        per_device_eval_batch_size=8,
        learning_rate=5e-3,
        lr_scheduler_type="cosine",
        warmup_steps=-(-3 * steps // 100),
        logging_steps=5,
        save_steps=steps,
        seed=SEED,
        prediction_loss_only=True,
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
    )


def blocks(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[dict[str, list[int]]]:
    ids: list[int] = []
    for one in tokenizer(texts, add_special_tokens=False)["input_ids"]:
        ids += [*one, tokenizer.eos_token_id]
    cut = [ids[start : start + LENGTH] for start in range(0, len(ids) - LENGTH + 1, LENGTH)]
    return [{"input_ids": block, "labels": block} for block in cut]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
