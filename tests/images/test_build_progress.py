"""A build's output becomes a few words a step; a failure keeps its last words and gets a hint."""

from pathlib import Path

import pytest

from longshore.errors import BuildError
from longshore.images.faults import hint
from longshore.images.progress import Progress
from longshore.images.run import run_command
from longshore.images.trace import Trace, fields

OUTPUT = """\
#1 [internal] load build definition from Dockerfile
#1 DONE 0.0s

#4 [uv 1/2] FROM docker.io/library/python:3.11-slim
#4 CACHED

#9 [linux/amd64 torch 1/1] RUN . /run/ls/build/net.sh
#9 sha256:393f53992145d4e66db06c6fc234cc485994eafdf13c53302514ff86dbc4b283
#9 1.204 Downloading torch (180.0MiB)
#9 1.300  + torch==2.13.0
#9 DONE 12.9s

#10 [inside 2/3] COPY longshore /opt/longshore/package/longshore
#10 DONE 0.1s
#11 [final 1/1] COPY code /longshore/code
#11 DONE 0.0s

#12 exporting to image
#12 exporting layers 0.2s done
#12 DONE 0.2s
"""


def heard(output: str) -> tuple[list[str], Progress]:
    lines: list[str] = []
    progress = Progress(lines.append)
    for line in output.splitlines():
        progress.feed(line)
    return lines, progress


def test_each_step_is_told_in_plain_words() -> None:
    """The stage gives the name; checksums and lists of installed packages are left out."""
    assert heard(OUTPUT)[0] == [
        "base image: unchanged",
        "torch: Downloading torch (180.0MiB)",
        "torch: 12.9 s",
        "longshore: 0.1 s",
        "code: 0.0 s",
        "image: 0.2 s",
    ]


def test_the_same_words_are_told_once() -> None:
    """Four unchanged steps of one stage are one piece of news."""
    output = "#1 [inside 1/3] RUN a\n#2 [inside 2/3] RUN b\n#1 CACHED\n#2 CACHED\n"
    assert heard(output)[0] == ["longshore: unchanged"]


def test_the_failed_step_keeps_its_own_last_words() -> None:
    """Steps run side by side: only what the failed one said is shown."""
    output = (
        "#1 [torch 1/1] RUN a\n#2 [apt 1/1] RUN b\n#2 0.1 E: Unable to locate package gti\n"
        "#1 0.2 Downloading torch\n"
        "#2 ERROR: executor failed running [/bin/sh -c b]: exit code: 100\n"
    )
    progress = heard(output)[1]
    assert progress.failed_step() == "apt packages"
    assert progress.last_words() == [
        "E: Unable to locate package gti",
        "ERROR: the step ended with exit code: 100",
    ]


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("write /x: no space left on device", "docker builder prune"),
        ("SSLError: certificate verify failed: self-signed certificate", "image.ca"),
        ("invalid peer certificate: UnknownIssuer", "image.ca"),
        ("HTTP status client error (401 Unauthorized)", "image.netrc"),
        ("dns error: failed to lookup address information", "image.offline"),
        ("Because nope was not found in the package registry", "image.requirements"),
        ("E: Unable to locate package gti", "image.apt"),
        ("failed to create LLB definition: pull access denied", "image.base"),
        ("python:9: failed to resolve source metadata for docker.io/x", "image.base"),
        ("did not complete successfully: exit code: 137", "memory"),
    ],
)
def test_a_known_fault_has_a_hint(said: str, advice: str) -> None:
    """What users can mend is said in their words."""
    assert advice in hint(said)


def test_an_unknown_fault_has_no_hint() -> None:
    """No advice is better than wrong advice."""
    assert hint("it went wrong in step 14030") == ""


def test_a_build_that_fails_is_one_error_with_its_last_words(tmp_path: Path) -> None:
    """The step, what it said, and what to do."""
    program = tmp_path / "build"
    program.write_text(
        "#!/bin/sh\necho '#3 [requirements 1/1] RUN x' >&2\n"
        "echo '#3 0.4 No solution found when resolving dependencies' >&2\n"
        "echo '#3 ERROR: exit code: 1' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    with pytest.raises(BuildError) as caught:
        run_command([str(program)], Progress(lambda words: None))
    assert str(caught.value) == (
        "the image could not be built: requirements failed\n"
        "    No solution found when resolving dependencies\n"
        "    ERROR: exit code: 1"
    )
    assert "image.requirements" in caught.value.hint


def test_a_build_without_steps_shows_what_was_said(tmp_path: Path) -> None:
    """A CLI that fails before the first step is quoted too."""
    with pytest.raises(BuildError, match=r"(?s)^the image could not be built\n.*no such thing"):
        run_command(["sh", "-c", "echo no such thing; exit 3"], Progress(lambda words: None))


def test_a_silent_build_shows_its_exit_code() -> None:
    """There is always something to go by."""
    with pytest.raises(BuildError, match="exit code 3"):
        run_command(["sh", "-c", "exit 3"], Progress(lambda words: None))


def test_an_interruption_ends_the_child_first(tmp_path: Path) -> None:
    """After Ctrl-C no build goes on unseen."""
    mark = tmp_path / "ended"

    def interrupt(_words: str) -> None:
        raise KeyboardInterrupt

    script = (
        f"trap 'echo x >{mark}; exit 1' TERM; echo '#1 [apt 1/1] RUN x'; echo '#1 CACHED'; "
        "while true; do sleep 0.05; done"
    )
    with pytest.raises(KeyboardInterrupt):
        run_command(["sh", "-c", script], Progress(interrupt))
    assert mark.exists()


def number(value: int) -> bytes:
    """A protobuf varint."""
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + number(value >> 7)


def packed(field: int, value: int | bytes) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return number(field << 3) + number(value)
    return number(field << 3 | 2) + number(len(value)) + value


def stamp(seconds: int, nanos: int) -> bytes:
    return packed(1, seconds) + packed(2, nanos)


BEGUN = packed(1, b"sha256:a") + packed(3, b"[torch 1/1] RUN x") + packed(5, stamp(300, 0))
ENDED = BEGUN + packed(6, stamp(302, 500_000_000))


def test_a_trace_becomes_the_lines_of_plain_progress() -> None:
    """One reader serves the CLIs and the engine's API; an end is told once."""
    trace = Trace()
    log = packed(1, b"sha256:a") + packed(4, b"one\ntwo\n")
    assert list(trace.lines(packed(1, BEGUN) + packed(3, log))) == [
        "#1 [torch 1/1] RUN x",
        "#1 0.0 one",
        "#1 0.0 two",
    ]
    assert list(trace.lines(packed(1, ENDED))) == ["#1 DONE 2.5s"]
    assert list(trace.lines(packed(1, ENDED))) == []


@pytest.mark.parametrize(
    ("more", "line"),
    [(packed(4, 1), "#1 CACHED"), (packed(7, b"it broke"), "#1 ERROR: it broke")],
)
def test_a_trace_tells_how_a_step_ended(more: bytes, line: str) -> None:
    """From the cache, or with an error."""
    assert list(Trace().lines(packed(1, BEGUN + more)))[-1] == line


@pytest.mark.parametrize("torn", [ENDED[:-1], b"\x0a\xff", b"\x0f", b"\xff"])
def test_torn_bytes_are_no_message(torn: bytes) -> None:
    """A message that was cut is refused, not half understood."""
    with pytest.raises(ValueError, match=r"early|wire"):
        fields(torn)
