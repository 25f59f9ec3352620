"""Copies what the job prints to a log file and to the screen, whole lines at a time."""

import os
from pathlib import Path
from typing import Final, TextIO

from .events import Redactor

_LONGEST_LINE: Final = 64 * 1024


class Tee:
    """Secrets are blanked out; a full disk or a closed screen never stops the job."""

    def __init__(self, log: Path, screen: TextIO, redact: Redactor) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._screen: TextIO | None = screen
        self._redact = redact
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Take output as it comes; it is passed on at the next end of a line."""
        self._rest += chunk
        # A progress bar ends its lines with a carriage return only.
        end = max(self._rest.rfind(b"\n"), self._rest.rfind(b"\r")) + 1
        if not end and len(self._rest) > _LONGEST_LINE:
            end = len(self._rest)
        whole, self._rest = self._rest[:end], self._rest[end:]
        self._pass_on(whole)

    def close(self) -> None:
        self._pass_on(self._rest)
        os.close(self._log)

    def note(self, line: str) -> None:
        """Put a line of our own into the log only."""
        self._write_log(f"{self._redact(line)}\n")

    def _pass_on(self, chunk: bytes) -> None:
        if chunk:
            text = self._redact(chunk.decode(errors="replace"))
            self._write_log(text)
            self._write_screen(text)

    def _write_log(self, text: str) -> None:
        try:
            os.write(self._log, text.encode())
        except OSError:
            # The disk is full: the screen still tells the story, the job meets the fault itself.
            return

    def _write_screen(self, text: str) -> None:
        if self._screen is None:
            return
        try:
            self._screen.write(text)
            self._screen.flush()
        except OSError:
            self._screen = None
