"""From a tree of YAML to typed values: every fault with its place, what is wrong, and a hint."""

from decimal import Decimal
from typing import Any

import pytest

from longshore.configs.assemble import assemble
from longshore.configs.check import Faults, check
from longshore.configs.nodes import parse
from longshore.configs.spec import Gpu, JobSpec
from longshore.errors import ConfigError

TRAIN = "name: n\ntrain: {recipe: full, model: m, dataset: d}\n"
RUN = "name: n\nrun: make\n"


def job(text: str) -> JobSpec:
    faults = Faults()
    return assemble(check(parse(text, "f"), faults), "f:1:1", faults)


@pytest.mark.parametrize(
    ("line", "path", "value"),
    [
        ("resources: {gpu: 4090:2}", "resources.gpu", Gpu("RTX 4090", 2)),
        ("resources: {gpu: {name: T4, count: 2}}", "resources.gpu", Gpu("T4", 2)),
        ("resources: {gpu: {name: T4}}", "resources.gpu", Gpu("T4")),
        ("resources: {gpu: null}", "resources.gpu", None),
        ("resources: {memory: 16GB}", "resources.memory", 16 * 10**9),
        ("resources: {shm: 1GiB}", "resources.shm", 2**30),
        ("resources: {cpus: 1.5}", "resources.cpus", 1.5),
        ("resources: {nodes: 1_000}", "resources.nodes", 1000),
        ("resources: {allow_cpu: yes}", "resources.allow_cpu", True),
        ("resources: {allow_cpu: 'off'}", "resources.allow_cpu", False),
        ("resources: {device: '1'}", "resources.device", "1"),
        ("market: {bid: 0.10}", "market.bid", Decimal("0.10")),
        ("market: {bid: $1}", "market.bid", Decimal(1)),
        ("market: {spot: only}", "market.spot", "only"),
        ("guards: {max_time: 1h30m}", "guards.max_time", 5400),
        ("guards: {max_cost: null}", "guards.max_cost", None),
        ("train: {learning_rate: 5e-5}", "train.learning_rate", 5e-5),
        ("train: {epochs: 3}", "train.epochs", 3.0),
        ("train: {test_share: 5%}", "train.test_share", 0.05),
        ("train: {model: 007}", "train.model", "007"),
        ("train: {lora: {targets: [q_proj, v_proj]}}", "train.lora.targets", ("q_proj", "v_proj")),
        ("sync: {data: [a, b c]}", "sync.data", ("a", "b c")),
        ("sync: {exclude: []}", "sync.exclude", ()),
        ("secrets: [HF_TOKEN]", "secrets", ("HF_TOKEN",)),
        ("local: {usd_per_kwh: 0}", "local.usd_per_kwh", Decimal(0)),
        ("env: {A: yes, B: 010}", "env.A", "yes"),
        ("env: {A: yes, B: 010}", "env.B", "010"),
        ("env: {A: 1.10}", "env.A", "1.10"),
        ("env: {A: ''}", "env.A", ""),
    ],
)
def test_values_get_the_type_of_their_key(line: str, path: str, value: Any) -> None:
    """The key decides what a text means; a variable's value is left as written."""
    faults = Faults()
    values = check(parse(line, "f"), faults)
    assert faults.found == []
    assert values[path].value == value
    assert type(values[path].value) is type(value)


def test_empty_sections_and_keys_of_the_users_own_hold_nothing() -> None:
    """A section that is all comments is no fault, and `x-` keys are a place for anchors."""
    text = "x-mine: &mine {shm: 1GiB}\nresources: {<<: *mine}\nmarket:\nenv:\ntrain:\n"
    faults = Faults()
    assert list(check(parse(text, "f"), faults)) == ["resources.shm"]
    assert faults.found == []


