"""One loop waits for every machine; its rules are these."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from longshore.errors import LongshoreError, MachineLostError, ProviderError
from longshore.providers.base import Machine, State
from longshore.providers.fake import FakeClock
from longshore.providers.wait import wait_until

PENDING = {State.REQUESTED, State.BOOTING}


@dataclass
class Looks:
    """Answers in turn, the last one for ever; None for a machine that is not found."""

    states: Sequence[State | None]
    asked: int = 0
    clock: FakeClock = field(default_factory=lambda: FakeClock(0.0))
    times: list[float] = field(default_factory=list)

    def __call__(self) -> Machine | None:
        state = self.states[min(self.asked, len(self.states) - 1)]
        self.asked += 1
        self.times.append(self.clock.now)
        return Machine("m-1", "run", 1, state, detail="the reason") if state else None


def wait(looks: Looks, target: State = State.RUNNING, unseen: int = 0, times: int = 1) -> object:
    return wait_until(
        looks,
        pending=PENDING,
        target={target},
        deadline=60,
        unseen=unseen,
        times=times,
        clock=looks.clock,
        sleep=looks.clock.sleep,
    )


def test_pending_states_are_waited_through() -> None:
    """The machine comes back as soon as it is in a target state."""
    looks = Looks([State.REQUESTED, State.BOOTING, State.RUNNING])
    machine = wait(looks)
    assert isinstance(machine, Machine)
    assert machine.state is State.RUNNING
    assert looks.asked == 3


def test_the_pause_grows() -> None:
    """A slow boot is asked about ever less often, up to the longest pause."""
    looks = Looks([State.BOOTING] * 9 + [State.RUNNING])
    wait(looks)
    pauses = [after - before for before, after in zip(looks.times, looks.times[1:], strict=False)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.0, 10.0)


FAULTS: list[tuple[list[State | None], type[LongshoreError], str]] = [
    ([State.REFUSED], ProviderError, "m-1 is REFUSED, not RUNNING: the reason"),
    ([State.BOOTING, State.STUCK], ProviderError, "m-1 is STUCK, not RUNNING: the reason"),
    ([State.BOOTING], ProviderError, "m-1 is still BOOTING after 60 s: the reason"),
    ([None], MachineLostError, "the machine is not known to its provider"),
    ([State.BOOTING, None], MachineLostError, "the machine is not known to its provider"),
]


@pytest.mark.parametrize(("states", "error", "text"), FAULTS)
def test_faults(states: list[State | None], error: type[LongshoreError], text: str) -> None:
    """A wrong state, the deadline and a lost machine each end the wait with their own words."""
    with pytest.raises(error) as caught:
        wait(Looks(states))
    assert str(caught.value) == text


def test_a_wrong_state_is_not_waited_on() -> None:
    """It cannot get better, so not a second is spent."""
    looks = Looks([State.REFUSED])
    with pytest.raises(ProviderError):
        wait(looks)
    assert looks.asked == 1


def test_a_machine_may_be_unknown_at_first() -> None:
    """A cloud that has just made a machine may not know it yet: so many looks are borne."""
    wait(Looks([None, None, State.BOOTING, None, None, State.RUNNING]), unseen=2)
    with pytest.raises(MachineLostError):
        wait(Looks([None, None, None, State.RUNNING]), unseen=2)


def test_absence_can_be_the_target() -> None:
    """A machine that is not found is GONE; where that is wanted, None comes back."""
    assert wait(Looks([State.BOOTING, None]), State.GONE) is None


def test_a_target_may_have_to_be_seen_twice() -> None:
    """One answer that says gone may be a gap; `times` looks in a row are proof."""
    looks = Looks([None, State.BOOTING, None, None])
    assert wait(looks, State.GONE, times=2) is None
    assert looks.asked == 4
