"""A training that was stopped, or died, goes on as if nothing had happened."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest
from safetensors.torch import load_file

from longshore.configs import container
from longshore.training import checkpoint, train
from longshore.training.events import Events, Redactor
from longshore.training.stop import SIGNALS, Stop, Stopped
from longshore.training.story import Story

from .conftest import MakeSite, Site

pytestmark = pytest.mark.training

Act = Callable[[], None]


class Died(Exception):
    """Stands for a machine that goes away between two steps."""


def die() -> None:
    raise Died


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def run(site: Site, at: str = "never", act: Act = die) -> int | None:
    """Run the training here; `act` when a line begins with `at`. The exit code, None if it died."""

    def show(line: str) -> None:
        if line.startswith(at):
            act()

    stop = Stop()
    stop.listen()
    (site.path / container.OUTPUTS).mkdir(exist_ok=True)
    events = Events(site.path / container.EVENTS, Redactor([]))
    try:
        return train.run(site.path, site.spec, Story(events, show), stop)
    except Stopped:
        return container.EXIT_PREEMPTED
    except Died:
        return None
    finally:
        events.close()


def losses(site: Site) -> list[tuple[object, str, str]]:
    """The story of a training, each number to its last digit; of steps told twice the last."""
    told = {
        (event["kind"], event["step"]): (repr(event["loss"]), repr(event.get("grad_norm")))
        for event in [*site.events("step"), *site.events("eval")]
    }
    return [(key, *told[key]) for key in sorted(told, key=str)]


def weights(site: Site) -> dict[str, bytes]:
    (file,) = (site.path / container.OUTPUTS).glob("*/*.safetensors")
    return {name: tensor.numpy().tobytes() for name, tensor in load_file(file).items()}


@pytest.fixture(scope="module")
def reference() -> dict[str, tuple[object, object]]:
    """Losses and weights of the uninterrupted training by recipe, made when first asked for."""
    return {}


def uninterrupted(
    recipe: str, make_training: MakeSite, kept: dict[str, tuple[object, object]]
) -> tuple[object, object]:
    if recipe not in kept:
        site = make_training("whole", **kind(recipe))
        assert run(site) == container.EXIT_DONE
        kept[recipe] = losses(site), weights(site)
    return kept[recipe]


def kind(recipe: str) -> dict[str, object]:
    """Dropout and accumulation in both; 8 steps cross the end of an epoch, whose last is short."""
    return {"recipe": recipe, "eval_every": 4, "save_every": 3}


@pytest.mark.parametrize("recipe", ["full", "lora"])
@pytest.mark.parametrize(
    ("at", "act", "code", "step"),
    [
        pytest.param("step 3/", terminate, container.EXIT_PREEMPTED, 4, id="stopped"),
        pytest.param("step 6/", die, None, 3, id="died before its second checkpoint"),
        pytest.param("--- save", terminate, container.EXIT_PREEMPTED, 8, id="stopped at the end"),
    ],
)
def test_resumes_identical(
    recipe: str,
    at: str,
    act: Act,
    code: int | None,
    step: int,
    make_training: MakeSite,
    reference: dict[str, tuple[object, object]],
) -> None:
    """Losses, gradient norms and final weights are those of an uninterrupted run, bit by bit."""
    site = make_training(**kind(recipe))
    assert run(site, at, act) == code
    found = checkpoint.newest(site.path / container.CHECKPOINTS)
    assert found
    assert found.step == step
    assert run(site) == container.EXIT_DONE
    assert site.events("plan")[-1]["resumed_from"] == step
    assert (losses(site), weights(site)) == uninterrupted(recipe, make_training, reference)
