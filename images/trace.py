"""BuildKit's trace, as the engine's API streams it, turned into the lines of plain progress.

Each message is a protobuf `moby.buildkit.v1.StatusResponse`; the few fields read here:

    StatusResponse  1 vertexes  3 logs
    Vertex          1 digest  3 name  4 cached  5 started  6 completed  7 error
    VertexLog       1 vertex  4 msg
    Timestamp       1 seconds  2 nanos
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

Fields = dict[int, list[int | bytes]]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass
class Trace:
    """Remembers the number given to each step, and which ends were told already."""

    steps: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    def lines(self, message: bytes) -> Iterator[str]:
        """The progress lines of one message; raises ValueError for bytes that are no protobuf."""
        status = fields(message)
        for vertex in status.get(1, []):
            yield from self._vertex(fields(_bytes(vertex)))
        for log in status.get(3, []):
            yield from self._log(fields(_bytes(log)))

    def _vertex(self, vertex: Fields) -> Iterator[str]:
        digest = _text(vertex, 1)
        if digest not in self.steps:
            self.steps[digest] = len(self.steps) + 1
            yield f"#{self.steps[digest]} {_text(vertex, 3)}"
        end = self._end(vertex)
        if end and digest not in self.ended:
            self.ended.add(digest)
            yield f"#{self.steps[digest]} {end}"

    def _end(self, vertex: Fields) -> str:
        if _text(vertex, 7):
            return f"ERROR: {_text(vertex, 7)}"
        if vertex.get(4):
            return "CACHED"
        if 6 in vertex:
            return f"DONE {_seconds(vertex, 6) - _seconds(vertex, 5):.1f}s"
        return ""

    def _log(self, log: Fields) -> Iterator[str]:
        step = self.steps.get(_text(log, 1), 0)
        for line in _text(log, 4).splitlines():
            yield f"#{step} 0.0 {line}"


def fields(message: bytes) -> Fields:
    """The fields of a protobuf message by number, undecoded; raises ValueError when cut short."""
    found: Fields = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value, at = _value(message, at, key & 7)
        found.setdefault(key >> 3, []).append(value)
    return found


def _value(message: bytes, at: int, wire: int) -> tuple[int | bytes, int]:
    if wire == VARINT:
        return _varint(message, at)
    if wire == BYTES:
        size, at = _varint(message, at)
    elif wire in (FIXED64, FIXED32):
        size = 8 if wire == FIXED64 else 4
    else:
        raise ValueError(f"wire type {wire}")
    if at + size > len(message):
        raise ValueError("a message that ends too early")
    return message[at : at + size], at + size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
    raise ValueError("a number that ends too early")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("a number where a message was expected")
    return value


def _text(message: Fields, number: int) -> str:
    return _bytes(message.get(number, [b""])[-1]).decode(errors="replace")


def _seconds(message: Fields, number: int) -> float:
    stamp = fields(_bytes(message.get(number, [b""])[-1]))
    seconds, nanos = stamp.get(1, [0])[-1], stamp.get(2, [0])[-1]
    return float(int(seconds)) + int(nanos) / 1e9
