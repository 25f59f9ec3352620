"""Start values by kind of device."""

from itertools import pairwise

import pytest

from longshore.configs.profiles import Profile, profile, profiles
from longshore.errors import ConfigError

GB = 10**9


@pytest.mark.parametrize(
    ("device", "start"),
    [
        ("cpu", Profile("cpu", 8, 2, 4 * GB, 4)),
        ("cuda", Profile("cuda", 32, 4, 8 * GB, 8)),
        ("cuda:1", Profile("cuda", 32, 4, 8 * GB, 8)),
        ("mps", Profile("mps", 16, 3, 6 * GB, 4)),
        ("xpu:0", Profile("xpu", 16, 4, 8 * GB, 8)),
    ],
)
def test_each_kind_of_device_has_start_values(device: str, start: Profile) -> None:
    """Without the memory known, the start values stand."""
    assert profile(device) == start


@pytest.mark.parametrize(
    ("device", "memory", "batch"),
    [
        ("cpu", 4 * GB, 8),
        ("cpu", 4 * GB - 1, 4),
        ("cpu", 8 * GB, 16),
        ("cpu", 1000 * GB, 32),
        ("cpu", 0, 1),
        ("cuda", 24 * GB, 64),
        ("cuda", 2 * GB, 8),
        ("cuda", 80 * GB, 256),
        ("cuda", 800 * GB, 256),
    ],
)
def test_the_batch_follows_the_memory_that_is_there(device: str, memory: int, batch: int) -> None:
    """It halves or doubles with memory, from 1 up to `most` times the start value."""
    fitted = profile(device, memory)
    assert (fitted.batch_size, fitted.memory) == (batch, memory)


@pytest.mark.parametrize("device", profiles())
def test_more_memory_never_means_a_smaller_batch(device: str) -> None:
    """The rule is monotone and stays within its bounds."""
    start = profile(device)
    sizes = [profile(device, memory * GB // 4).batch_size for memory in range(1, 800)]
    assert all(less <= more for less, more in pairwise(sizes))
    assert min(sizes) >= 1
    assert max(sizes) == start.batch_size * start.most


def test_an_unknown_device_is_a_clear_error() -> None:
    """The hint names the nearest kind, or all there are."""
    with pytest.raises(ConfigError, match="no profile for device 'cudo:1'") as near:
        profile("cudo:1")
    with pytest.raises(ConfigError, match="no profile for device 'gaudi'") as far:
        profile("gaudi")
    assert near.value.hint == "did you mean 'cuda'?"
    assert far.value.hint == "there are: cpu, cuda, mps, xpu"