DEFAULT = "remove the key for its default"
NUMBER = "write for example 0.5 or 5e-5"
SIZE = "write for example 16GiB (2^30 each), 16GB (10^9 each) or a whole number of bytes"
NAME = "use up to 40 lower-case letters, digits and hyphens, for example my-job"
SECRET = "write a variable's name, for example HF_TOKEN; its value stays in your environment"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        # unknown keys
        (RUN + "provder: local", "3:1: unknown key 'provder'", "did you mean 'provider'?"),
        (RUN + "gpu: T4", "3:1: unknown key 'gpu'", "did you mean 'resources.gpu'?"),
        (RUN + "lora: {rank: 4}", "3:1: unknown key 'lora'", "did you mean 'train.lora'?"),
        (RUN + "market: {bids: 1}", "3:10: unknown key 'market.bids'", "did you mean 'bid'?"),
        (
            RUN + "market: {zzzz: 1}",
            "3:10: unknown key 'market.zzzz'",
            "there are: spot, bid, wait",
        ),
        (
            RUN + "resources: {gpu: {nmae: T4}}",
            "3:19: resources.gpu: unknown key 'nmae'",
            "did you mean 'name'?",
        ),
        # wrong shape
        (
            RUN + "resources: 4",
            "3:12: resources takes keys with values",
            "write resources: {device: …}",
        ),
        (RUN + "env: [A]", "3:6: env takes keys with values", "write env: {NAME: value}"),
        (RUN + "sync: {data: d}", "3:14: sync.data must be a list", "write data: [one, two]"),
        (
            RUN + "sync: {data: [a, [b]]}",
            "3:18: sync.data takes words only",
            "write data: [one, two]",
        ),
        (
            RUN + "sync: {data: [a, ]\n}\nprovider: [a]",
            "5:11: provider takes one value",
            "write provider: value",
        ),
        (RUN + "provider:", "3:10: provider has no value", "write one, or remove the key"),
        (RUN + "provider: ''", "3:11: provider is empty", "write a value, or remove the key"),
        (
            RUN + "resources: {gpu: {count: 2}}",
            "3:18: resources.gpu has no name",
            "write for example gpu: {name: T4, count: 2}",
        ),
        (
            RUN + "resources: {gpu: {name: [T4]}}",
            "3:25: resources.gpu takes one value",
            "write name: value",
        ),
        # wrong type
        (
            "name: n\ntrain: {recipe: full, model: m, dataset: d, epochs: three}",
            "2:53: train.epochs: 'three' is not a number",
            NUMBER,
        ),
        (
            "name: n\ntrain: {recipe: full, model: m, dataset: d, epochs: .nan}",
            "2:53: train.epochs: '.nan' is not a number",
            NUMBER,
        ),
        (
            "name: n\ntrain: {recipe: full, model: m, dataset: d, epochs: 1e999}",
            "2:53: train.epochs: '1e999' is not a number",
            NUMBER,
        ),
        (
            "name: n\ntrain: {recipe: full, model: m, dataset: d, seed: 1.5}",
            "2:51: train.seed: '1.5' is not a whole number",
            "write for example 8",
        ),
        (
            "name: n\ntrain: {recipe: fulll, model: m, dataset: d}",
            "2:17: train.recipe: 'fulll' is none of lora, full",
            "did you mean 'full'?",
        ),
        (
            RUN + "market: {spot: always}",
            "3:16: market.spot: 'always' is none of never, prefer, only",
            "there are: never, prefer, only",
        ),
        (
            RUN + "market: {bid: free}",
            "3:15: market.bid: 'free' is not an amount in USD",
            "write for example 0.50 or $0.50",
        ),
        (
            RUN + "guards: {idle: soon}",
            "3:16: guards.idle: 'soon' is not a duration",
            "write for example 90s, 15m, 1h30m, 1d, or seconds",
        ),
        (RUN + "resources: {disk: big}", "3:19: resources.disk: 'big' is not a size", SIZE),
        (
            RUN + "resources: {allow_cpu: maybe}",
            "3:24: resources.allow_cpu: 'maybe' is neither true nor false",
            "write true or false",
        ),
        (
            RUN + "resources: {gpu: RTX 4900}",
            "3:18: resources.gpu: unknown GPU 'RTX 4900'",
            "did you mean 'RTX 4090'?",
        ),
        (
            RUN + "resources: {device: tpu}",
            "3:21: resources.device: 'tpu' is no device",
            "write auto, cpu, cuda, cuda:1, xpu, mps, or the number of a GPU",
        ),
        # out of range
        (RUN + "market: {bid: 0}", "3:15: market.bid must be above 0, not 0", DEFAULT),
        (RUN + "market: {bid: -1}", "3:15: market.bid must be above 0, not -1", DEFAULT),
        (RUN + "guards: {max_time: -5}", "3:20: guards.max_time must be above 0, not -5", DEFAULT),
        (RUN + "guards: {idle: 0}", "3:16: guards.idle must be above 0, not 0", DEFAULT),
        (RUN + "resources: {nodes: 0}", "3:20: resources.nodes must be above 0, not 0", DEFAULT),
        (
            RUN + "resources: {gpu: {name: T4, count: 0}}",
            "3:18: resources.gpu must have a count of at least 1",
            "write for example count: 2",
        ),
        (
            RUN + "resources: {gpu: T4:0}",
            "3:18: resources.gpu: 'T4:0' has no whole number above 0 after ':'",
            "write for example T4:2",
        ),
        (
            "name: n\ntrain: {recipe: full, model: m, dataset: d, sequence_length: 1}",
            "2:62: train.sequence_length must be at least 2, not 1",
            DEFAULT,
        ),
        (
            "name: n\ntrain: {recipe: full, model: m, dataset: d, test_share: 1}",
            "2:57: train.test_share must be below 1, not 1.0",
            DEFAULT,
        ),
        (
            "name: n\ntrain: {recipe: full, model: m, dataset: d, seed: 5000000000}",
            "2:51: train.seed must be at most 4294967295, not 5000000000",
            DEFAULT,
        ),
        (
            "name: n\ntrain: {recipe: full, model: m, dataset: d, batch_size: 8, micro_batch: 3}",
            "2:57: train.batch_size 8 is no multiple of micro_batch 3",
            "choose a micro_batch that divides it",
        ),
        # names
        ("name: My Job\nrun: make", "1:7: name: 'My Job' cannot name a job", NAME),
        ("name: -a\nrun: make", "1:7: name: '-a' cannot name a job", NAME),
        (f"name: {'a' * 41}\nrun: make", f"1:7: name: '{'a' * 41}' cannot name a job", NAME),
        (RUN + "env: {1A: x}", "3:7: env: '1A' cannot be a variable", "use letters, digits and _"),
        (
            RUN + "env: {LONGSHORE_ROOT: x}",
            "3:7: env: 'LONGSHORE_ROOT' is ours",
            "names that begin with LONGSHORE_ are set for you",
        ),
        (RUN + "env: {A: }", "3:10: env.A has no value", 'write "" for an empty one'),
        (RUN + "env: {A: [x]}", "3:10: env.A takes one value", "quote a value that holds [ or {"),
        # secrets
        (
            RUN + "secrets: [TOKEN=abc]",
            "3:11: secrets takes names, never values",
            "write TOKEN only, and set its value in your environment",
        ),
        (RUN + "secrets: [hf-abc=1]", "3:11: secrets takes names of environment variables", SECRET),
        (
            RUN + "secrets: {TOKEN: abc}",
            "3:10: secrets must be a list",
            "write secrets: [one, two]",
        ),
        (
            RUN + "secrets: [A]\nenv: {A: abc}",
            "4:10: A is in env and in secrets",
            "keep it in secrets only",
        ),
        # the job as a whole
        (
            "name: n",
            "1:1: the job has neither train nor run",
            "write run: COMMAND, or train: with recipe, model and dataset",
        ),
        (TRAIN + "run: make", "3:6: the job has both train and run", "keep one of the two"),
        ("run: make", "1:1: name is missing", "write for example name: my-job"),
        (
            "name: n\ntrain: {recipe: full, model: m}",
            "2:17: train.dataset is missing",
            "write a file or folder, for example dataset: data/train.jsonl",
        ),
    ],
)
def test_every_fault_has_a_place_and_a_hint(text: str, message: str, hint: str) -> None:
    """The whole message and the whole hint, as a user reads them."""
    with pytest.raises(ConfigError) as caught:
        job(text)
    assert (str(caught.value), caught.value.hint) == (f"f:{message}", hint)


