"""What may go wrong with a fake machine, as data."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from ...errors import ConfigError, did_you_mean

VARIABLE = "LONGSHORE_FAKE"


@dataclass(frozen=True)
class Faults:
    """Faults to come; all off by default. Times are seconds of the script after the job's start.

    refuse         so many requests are refused, as where there is no capacity
    lose_answer    the first request of each name makes its machine, and then its answer is lost
    reject         the request is taken, and found impossible later: REFUSED
    unseen         so many looks do not know the machine yet
    boots          so many looks, after those, find it booting
    stuck          so many tear-downs of each machine fail: STUCK
    vanish_after   the machine is gone, without a word
    preempt_after  a spot machine is taken back: the job is asked to stop, GRACE later it is gone
    stop_after     the machine is stopped under its job: nothing runs, its disk stays
    no_wake        a stopped machine finds no room to start again
    exit_code      the code with which the job ends, at the end of its script
    corrupt        an output is damaged after it was listed in the manifest
    pace           real seconds for a second of the script
    """

    refuse: int = 0
    lose_answer: bool = False
    reject: bool = False
    unseen: int = 0
    boots: int = 0
    stuck: int = 0
    vanish_after: float | None = None
    preempt_after: float | None = None
    stop_after: float | None = None
    no_wake: bool = False
    exit_code: int = 0
    corrupt: bool = False
    pace: float = 1.0

    @classmethod
    def of_environment(cls, variables: Mapping[str, str] = os.environ) -> "Faults":
        """What `LONGSHORE_FAKE="boots=3, lose_answer=1, pace=0.1"` says; raises ConfigError."""
        parts = (part.strip() for part in variables.get(VARIABLE, "").split(","))
        return cls(**dict(_setting(part) for part in parts if part))


GRACE = 2.0
"""Seconds of the script between the notice of a spot machine's end and that end."""

_FIELDS = {field.name: type(field.default) for field in fields(Faults)}


def _setting(part: str) -> tuple[str, Any]:
    name, _, text = (word.strip() for word in part.partition("="))
    if name not in _FIELDS:
        raise ConfigError(f"unknown fault {name!r}", did_you_mean(name, _FIELDS), where=VARIABLE)
    try:
        number = float(text)
    except ValueError:
        raise ConfigError(f"{name} must be a number, not {text!r}", where=VARIABLE) from None
    kind = _FIELDS[name]
    return name, kind(number) if kind in (bool, int) else number
