"""The agent runs on whatever Python a machine has, and answers exactly what it was asked."""

import ast
import io
import sys
from pathlib import Path

import pytest

from longshore.errors import UnreachableError
from longshore.providers.remote import agent
from longshore.providers.remote.messages import Question, agent_command, message, parsed, source


def asked(*questions: Question) -> list[tuple[dict[str, object], bytes]]:
    sink = io.BytesIO()
    agent.serve(io.BytesIO(message(questions)), sink)
    answers = parsed(sink.getvalue())
    assert answers is not None
    return [(answer.facts, answer.content) for answer in answers]


def test_its_source_is_of_an_old_python() -> None:
    """Python 3.8 can read it, and it imports the standard library only."""
    tree = ast.parse(source(), feature_version=(3, 8))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    for node in imports:
        module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        assert str(module).split(".")[0] in sys.stdlib_module_names


def test_its_command_line_does_not_grow_with_it() -> None:
    """The program goes in by stdin: only its length is on the command line."""
    assert str(len(source())) in agent_command()
    assert len(agent_command()) < 120


def test_many_questions_go_in_one_message(tmp_path: Path) -> None:
    """Answers come in the order of the questions, each with its own bytes."""
    path = str(tmp_path / "new" / "file")
    answers = asked(
        Question.write(path, b"one\n2 2\n"),
        Question.read(path),
        Question.read(path, 4),
        Question.write(path, b""),
        Question.read(path),
    )
    assert answers == [({}, b""), ({}, b"one\n2 2\n"), ({}, b"2 2\n"), ({}, b""), ({}, b"")]


def test_what_the_system_refuses_is_an_answer(tmp_path: Path) -> None:
    """One bad question does not keep the others from being answered."""
    (tmp_path / "file").touch()
    (facts, _), (_, content) = asked(
        Question.write(str(tmp_path / "file" / "below"), b"x"), Question.read(__file__)
    )
    assert facts["said"] in ("Not a directory", "File exists")
    assert content == Path(__file__).read_bytes()


@pytest.mark.parametrize("heard", [b"Welcome to Ubuntu\n", b"1 2 3\n", b"3 0\n{}x", b"x" * 200])
def test_what_is_no_answer_is_said_so(heard: bytes) -> None:
    """A shell that greets in our agent's place is not taken for it."""
    with pytest.raises(UnreachableError, match="instead of our agent the machine answered"):
        parsed(heard)


@pytest.mark.parametrize("heard", [b"", b"14 3", b"14 3\n[{", b'14 3\n[{"bytes": 3}]ab'])
def test_half_an_answer_is_waited_for(heard: bytes) -> None:
    """Nothing is made of an answer until all of it is there."""
    assert parsed(heard) is None