@pytest.mark.parametrize(
    "line",
    [
        "resources: {nodes: N}",
        "resources: {memory: N}",
        "resources: {cpus: N}",
        "guards: {max_time: N}",
        "market: {bid: N}",
        "resources: {gpu: 'T4:N'}",
        "resources: {gpu: {name: T4, count: N}}",
    ],
)
def test_a_number_too_long_for_anything_is_a_fault(line: str) -> None:
    """Thousands of digits are a slip of the keyboard, and Python itself refuses to read them."""
    with pytest.raises(ConfigError, match=r"^f:3:\d+: "):
        job(RUN + line.replace("N", "9" * 5000))


def test_all_faults_are_told_at_once() -> None:
    """One line for each, in the order of the file, each with its own hint."""
    with pytest.raises(ConfigError) as caught:
        job("nmae: x\nresources: {cpus: -1}\nguards: {max_time: soon}\n")
    assert str(caught.value).splitlines() == [
        "f:1:1: unknown key 'nmae' (did you mean 'name'?)",
        "f:2:19: resources.cpus must be above 0, not -1.0 (remove the key for its default)",
        "f:3:20: guards.max_time: 'soon' is not a duration "
        "(write for example 90s, 15m, 1h30m, 1d, or seconds)",
        "f:1:1: name is missing (write for example name: my-job)",
    ]


@pytest.mark.parametrize("written", ["T=hf_x9y8", "hf-x9y8=x", "hf-x9y8"])
def test_a_secret_written_by_mistake_is_not_repeated(written: str) -> None:
    """What may be a secret's value appears neither in the message nor in the hint."""
    with pytest.raises(ConfigError) as caught:
        job(RUN + f"secrets: [{written}]")
    assert "x9y8" not in str(caught.value) + caught.value.hint


def test_a_variables_value_is_never_in_a_message() -> None:
    """People put secrets into env too."""
    with pytest.raises(ConfigError) as caught:
        job(RUN + "env: {A: [s3cret], 1B: s3cret, LONGSHORE_X: s3cret}")
    assert "s3cret" not in str(caught.value)
