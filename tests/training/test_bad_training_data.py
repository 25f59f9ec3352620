"""Whatever is wrong with data or model is one line with a hint, and code 2 or 3."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from peft import PeftModel
from safetensors.numpy import load_file, save_file
from transformers import AutoModelForCausalLM

from longshore.configs import container
from longshore.errors import LongshoreError
from longshore.training import hub, train
from longshore.training.events import Events, Redactor
from longshore.training.stop import Stop
from longshore.training.story import Story

from .conftest import MakeSite, Site

pytestmark = pytest.mark.training

Break = Callable[[Site], None]


def run(site: Site) -> int:
    (site.path / container.OUTPUTS).mkdir(exist_ok=True)
    events = Events(site.path / container.EVENTS, Redactor())
    try:
        return train.run(site.path, site.spec, Story(events, lambda line: None), Stop())
    finally:
        events.close()


def data(content: bytes) -> Break:
    def write(site: Site) -> None:
        (site.path / "data/train.jsonl").write_bytes(content)

    return write


def training(**changes: object) -> Break:
    return lambda site: site.change(**changes)


def config(**changes: object) -> Break:
    def write(site: Site) -> None:
        file = site.path / "data/model/config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return write


def torn_weights(site: Site) -> None:
    site.change(init="pretrained")
    (site.path / "data/model/model.safetensors").write_bytes(b"\x10")


def adapter_as_model(site: Site) -> None:
    (site.path / "data/model/adapter_config.json").write_text("{}")


def no_tokenizer(site: Site) -> None:
    for file in (site.path / "data/model").glob("tokenizer*"):
        file.unlink()


@pytest.mark.parametrize(
    ("spoil", "code", "words", "hint"),
    [
        pytest.param(data(b""), 3, "is empty", "", id="empty"),
        pytest.param(data(b'{"text": "one"}'), 3, "one text only", "more than one", id="one line"),
        pytest.param(
            data(b'{"text": "a"}\n{"text": "b"}'),
            3,
            "do not fill one sequence of 32",
            "",
            id="short",
        ),
        pytest.param(data(b'{"body": "a"}'), 3, "no column 'text'", "body", id="wrong column"),
        pytest.param(data(b'{"text": "\xe4"}'), 3, "train.jsonl:1: not UTF-8", "", id="not UTF-8"),
        pytest.param(training(dataset="data/x"), 3, "there is no data set", "", id="no file"),
        pytest.param(
            training(init="pretrained"),
            3,
            "holds no weights",
            "train.init: random",
            id="no weights",
        ),
        pytest.param(torn_weights, 3, "cannot load the model", "whole", id="torn weights"),
        pytest.param(adapter_as_model, 3, "is an adapter", "made for", id="an adapter"),
        pytest.param(no_tokenizer, 3, "holds no tokenizer", "", id="no tokenizer"),
        pytest.param(training(model="data"), 3, "no config.json", "", id="no model folder"),
        pytest.param(config(model_type="nonesuch"), 3, "nonesuch", "", id="unknown kind of model"),
        pytest.param(
            config(vocab_size=100),
            3,
            "tokens, the model only 100",
            "tokenizer",
            id="other tokenizer",
        ),
        pytest.param(
            training(sequence_length=65), 2, "more than the 64", "64", id="longer than the model"
        ),
        pytest.param(training(precision="fp16"), 2, "fp16", "auto", id="fp16 on a CPU"),
    ],
)
def test_refuses(spoil: Break, code: int, words: str, hint: str, make_training: MakeSite) -> None:
    """The fault is named with its place, and what helps stands beside it."""
    site = make_training()
    spoil(site)
    with pytest.raises(LongshoreError) as caught:
        run(site)
    assert caught.value.exit_code == code
    assert words in str(caught.value)
    assert hint in caught.value.hint
    assert "\n" not in str(caught.value)


def test_refuses_unknown_lora_targets(make_training: MakeSite) -> None:
    """Layers that the model does not have are the user's slip, code 2."""
    site = make_training(recipe="lora")
    assert site.spec.train
    site.change(lora=replace(site.spec.train.lora, targets=("nope",)))
    with pytest.raises(LongshoreError, match="nope") as caught:
        run(site)
    assert caught.value.exit_code == 2


def test_refuses_checkpoints_of_another_job(make_training: MakeSite) -> None:
    """Nothing goes on from a checkpoint that was made with other settings, or overwrites it."""
    site = make_training()
    assert run(site) == 0
    site.change(learning_rate=0.5)
    with pytest.raises(LongshoreError, match="another learning_rate"):
        run(site)


# peft asks transformers by a name that will go.
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")
def test_trains_on_its_own_output(make_training: MakeSite) -> None:
    """What `full` wrote is a model for `lora`; what that wrote is an adapter for the same model."""
    first = make_training("first")
    assert run(first) == 0
    second = make_training("second", recipe="lora", init="pretrained", max_steps=30, epochs=9.0)
    shutil.rmtree(second.path / "data/model")
    shutil.copytree(first.path / "outputs/model", second.path / "data/model")
    assert run(second) == 0
    curves = [
        json.loads(site.read("outputs/metrics.json"))["train_curve"] for site in (first, second)
    ]
    assert curves[1][-1][1] < curves[0][-1][1]
    model = AutoModelForCausalLM.from_pretrained(second.path / "data/model")
    adapted = PeftModel.from_pretrained(model, str(second.path / "outputs/adapter"))
    assert adapted.peft_config["default"].base_model_name_or_path == "data/model"


