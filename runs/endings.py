"""How a job ended, read from its exit and from the last things it said."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..providers.base import Exit
from . import collect
from .events import Event
from .records import Status

_REASONS = {0: "done", 75: "preempted", 137: "killed"}


@dataclass(frozen=True)
class Ending:
    """How a job ended: its exit code, in one word why, and what to tell the user about it."""

    code: int
    reason: str
    detail: str = ""
    hint: str = ""


def ending_of(exit_: Exit, events: Iterable[Event]) -> Ending:
    """The ending of a job whose entrypoint is over.

    The words of `reason` are those of the `end` event; a job that was killed before it could
    write one is judged by its exit code.
    """
    last = {event.kind: event for event in events}
    end, error = last.get("end"), last.get("error")
    detail = error.text("text") if error else ""
    hint = error.text("hint") if error else ""
    if exit_.out_of_memory and exit_.code != 0:
        return Ending(exit_.code, "oom", detail or "the kernel ended it: out of memory", hint)
    if end is None:
        return Ending(
            exit_.code, _REASONS.get(exit_.code, "failed"), detail or _silent(exit_), hint
        )
    return Ending(exit_.code, end.text("reason"), detail or _spoken(exit_), hint)


def status_of(ending: Ending, run_id: str) -> Status:
    """Done, or interrupted when a committed checkpoint is here to go on from, else failed."""
    if ending.code == 0:
        return Status.DONE
    could_go_on = ending.reason not in ("failed", "oom")
    if could_go_on and collect.has_checkpoint(run_id):
        return Status.INTERRUPTED
    return Status.LOST if ending.reason == "lost" else Status.FAILED


def _silent(exit_: Exit) -> str:
    return "it was killed from outside" if exit_.code == 137 else _spoken(exit_)


def _spoken(exit_: Exit) -> str:
    return f"exit code {exit_.code}" if exit_.code not in (0, 75) else ""
