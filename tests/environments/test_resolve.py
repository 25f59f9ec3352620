"""Layers over layers, and where each value came from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from longshore.configs.schema import leaves
from longshore.configs.spec import Gpu
from longshore.environments.layers import Flag, Origin, parse_set
from longshore.environments.resolve import explain, find_project_file, resolve
from longshore.errors import ConfigError

Write = Callable[[str, str], Path]

JOB = "name: job\ntrain: {recipe: full, model: m, dataset: d}\n"
CONFIG = "../config"


@pytest.mark.parametrize(
    ("above", "nodes", "layer"),
    [
        (0, 1, "default"),
        (1, 2, "settings"),
        (2, 3, "environment"),
        (3, 4, "project"),
        (4, 5, "flag"),
    ],
)
def test_each_layer_stands_over_the_one_below(
    write: Write, above: int, nodes: int, layer: str
) -> None:
    """default < settings < environment < project < flag."""
    files = [
        (f"{CONFIG}/settings.yaml", "resources: {nodes: 2}\n"),
        ("environments/mine.yaml", "resources: {nodes: 3}\n"),
        ("longshore.yaml", JOB + "resources: {nodes: 4}\n"),
    ]
    write("environments/mine.yaml", "")
    write("longshore.yaml", JOB)
    for path, text in files[:above]:
        write(path, text)
    flags = [Flag("resources.nodes", "5", "--nodes")] if above == 4 else []
    resolved = resolve(env="mine", flags=flags)
    assert resolved.spec.resources.nodes == nodes
    assert resolved.origins["resources.nodes"].layer == layer


def test_origins_name_the_file_the_line_or_the_flag(write: Write, project: Path) -> None:
    """A place is what a user can open: their file, the built-in one, or the flag as typed."""
    settings = write(f"{CONFIG}/settings.yaml", "local:\n  watts: 90\n")
    write("longshore.yaml", JOB + "env: {A: x}\n")
    flags = [Flag("resources.gpu", "4090:2", "--gpu"), parse_set("env.B=y=z")]
    resolved = resolve(flags=flags)
    assert resolved.spec.resources.gpu == Gpu("RTX 4090", 2)
    assert resolved.spec.env == {"A": "x", "B": "y=z"}
    assert (resolved.project, resolved.file) == (project, project / "longshore.yaml")
    origins = resolved.origins
    assert origins["local.watts"] == Origin("settings", f"{settings.resolve()}:2:10")
    assert origins["provider"] == Origin("environment", "longshore/environments/local.yaml:2:11")
    assert origins["name"] == Origin("project", "longshore.yaml:1:7")
    assert origins["env.A"] == Origin("project", "longshore.yaml:3:10")
    assert origins["env.B"] == Origin("flag", "--set env.B")
    assert origins["resources.gpu"] == Origin("flag", "--gpu")
    assert origins["market.spot"] == Origin("default", "")


def test_mappings_merge_and_lists_replace(write: Write) -> None:
    """Variables of both layers are there; of two lists only the higher one."""
    write("environments/mine.yaml", "env: {A: low, B: low}\nsync: {data: [a], exclude: [x]}\n")
    write("longshore.yaml", JOB + "env: {B: high}\nsync: {data: [b, c]}\n")
    spec = resolve(env="mine").spec
    assert spec.env == {"A": "low", "B": "high"}
    assert (spec.sync.data, spec.sync.exclude) == (("b", "c"), ("x",))


def test_null_takes_a_value_back(write: Write) -> None:
    """A higher layer can return to what the device or the recipe chooses."""
    write("environments/mine.yaml", "market: {bid: 0.50}\nresources: {gpu: T4}\n")
    write("longshore.yaml", JOB + "market: {bid: null}\n")
    spec = resolve(env="mine", flags=[Flag("resources.gpu", None, "--gpu")]).spec
    assert (spec.market.bid, spec.resources.gpu) == (None, None)


def test_of_two_flags_for_one_key_the_later_wins(write: Write) -> None:
    """As on every command line."""
    write("longshore.yaml", JOB)
    flags = [parse_set("train.epochs=2"), parse_set("train.epochs=3")]
    train = resolve(flags=flags).spec.train
    assert train is not None
    assert train.epochs == 3


@pytest.mark.parametrize(
    ("value", "words"),
    [("a,b", ("a", "b")), ("[a, b]", ("a", "b")), (["a,b"], ("a,b",)), ("", ()), ("[]", ())],
)
def test_a_flag_may_hold_a_list(write: Write, value: str, words: tuple[str, ...]) -> None:
    """As text with commas, in brackets, or as a list of the command line's own."""
    write("longshore.yaml", JOB)
    assert resolve(flags=[Flag("sync.data", value, "--data")]).spec.sync.data == words


