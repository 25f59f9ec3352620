"""What is on record of the pods that were asked for from this computer."""

from decimal import Decimal
from pathlib import Path

import pytest

from longshore.errors import ProviderError
from longshore.providers.runpod.cached import FRESH, cached
from longshore.providers.runpod.known import Known, KnownPods

SPOT = Known("longshore-a-1", "ada@desk/1f", "mark", 2, Decimal("0.30"), "abc")
PLAIN = Known("longshore-b-1", "ada@desk/1f", "mark", 1)


@pytest.fixture
def pods(tmp_path: Path) -> KnownPods:
    return KnownPods(tmp_path / "runpod")


def test_what_is_saved_is_read_back(pods: KnownPods) -> None:
    """With its bid to the cent; found by the pod's id, and gone once it is dropped."""
    pods.save(SPOT)
    pods.save(PLAIN)
    assert pods.all() == [SPOT, PLAIN]
    assert pods.of("abc") == SPOT
    pods.drop(SPOT.name)
    pods.drop(SPOT.name)
    assert (pods.of("abc"), pods.all()) == (None, [PLAIN])


def test_only_a_missing_id_is_learned(pods: KnownPods) -> None:
    """Of two pods of one name the one on record stays; what is not on record is not put there."""
    pods.save(SPOT)
    pods.save(PLAIN)
    for name, pod in ((SPOT.name, "other"), (PLAIN.name, "def"), ("longshore-c-1", "ghi")):
        pods.learn(name, pod)
    assert [known.pod for known in pods.all()] == ["abc", "def"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"bid": "x"}', '{"bid": null, "new": 1}']
)
def test_a_damaged_record_hides_no_other(pods: KnownPods, tmp_path: Path, content: str) -> None:
    """What cannot be read is passed over: RunPod's own list still has that pod."""
    pods.save(PLAIN)
    (tmp_path / "runpod" / "longshore-a-1.json").write_text(content)
    assert pods.all() == [PLAIN]


def test_a_folder_that_takes_no_files_is_told(tmp_path: Path) -> None:
    """Nothing is asked for that could not be put on record before."""
    (tmp_path / "runpod").write_text("a file where the folder should be")
    with pytest.raises(ProviderError, match="runpod") as caught:
        KnownPods(tmp_path / "runpod").save(PLAIN)
    assert "LONGSHORE_STATE" in caught.value.hint


@pytest.mark.parametrize(("age", "asked"), [(0.0, 1), (FRESH - 1, 1), (FRESH, 2), (-5.0, 2)])
def test_answers_are_kept_for_a_minute(age: float, asked: int) -> None:
    """Not longer, and not when the clock was put back."""
    calls: list[str] = []

    def ask() -> list[str]:
        calls.append("asked")
        return ["x"]

    cached("prices", ask, lambda: 1000.0)
    cached("prices", ask, lambda: 1000.0 + age)
    assert len(calls) == asked


def test_a_cache_that_takes_no_files_is_no_fault(tmp_path: Path) -> None:
    """What cannot be kept is asked again."""
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert cached("prices", lambda: ["x"]) == (["x"], False)
    assert cached("prices", lambda: ["y"]) == (["y"], False)
