"""Images that differ in little share what is equal."""

from dataclasses import replace
from pathlib import Path

from longshore.images.spec import ImageSpec
from longshore.images.tag import plan

ROOT = Path(__file__).parents[2]


def test_a_pod_runs_the_same_layers_as_root(spec: ImageSpec) -> None:
    """Only the user differs, given as an argument that the last stage alone reads."""
    pod = replace(spec, user="root")
    assert plan(pod).tag != plan(spec).tag
    assert plan(pod).items == plan(spec).items
    assert set(plan(pod).arguments) - set(plan(spec).arguments) == {("RUN_AS", "root")}
    for name in ("Dockerfile", "Dockerfile.gpu"):
        before, _, after = (ROOT / name).read_text().partition("AS final")
        assert "RUN_AS" not in before
        assert "USER ${RUN_AS}" in after