class TestTrainOrRun:
    """The highest layer that says what the job is, decides."""

    def test_a_command_drops_the_training_below_it(self, write: Write) -> None:
        """An environment may tune training; a project that runs a command does not see it."""
        write("environments/mine.yaml", "train: {workers: 0}\n")
        write("longshore.yaml", "name: job\nrun: make\n")
        resolved = resolve(env="mine")
        assert (resolved.spec.run, resolved.spec.train) == ("make", None)
        assert not any(path.startswith("train.") for path in resolved.origins)

    def test_a_training_drops_the_command_below_it(self, write: Write) -> None:
        """And the other way round."""
        write("environments/mine.yaml", "run: make\n")
        write("longshore.yaml", JOB)
        resolved = resolve(env="mine")
        assert resolved.spec.run is None
        assert resolved.spec.train is not None
        assert resolved.origins["run"] == Origin("default", "")

    def test_a_flag_may_put_a_command_in_place_of_the_training(self, write: Write) -> None:
        """`--set run=…` says plainly what is wanted."""
        write("longshore.yaml", JOB)
        spec = resolve(flags=[parse_set("run=nvidia-smi")]).spec
        assert (spec.run, spec.train) == ("nvidia-smi", None)

    def test_a_lone_flag_for_training_on_a_command_is_a_slip(self, write: Write) -> None:
        """It would otherwise silently replace the command by half a training."""
        write("longshore.yaml", "name: job\nrun: make\n")
        with pytest.raises(ConfigError) as caught:
            resolve(flags=[Flag("train.epochs", "3", "--epochs")])
        assert str(caught.value) == "--epochs: the job has no train section"
        hint = "it is a command (longshore.yaml:2:6); train.epochs means nothing to it"
        assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("flag", "message", "hint"),
    [
        (
            parse_set("train.epoch=3"),
            "--set train.epoch: unknown key 'train.epoch'",
            "did you mean 'epochs'?",
        ),
        (
            parse_set("epochs=3"),
            "--set epochs: unknown key 'epochs'",
            "did you mean 'train.epochs'?",
        ),
        (parse_set("zz.yy=3"), "--set zz.yy: unknown key 'zz.yy'", ""),
        (
            parse_set("train=3"),
            "--set train: 'train' is a section",
            "set one of its keys, for example train.recipe",
        ),
        (
            parse_set("train.epochs=x"),
            "--set train.epochs: train.epochs: 'x' is not a number",
            "write for example 0.5 or 5e-5",
        ),
        (
            parse_set("provider="),
            "--set provider: provider is empty",
            "write a value, or remove the key",
        ),
        (
            parse_set("secrets=A=b"),
            "--set secrets: secrets takes names, never values",
            "write A only, and set its value in your environment",
        ),
        (parse_set("env=3"), "--set env: env takes keys with values", "write env.NAME=value"),
        (
            parse_set("env.1A=3"),
            "--set env.1A: env: '1A' cannot be a variable",
            "use letters, digits and _",
        ),
        (
            Flag("resources.gpu", "A100", "--gpu"),
            "--gpu: resources.gpu: 'A100' names several GPUs: "
            "A100-40GB (40 GB), A100-80GB-PCIe (80 GB), A100-80GB-SXM (80 GB)",
            "write one of them in full",
        ),
        (
            Flag("market.bid", "-1", "--bid-price"),
            "--bid-price: market.bid must be above 0, not -1",
            "remove the key for its default",
        ),
    ],
)
def test_a_fault_in_a_flag_names_the_flag(
    write: Write, flag: Flag, message: str, hint: str
) -> None:
    """The place of a fault is the flag as it was typed."""
    write("longshore.yaml", JOB)
    with pytest.raises(ConfigError) as caught:
        resolve(flags=[flag])
    assert str(caught.value) == message
    assert caught.value.hint.startswith(hint)


