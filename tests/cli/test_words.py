"""The commands' words: what there is, what is not there, and one line for every slip."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from longshore.cli.main import COMMANDS

from .conftest import Shell

BID = ["offers", "--provider", "runpod", "--bid-price", "0.01"]
BOXES = set("─━│┃┌┐└┘├┤╭╮╰╯═║\x1b")


@pytest.mark.parametrize("words", [("--help",), ("-h",)])
def test_help_lists_every_command(shell: Shell, words: tuple[str, ...]) -> None:
    """Each with what it is for, on standard output."""
    done = shell(*words)
    assert done.code == 0
    listed = done.out.partition("Commands:")[2]
    assert re.findall(r"^  (\S+)", listed, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_own_help(shell: Shell, name: str) -> None:
    """With its usage first; the program's name is the one that was typed."""
    done = shell(name, "--help")
    assert done.code == 0
    assert done.out.startswith(f"Usage: longshore {name}")


def test_deploy_is_a_program_of_its_own(shell: Shell) -> None:
    """`deploy` and `longshore deploy` are the same; its slips name the program."""
    assert shell("--help", program="deploy").out.startswith("Usage: deploy [OPTIONS]")
    done = shell("--nosuch", program="deploy")
    assert (done.code, done.out) == (2, "")
    assert done.err == "error: no option --nosuch\n  hint: `deploy --help` shows how\n"


def test_without_words_the_help_is_shown(shell: Shell) -> None:
    """As an error: a script that forgot its words must not go on."""
    done = shell()
    assert done.code == 2
    assert "Commands:" in done.err


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["deplyo"], "no command 'deplyo'", "did you mean 'deploy'?"),
        (["qqq"], "no command 'qqq'", "there are: deploy, train"),
        (["ps", "--al"], "no option --al", "did you mean --all?"),
        (["ps", "-x"], "no option -x", "`longshore ps --help` shows how"),
        (["ps", "extra"], "unexpected extra argument", "`longshore ps --help` shows how"),
        (["config", "explian"], "explian", "`longshore config --help` shows how"),
        (["completion", "nosh"], "nosh", "`longshore completion --help` shows how"),
        (["deploy", "-f"], "requires an argument", "`longshore --help` shows how"),
        (["deploy", "--set", "x"], "'x' is not KEY=VALUE", "--set train.epochs=3"),
        (["deploy", "--set", "nme=x"], "unknown key 'nme'", "did you mean 'name'?"),
        (["deploy", "--provider", "nowhere"], "no provider 'nowhere'", "there are"),
        (["deploy", "-f", "missing.yaml"], "missing.yaml", "hint:"),
        (["deploy", "--resume", "last"], "no run 'last'", "nothing has run here yet"),
        (["deploy", "--gpu", "RTX 4O9O"], "--gpu", "hint:"),
        (["deploy", "--max-cost", "cheap"], "--max-cost", "hint:"),
        (["logs", "x"], "no run 'x'", "nothing has run here yet"),
        (["report"], "no run 'last'", "nothing has run here yet"),
        (["ssh"], "no run 'last'", "nothing has run here yet"),
        (["tunnel", "x"], "no run 'x'", "nothing has run here yet"),
        (["stop"], "no run 'last'", "nothing has run here yet"),
        (["down"], "no run 'last'", "nothing has run here yet"),
        (["offers", "--gpu", "nosuch"], "--gpu", "hint:"),
        (BID, "nothing on offer fits", "another GPU, market or bid"),
        (["offers", "--provider", "runpot"], "no prices of 'runpot'", "did you mean 'runpod'?"),
        (["estimate", "--env", "nowhere"], "unknown environment 'nowhere'", "hint:"),
        (["train", "--set", "secrets=NOT_SET_BY_ANYBODY"], "NOT_SET_BY_ANYBODY", "export"),
    ],
)
def test_a_slip_is_one_line_and_a_hint(
    shell: Shell, words: list[str], error: str, hint: str
) -> None:
    """On standard error, without a traceback; nothing is on standard output."""
    done = shell(*words)
    first, second = done.err.splitlines()
    assert first.startswith("error: ")
    assert error in first
    assert second.startswith("  hint: ")
    assert hint in second
    assert done.code in (2, 4, 12)
    assert done.out == ""


def test_a_folder_without_a_job_says_how_to_get_one(shell: Shell) -> None:
    """The first command of a new user."""
    (shell.project / "longshore.yaml").unlink()
    done = shell("deploy")
    assert done.code == 2
    assert "no longshore.yaml" in done.err
    assert "longshore init" in done.err


@pytest.mark.parametrize("words", [["ps"], ["ps", "--json"], ["gc"], ["logs"], ["deploy"]])
def test_a_state_folder_in_the_way_is_one_line(
    shell: Shell, tmp_path: Path, words: list[str]
) -> None:
    """A file where the folder should be: exit 8, and how to name another."""
    (tmp_path / "state").write_text("a file in the way")
    done = shell(*words)
    assert done.code in (4, 8)
    assert "LONGSHORE_STATE" in done.err
    assert "Traceback" not in done.err


def test_a_fault_of_our_own_is_kept_for_its_report(shell: Shell, tmp_path: Path) -> None:
    """The traceback goes to a file that the one line names; exit 70."""

    @click.command()
    def broken() -> None:
        raise ZeroDivisionError("of our own")

    done = shell.call(broken, "longshore")
    (crash,) = (tmp_path / "state").glob("crash-*.log")
    assert done.code == 70
    assert done.err.splitlines() == [
        "error: a fault of Longshore's own: ZeroDivisionError('of our own')",
        f"  hint: please report it with {crash}",
    ]
    assert "Traceback" in crash.read_text()


