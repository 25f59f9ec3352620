"""What a run looks like: a live line at the foot of a terminal, or plain lines in a pipe."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from ..runs.live import Live
from ..runs.screen import Screen

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live as RichLive
    from rich.text import Text

PLAIN_EVERY = 5.0
"""Seconds between two progress lines where they pile up instead of replacing each other."""


class PlainScreen:
    """Lines that only follow one another, for pipes and log files."""

    def __init__(self, show_log: bool = True, err: bool = False) -> None:
        self._show_log = show_log
        self._err = err
        self._next = 0.0
        self._last = ""

    def phase(self, name: str, detail: str = "") -> None:
        self._say(f"[{name}] {detail}".rstrip())

    def live(self, live: Live) -> None:
        if time.monotonic() >= self._next and live.steps and live.text() != self._last:
            self._last = live.text()
            self._next = time.monotonic() + PLAIN_EVERY
            self._say(self._last)

    def log(self, text: str) -> None:
        if self._show_log:
            self._say(text)

    def note(self, text: str) -> None:
        self._say(text)

    def _say(self, text: str) -> None:
        # Nobody reads any more (`| head`, a closed terminal): the run must come to its end all
        # the same, its machine above all.
        with suppress(OSError):
            click.echo(text, err=self._err)


class TerminalScreen:
    """Phases and log scroll by; the live line stays at the foot."""

    def __init__(self, console: "Console", foot: "RichLive", show_log: bool = True) -> None:
        self._console = console
        self._foot = foot
        self._show_log = show_log

    def phase(self, name: str, detail: str = "") -> None:
        from rich.text import Text

        self._print(Text.assemble((f"{name:<10}", "bold cyan"), " ", detail))
        self._draw(f"{name} …")

    def live(self, live: Live) -> None:
        over = live.max_cost is not None and live.spent > live.max_cost * 4 / 5
        self._draw(live.text(), style="yellow" if over else "")

    def log(self, text: str) -> None:
        if self._show_log:
            self._print(text, style="dim")

    def note(self, text: str) -> None:
        self._print(text)

    def _print(self, text: "str | Text", style: str = "") -> None:
        # As in PlainScreen: a terminal that was closed must not leave a machine behind.
        with suppress(OSError):
            self._console.print(text, markup=False, highlight=False, style=style)

    def _draw(self, text: str, style: str = "") -> None:
        from rich.text import Text

        with suppress(OSError):
            self._foot.update(Text(text, style=style, overflow="ellipsis", no_wrap=True))


@contextmanager
def screen(show_log: bool = True, err: bool = False) -> Iterator[Screen]:
    """The screen that suits where the output goes; `err` keeps standard output for JSON."""
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        yield PlainScreen(show_log, err)
        return
    from rich.console import Console
    from rich.live import Live as RichLive

    console = Console(stderr=err)
    foot = RichLive("", console=console, transient=True, refresh_per_second=4)
    foot.start()
    try:
        yield TerminalScreen(console, foot, show_log)
    finally:
        with suppress(OSError):
            foot.stop()