@pytest.mark.parametrize("text", ["train.epochs", "=3", ""])
def test_set_wants_a_key_and_a_value(text: str) -> None:
    """The hint shows one."""
    with pytest.raises(ConfigError) as caught:
        parse_set(text)
    assert str(caught.value) == f"--set: {text!r} is not KEY=VALUE"
    assert caught.value.hint == "write for example --set train.epochs=3"


def test_faults_of_every_layer_are_told_at_once(write: Write) -> None:
    """The settings, the project and the flags are mended in one go."""
    settings = write(f"{CONFIG}/settings.yaml", "gards: {}\n").resolve()
    write("longshore.yaml", JOB + "provder: x\n")
    with pytest.raises(ConfigError) as caught:
        resolve(flags=[Flag("resources.gpu", "Banana", "--gpu")])
    assert str(caught.value).splitlines() == [
        f"{settings}:1:1: unknown key 'gards' (did you mean 'guards'?)",
        "longshore.yaml:3:1: unknown key 'provder' (did you mean 'provider'?)",
        "--gpu: resources.gpu: unknown GPU 'Banana' "
        "(write for example T4, L4, 'RTX 4090', A100-80GB or H100-SXM)",
    ]


class TestTheProjectsFile:
    """A job always has a file; where it is not, the message says how to get one."""

    def test_none_is_a_fault(self, project: Path) -> None:
        """The hint is the command that writes one."""
        with pytest.raises(ConfigError) as caught:
            resolve()
        assert str(caught.value) == f"no longshore.yaml in {project}"
        assert caught.value.hint == "`longshore init` writes one; --config names another file"

    def test_both_endings_at_once_are_a_fault(self, write: Write, project: Path) -> None:
        """Nothing is chosen silently."""
        write("longshore.yaml", JOB)
        assert find_project_file(project).name == "longshore.yaml"
        write("longshore.yml", JOB)
        with pytest.raises(ConfigError, match=r"longshore.yaml and longshore.yml are both in"):
            find_project_file(project)

    @pytest.mark.parametrize("text", ["", "# nothing yet\n", "x-note: hello\n"])
    def test_an_empty_one_is_a_fault(self, write: Write, text: str) -> None:
        """It holds no job, whatever the comments say."""
        write("longshore.yaml", text)
        with pytest.raises(ConfigError) as caught:
            resolve()
        assert str(caught.value) == "longshore.yaml:1:1: holds no job"
        assert caught.value.hint == "`longshore init` writes one"

    def test_one_elsewhere_is_the_project_of_its_own_folder(self, write: Write) -> None:
        """Paths and environments are looked for beside the file, not in the current folder."""
        file = write("sub/other.yaml", JOB)
        write("sub/environments/mine.yaml", "resources: {nodes: 7}\n")
        resolved = resolve(Path("sub/other.yaml"), env="mine")
        assert (resolved.project, resolved.spec.resources.nodes) == (file.parent, 7)
        assert resolved.origins["name"].where == "sub/other.yaml:1:7"


def test_explain_gives_each_value_once_as_text_and_with_its_layer(write: Write) -> None:
    """Every key of the job is there, written so that it can be pasted into a file."""
    write("longshore.yaml", JOB + "market: {bid: 0.50}\nenv: {A: x}\nsync: {data: [a, b]}\n")
    lines = {line.path: line for line in explain(resolve())}
    assert [*lines] == [path if path != "env" else "env.A" for path in leaves()]
    texts = {path: lines[path].text for path in ("market.bid", "resources.shm", "guards.max_time")}
    assert texts == {"market.bid": "$0.50", "resources.shm": "2 GiB", "guards.max_time": "1d"}
    assert (lines["sync.data"].text, lines["train.max_steps"].text) == ("[a, b]", "null")
    assert (lines["image.offline"].text, lines["env.A"].text) == ("false", "x")
    assert lines["market.bid"].where == "longshore.yaml:3:15"
    assert (lines["market.spot"].layer, lines["market.spot"].where) == ("default", "")
    assert "run" in lines


def test_what_explain_shows_can_be_read_back(write: Write) -> None:
    """Each text, set as a flag, gives the value it stands for."""
    write("longshore.yaml", JOB + "resources: {gpu: A100-80GB:2, memory: 16GB}\nsecrets: [A, B]\n")
    first = resolve()
    flags = [Flag(line.path, line.text, line.path) for line in explain(first) if line.path != "run"]
    assert resolve(flags=flags).spec == first.spec
