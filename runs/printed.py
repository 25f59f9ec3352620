"""What a job prints, from bytes cut anywhere to text that may be shown."""

import codecs
import re

LONGEST = 1 << 20
"""A line longer than this many characters is shown in parts."""


class Printed:
    """Turns bytes into whole lines, each secret's value replaced by its name.

    What might be the beginning of a secret is held back until it is known what it is.
    """

    def __init__(self, secrets: dict[str, str]) -> None:
        self._names = {value: name for name, value in secrets.items() if value}
        values = sorted(self._names, key=len, reverse=True)
        self._secret = re.compile("|".join(map(re.escape, values)) or "(?!)")
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, chunk: bytes) -> str:
        """The lines that this chunk completes, without the last one's end."""
        self._rest += self._decoder.decode(chunk)
        sure = self._sure()
        end = self._rest.rfind("\n", 0, sure) + 1
        if not end and sure > LONGEST:
            end = sure
        return self._cut(end)

    def end(self) -> str:
        """The last line, which lacks its end."""
        self._rest += self._decoder.decode(b"", final=True)
        return self._cut(len(self._rest))

    def safe(self, text: str) -> str:
        """A text that is whole, without secrets."""
        return self._secret.sub(lambda hit: f"[{self._names[hit.group()]}]", text)

    def _sure(self) -> int:
        """Up to where no secret can be cut in two."""
        sure = len(self._rest) - max(map(self._begun, self._names), default=0)
        for hit in self._secret.finditer(self._rest):
            if hit.start() < sure < hit.end():
                return hit.start()
        return sure

    def _begun(self, value: str) -> int:
        """How much of the secret the text ends with, when that is not all of it."""
        lengths = range(min(len(value) - 1, len(self._rest)), 0, -1)
        return next((one for one in lengths if self._rest.endswith(value[:one])), 0)

    def _cut(self, end: int) -> str:
        whole, self._rest = self._rest[:end], self._rest[end:]
        return self.safe(whole).removesuffix("\n")