def test_settings_and_metrics_tell_what_ran(make_training: MakeSite) -> None:
    """The settings that held and the numbers that came out, beside the weights."""
    site = make_training(epochs=1.0, max_steps=None)
    assert run(site) == 0
    settings = json.loads(site.read("outputs/settings.json"))
    assert settings["device"]["id"] == "cpu"
    assert settings["precision"] == "fp32"
    assert settings["plan"]["batch_size"] == 4
    assert settings["plan"]["accumulation"] == 2
    assert settings["seed"] == 42
    metrics = json.loads(site.read("outputs/metrics.json"))
    (evaluation,) = site.events("eval")
    assert metrics["eval_loss"] == evaluation["loss"]
    assert metrics["baseline"] == evaluation["baseline"]
    assert metrics["steps"] == site.events("plan")[0]["steps"]
    assert set(metrics["seconds"]) >= {"load", "data", "train", "eval", "save"}


def test_tokenises_once(make_training: MakeSite) -> None:
    """The same data is not tokenised again; other data, or a torn cache, is."""
    site = make_training(max_steps=1)

    def kept() -> list[Path]:
        return sorted((site.path / "cache/tokens").iterdir())

    assert run(site) == 0
    (first,) = kept()
    stamp = first.stat().st_mtime_ns
    shutil.rmtree(site.path / "checkpoints")
    assert run(site) == 0
    assert first.stat().st_mtime_ns == stamp
    first.write_bytes(b"torn")
    shutil.rmtree(site.path / "checkpoints")
    assert run(site) == 0
    assert first.stat().st_size > 100
    site.change(seed=7)
    shutil.rmtree(site.path / "checkpoints")
    assert run(site) == 0
    assert len(kept()) == 2


def test_held_out_share_of_zero(make_training: MakeSite) -> None:
    """Without held-out text there is nothing to measure, and no event claims so."""
    site = make_training(test_share=0.0)
    assert run(site) == 0
    assert site.events("eval") == []
    assert json.loads(site.read("outputs/metrics.json"))["eval_loss"] is None


def test_diverged_training_stops(make_training: MakeSite) -> None:
    """A loss that is no number ends the training: every further step is paid for nothing."""
    site = make_training(init="pretrained", max_steps=6)
    first = make_training("first", max_steps=1)
    assert run(first) == 0
    weights = site.path / "data/model/model.safetensors"
    spoilt = load_file(first.path / "outputs/model/model.safetensors")
    spoilt["model.norm.weight"][:] = float("nan")
    save_file(spoilt, weights, metadata={"format": "pt"})
    with pytest.raises(LongshoreError, match="the loss is nan at step 3"):
        run(site)


def test_end_to_end(make_training: MakeSite) -> None:
    """Through the entrypoint: stop, resume and done, with the story on the screen."""
    site = make_training(max_steps=80, epochs=40.0, log_every=1)
    process = site.start()
    site.wait_for(container.EVENTS, '"step"')
    process.terminate()
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (75, "")
    assert site.done()["reason"] == "preempted"
    saved = site.events("checkpoint")[-1]
    assert saved["why"] == "stop"
    site.change(log_every=100)
    ended = site.run()
    assert ended.code == 0, ended
    assert site.events("plan")[-1]["resumed_from"] == saved["step"]
    assert "held-out loss" in ended.screen
    assert ended.errors == ""


def test_fault_on_the_screen(make_training: MakeSite) -> None:
    """Through the entrypoint: one line and a hint, the traceback in the log only."""
    site = make_training(model="no-such-owner/no-such-model")
    ended = site.run(HF_ENDPOINT="https://hub.invalid")
    assert ended.code == 3
    assert ended.errors.startswith("error: cannot get the tokenizer 'no-such-owner/no-such-model'")
    assert ended.errors.count("\n") == 2
    assert "Traceback" not in ended.screen + ended.errors
    assert "Traceback" in site.read(container.LOG)
    assert site.events("error")[0]["code"] == 3
    assert site.done()["reason"] == "failed"


def test_full_disk(make_training: MakeSite) -> None:
    """Through the entrypoint: a full disk is one line, and nothing half-written counts."""
    site = make_training(max_steps=2)
    ended = subprocess.run(
        [sys.executable, "-m", "longshore.training"],
        env={**os.environ, container.ROOT_VARIABLE: str(site.path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 6
    assert "the disk is full" in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert not list((site.path / "checkpoints").glob("step-*"))


def test_offline_only_without_a_network() -> None:
    """The cache alone is used when the hub's name does not resolve and no proxy could help."""
    environ = {"HF_ENDPOINT": "https://hub.invalid"}
    hub.prepare(environ)
    assert environ["HF_HUB_OFFLINE"] == "1"
    behind = {"HF_ENDPOINT": "https://hub.invalid", "HTTPS_PROXY": "http://proxy:3128"}
    hub.prepare(behind)
    assert "HF_HUB_OFFLINE" not in behind
    here = {"HF_ENDPOINT": "http://localhost:8080"}
    hub.prepare(here)
    assert "HF_HUB_OFFLINE" not in here
