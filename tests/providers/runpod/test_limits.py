"""How the headers of RunPod's answers hold back the requests after them."""

import pytest

from longshore.providers.runpod import limits


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("rubbish", 0),
        ('"minute";r=176;t=1, "hour";r=7193;t=2701', 0),
        ('"minute";r=4;t=20', 4),
        ('"minute";r=0;t=8', 8),
        ('"minute";r=1;t=4, "hour";r=2;t=21', 7),
        ('"hour";r=0;t=2701', limits.LONGEST_PACE),
    ],
)
def test_the_last_requests_are_spread(header: str, seconds: float) -> None:
    """With few requests left in a window they are spread over it; the longest window counts."""
    assert limits.pace(header) == seconds


@pytest.mark.parametrize(
    ("header", "retry_after", "seconds"),
    [
        ("", "", 1),
        ("", "30", 30),
        ("", "Wed, 21 Oct 2026 07:28:00 GMT", 1),
        ('"minute";r=0;t=9', "", 9),
        ('"minute";r=0;t=9, "hour";r=0;t=90', "3", 90),
        ('"minute";r=3;t=60', "2", 2),
    ],
)
def test_a_refusal_says_how_long(header: str, retry_after: str, seconds: float) -> None:
    """What RunPod says, or the longest empty window; never no pause at all."""
    assert limits.refused_for(header, retry_after) == seconds
