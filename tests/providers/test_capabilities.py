"""A job that insists on what a provider cannot do is refused, never run as something less."""

import pytest

from longshore.configs.spec import JobSpec, Market, Resources, Spot
from longshore.providers.base import Capabilities

PLAIN, ABLE = Capabilities(), Capabilities(spot=True, multi_node=True)


@pytest.mark.parametrize(
    ("able", "nodes", "spot", "missing"),
    [
        (PLAIN, 1, "never", ""),
        (PLAIN, 1, "prefer", ""),
        (PLAIN, 1, "only", "has no spot machines: set market.spot to never or prefer"),
        (PLAIN, 2, "never", "runs a job on one machine: set resources.nodes to 1"),
        (ABLE, 2, "only", ""),
    ],
)
def test_what_is_missing_is_said(able: Capabilities, nodes: int, spot: Spot, missing: str) -> None:
    """Several machines and spot alone are demands; a preference is none."""
    job = JobSpec("demo", run="true", resources=Resources(nodes=nodes), market=Market(spot=spot))
    assert able.missing(job) == missing
