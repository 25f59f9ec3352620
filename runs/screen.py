"""What a run tells the one who watches; `cli` draws it, tests record it."""

from typing import Protocol

from .live import Live


class Screen(Protocol):
    """Every call comes from one thread, in the order in which things happened."""

    def phase(self, name: str, detail: str = "") -> None:
        """The run enters a phase."""
        ...

    def live(self, live: Live) -> None:
        """The live line as it is now; comes about once a second."""
        ...

    def log(self, text: str) -> None:
        """What the job printed, secrets already taken out."""
        ...

    def note(self, text: str) -> None:
        """A sentence the user should read: a warning, a choice that was made, a next step."""
        ...