def test_an_interrupted_command_says_so(shell: Shell) -> None:
    """Ctrl-C where there is nothing to save: exit 130, one line."""

    @click.command()
    def waiting() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)

    done = shell.call(waiting, "longshore")
    assert done.code == 130
    assert done.err.strip() == "error: stopped by you"


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell: Shell, shell_name: str) -> None:
    """For both programs."""
    done = shell("completion", shell_name)
    assert done.code == 0
    assert "_LONGSHORE_COMPLETE" in done.out
    assert "_DEPLOY_COMPLETE" in done.out


def test_completion_completes(shell: Shell) -> None:
    """What the script asks for is answered with the commands' names."""
    variables = {
        "_LONGSHORE_COMPLETE": "bash_complete",
        "COMP_WORDS": "longshore de",
        "COMP_CWORD": "1",
    }
    program = "from longshore.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["plain,deploy", "plain,devices"]


def test_init_writes_a_job_that_is_valid_as_written(shell: Shell) -> None:
    """Its name is the folder's; a second call overwrites nothing unless it is told to."""
    file = shell.project / "longshore.yaml"
    file.unlink()
    assert shell("init").code == 0
    written = file.read_text()
    assert "name: project" in written
    file.write_text("mine")
    done = shell("init")
    assert (done.code, file.read_text()) == (2, "mine")
    assert "--force" in done.err
    assert shell("init", "--force").code == 0
    assert file.read_text() == written


def test_init_says_where_it_cannot_write(shell: Shell) -> None:
    """One line with the path."""
    (shell.project / "longshore.yaml").unlink()
    (shell.project / "longshore.yaml").mkdir()
    done = shell("init", "--force")
    assert done.code == 2
    assert "cannot be written" in done.err


def test_config_explain_is_sane_json(shell: Shell) -> None:
    """Every setting with a value that a program can use, the layer and the place."""
    job = "provider: fake\nrun: x\nname: demo\nsync: {data: [longshore.yaml]}\nenv: {A: b}\n"
    shell.job(job)
    flags = ["--gpu", "RTX 4090:2", "--max-cost", "1.10", "--memory", "16GB"]
    lines = {line["path"]: line for line in shell("config", "explain", "--json", *flags).json}
    assert lines["resources.gpu"]["value"] == "RTX 4090:2"
    assert lines["guards.max_cost"]["value"] == "1.10"
    assert lines["resources.memory"]["value"] == 16_000_000_000
    assert lines["sync.data"]["value"] == ["longshore.yaml"]
    assert lines["env.A"]["value"] == "b"
    assert lines["guards.max_cost"]["layer"] == "flag"
    assert lines["name"]["where"].startswith("longshore.yaml:3:")


def test_config_explain_shows_each_layer(shell: Shell) -> None:
    """As aligned lines: setting, value, layer, place."""
    done = shell("config", "explain", "--max-time", "2h")
    rows = {line.split()[0]: line.split() for line in done.out.splitlines()}
    assert rows["guards.max_time"][1:3] == ["2h", "flag"]
    assert rows["name"][1:3] == ["demo", "project"]
    assert rows["train.recipe" if "train.recipe" in rows else "guards.idle"][2] == "default"


@pytest.mark.parametrize(
    "words",
    [
        ["devices"],
        ["offers"],
        ["estimate"],
        ["config", "explain"],
        ["deploy", "--dry-run"],
        ["ps", "--all"],
        ["gc"],
    ],
)
def test_a_pipe_gets_plain_lines(shell: Shell, words: list[str]) -> None:
    """No colours and no frames where nobody looks."""
    done = shell(*words)
    assert done.code == 0
    assert done.out
    assert not BOXES & set(done.out)


@pytest.mark.parametrize(
    "words",
    [
        ["devices", "--json"],
        ["offers", "--json"],
        ["offers", "--json", "--gpu", "RTX 4090", "--limit", "1"],
        ["estimate", "--json"],
        ["estimate", "--format", "json"],
        ["deploy", "--dry-run", "--json"],
        ["ps", "--json"],
        ["gc", "--json"],
        ["gc", "--json", "--dry-run"],
        ["config", "explain", "--json"],
    ],
)
def test_json_is_all_of_standard_output(shell: Shell, words: list[str]) -> None:
    """One document that a program can read, without NaN, and nothing beside it."""
    done = shell(*words)
    assert done.code == 0
    json.loads(done.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_offers_are_sorted_and_limited(shell: Shell) -> None:
    """The cheapest first among those for rent; the rest is counted."""
    rented = shell(
        "offers", "--json", "--gpu", "RTX 4090", "--provider", "runpod", "--limit", "0"
    ).json
    prices = [float(offer["usd_per_hour"]) for offer in rented]
    assert prices == sorted(prices)
    assert {offer["gpu"] for offer in rented} == {"RTX 4090"}
    assert "--limit 0 shows all" in shell("offers", "--limit", "1").out


@pytest.mark.parametrize(
    ("shape", "begin"),
    [("json", "{"), ("md", "## "), ("html", "<!doctype html>"), ("table", "Est")],
)
def test_an_estimate_has_four_shapes(shell: Shell, shape: str, begin: str) -> None:
    """Of a command too, whose time nobody knows before its first run."""
    done = shell("estimate", "--format", shape)
    assert done.code == 0
    assert done.out.lower().startswith(begin.lower())


@pytest.mark.parametrize("words", [["offers", "--limit", "0"], ["completion", "zsh"], ["estimate"]])
def test_a_closed_pipe_is_silent(shell: Shell, words: list[str]) -> None:
    """`longshore offers | head -1` says nothing about the pipe."""
    command = f"{sys.executable} -m longshore {' '.join(words)} | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (len(done.stdout), done.stderr) == (1, "")
