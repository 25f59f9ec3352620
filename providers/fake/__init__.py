"""A provider that costs nothing and can fail in every way: for tests, first tries and pictures."""

from .clock import FakeClock
from .faults import Faults
from .provider import FakeProvider

__all__ = ["FakeClock", "FakeProvider", "Faults"]
