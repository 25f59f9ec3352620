"""The job's events, read from its JSON lines; the kinds are listed in `configs.container`."""

import json
import sys
from dataclasses import dataclass

JsonValue = str | int | float | bool | None


@dataclass(frozen=True)
class Event:
    """One line of `events.jsonl`; `at` in seconds since 1970."""

    kind: str
    at: float
    fields: dict[str, JsonValue]

    def number(self, name: str) -> float | None:
        """The field as a number, or None where it is missing, null or not finite."""
        value = self.fields.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        return value if abs(value) <= sys.float_info.max else None

    def text(self, name: str) -> str:
        """The field as text, empty where it is missing or null."""
        value = self.fields.get(name)
        return "" if value is None else str(value)


class EventReader:
    """Turns bytes, cut anywhere, into whole events."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[Event]:
        """The events completed by this chunk; a line that is no event is skipped."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [event for line in lines if (event := _parse(line)) is not None]


def read_all(content: bytes) -> list[Event]:
    """Every event of a finished file, whose last line may lack its end."""
    return EventReader().feed(content + b"\n")


def _parse(line: bytes) -> Event | None:
    try:
        raw = json.loads(line)
        return Event(str(raw.pop("kind")), float(raw.pop("t")), raw)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
