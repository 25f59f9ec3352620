"""A clock that moves only when it is told to."""


class FakeClock:
    """Seconds since 1970 for whoever asks; a sleep is over at once."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
