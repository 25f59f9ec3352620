"""RunPod behind the boundary: what is ours, the way in, waking and ending it."""

from decimal import Decimal
from pathlib import Path

import pytest

from longshore.errors import (
    AccountError,
    MachineLostError,
    NoCapacityError,
    ProviderError,
    UnreachableError,
)
from longshore.providers.base import Bills, Funds, State, Wakes
from longshore.providers.remote import Keys
from longshore.providers.runpod import RunpodProvider

from .conftest import Clock
from .pods import DIRECT, FLOORS, FRAME, NAME, ORDER, lists, offer, owned, pod, records
from .server import Reply, Server, problem


def test_it_can_what_it_says(provider: RunpodProvider) -> None:
    """Pods can be woken, billed, and are paid in advance."""
    assert isinstance(provider, Wakes)
    assert isinstance(provider, Bills)
    assert isinstance(provider, Funds)


def test_only_ours_are_listed(server: Server, provider: RunpodProvider, tmp_path: Path) -> None:
    """By name and owner's mark, on all pages, stopped ones too: they bill."""
    owned(tmp_path / "state")
    strangers = [
        pod(id="x1", name="training"),
        pod(id="x2", env={}),
        pod(id="x3", env={"LONGSHORE_OWNER": "bob@home/2"}),
        pod(id="x4", status="TERMINATED"),
    ]
    more = {"nextCursor": "c", "hasNextPage": True}
    stopped = pod(id="def", name="longshore-a-b-12", status="EXITED")
    first = Reply(200, {"pods": [pod(), *strangers], "pagination": more})
    server.on("GET /v2/pods", first, lists(stopped))
    found = [(one.id, one.run, one.attempt, one.state) for one in provider.list_owned()]
    assert found == [
        ("abc123", "quick-otter", 1, State.RUNNING),
        ("def", "a-b", 12, State.STOPPED),
    ]


def test_nobody_who_never_rented_is_asked_for_a_key(tmp_path: Path) -> None:
    """Who uses other providers alone lists nothing, and is told nothing of RunPod."""
    owned(tmp_path / "state")
    assert RunpodProvider(environ={}).list_owned() == []


def test_a_key_that_went_missing_is_told(
    server: Server, maker: RunpodProvider, tmp_path: Path
) -> None:
    """With a pod on record, silence would hide what it costs."""
    server.on("POST /v2/pods", Reply(201, pod()))
    maker.request(offer(), ORDER)
    with pytest.raises(AccountError, match="no RunPod API key"):
        RunpodProvider(environ={}).list_owned()


def test_a_pod_on_record_is_ours_without_the_owners_file(
    server: Server, maker: RunpodProvider
) -> None:
    """The orders on record say whose pods they are."""
    server.on("POST /v2/pods", Reply(201, pod()))
    maker.request(offer(), ORDER)
    server.on("GET /v2/pods", lists(pod()))
    assert [one.id for one in maker.list_owned()] == ["abc123"]


def test_it_ends_with_its_keys(server: Server, maker: RunpodProvider, tmp_path: Path) -> None:
    """Once the pod is gone nothing opens it, and no record speaks of it; twice is fine."""
    server.on("POST /v2/pods", Reply(201, pod()))
    maker.request(offer(), ORDER)
    server.on("DELETE /v2/pods/abc123", Reply(204), problem(404))
    maker.tear_down("abc123")
    maker.tear_down("abc123")
    assert records(tmp_path / "state") == []
    with pytest.raises(ProviderError):
        Keys.load(NAME)


def test_a_pod_whose_maker_was_killed_ends_with_its_keys(
    server: Server, maker: RunpodProvider, tmp_path: Path
) -> None:
    """Between the create and its note lies a moment: the list tells the id that is missing."""
    server.on("GET /v2/pods", lists(), problem(503))
    server.on("POST /v2/pods", Reply(cut=True))
    with pytest.raises(UnreachableError):
        maker.request(offer(), ORDER)
    server.on("GET /v2/pods", lists(pod()))
    (machine,) = maker.list_owned()
    server.on("DELETE /v2/pods/abc123", Reply(204))
    maker.tear_down(machine.id)
    assert records(tmp_path / "state") == []
    with pytest.raises(ProviderError):
        Keys.load(NAME)


def test_a_conflict_is_tried_again(server: Server, provider: RunpodProvider, clock: Clock) -> None:
    """A pod that cannot be ended in this moment can be in the next."""
    server.on("DELETE /v2/pods/abc123", problem(409), problem(409), Reply(204))
    provider.tear_down("abc123")
    assert clock.slept == [1.0, 2.0]


def test_a_lasting_refusal_keeps_the_keys(server: Server, maker: RunpodProvider) -> None:
    """What was not ended can still be entered."""
    server.on("POST /v2/pods", Reply(201, pod()))
    maker.request(offer(), ORDER)
    server.on("DELETE /v2/pods/abc123", problem(409, "busy"))
    with pytest.raises(ProviderError, match="busy"):
        maker.tear_down("abc123")
    assert Keys.load(NAME)


def test_another_accounts_no_proves_nothing(
    server: Server, maker: RunpodProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who changed the key is not told that a pod is gone which another account still pays for."""
    server.on("POST /v2/pods", Reply(201, pod()))
    maker.request(offer(), ORDER)
    monkeypatch.setenv("RUNPOD_API_KEY", "rpa_OTHER")
    other = RunpodProvider()
    for act in (other.look, other.tear_down):
        with pytest.raises(AccountError, match="pod abc123 was made with another key"):
            act("abc123")
    assert server.calls("DELETE /v2/pods/abc123") == []


def test_a_new_key_of_the_same_account_will_do(
    server: Server, maker: RunpodProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A pod that is found is ours, by whichever key."""
    server.on("POST /v2/pods", Reply(201, pod()))
    maker.request(offer(), ORDER)
    monkeypatch.setenv("RUNPOD_API_KEY", "rpa_NEW")
    server.on("GET /v2/pods/abc123", Reply(200, pod()))
    server.on("DELETE /v2/pods/abc123", Reply(204))
    RunpodProvider().tear_down("abc123")
    assert records(tmp_path / "state") == []


def test_no_id_is_no_delete(server: Server, provider: RunpodProvider) -> None:
    """An empty id must never become a request about all pods."""
    provider.tear_down("")
    assert server.asked == []


LOG = "GET /v2/pods/abc123/logs"


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (problem(404), MachineLostError, "is gone"),
        (Reply(200, pod(status="EXITED")), MachineLostError, "was stopped: image not found"),
        (Reply(200, pod(status="ERROR")), MachineLostError, "was stopped: image not found"),
        (Reply(200, pod()), UnreachableError, "no ssh port yet"),
        (problem(503), UnreachableError, "cannot answer now"),
        (Reply(cut=True), UnreachableError, "does not answer"),
    ],
)
def test_a_way_in_that_is_not_there(
    server: Server, provider: RunpodProvider, reply: Reply, kind: type, words: str
) -> None:
    """Gone and stopped is lost, with the reason; silence is only silence."""
    server.on("GET /v2/pods/abc123", Reply(200, pod(ssh=DIRECT)))
    machine = provider.look("abc123")
    assert machine is not None
    server.on("GET /v2/pods/abc123", reply)
    server.on(LOG, FRAME)
    with pytest.raises(ProviderError, match=words) as caught:
        provider.host(machine).read("job.json")
    assert type(caught.value) is kind


def test_a_stopped_pod_is_started(server: Server, provider: RunpodProvider) -> None:
    """By the action of REST v2; one that runs is left alone."""
    server.on("GET /v2/pods/abc123", Reply(200, pod(status="EXITED")))
    server.on("POST /v2/pods/abc123/action", Reply(200, pod(status="STARTING")))
    provider.wake("abc123")
    (started,) = server.calls("POST /v2/pods/abc123/action")
    assert started.body == {"action": "start"}
    server.on("GET /v2/pods/abc123", Reply(200, pod()))
    provider.wake("abc123")
    assert len(server.calls("POST /v2/pods/abc123/action")) == 1


@pytest.mark.parametrize(
    "refusal",
    [
        problem(400, "There are not enough free GPUs on the host machine to start this pod."),
        problem(409, "invalid action"),
    ],
)
def test_a_host_without_room_is_said(
    server: Server, provider: RunpodProvider, refusal: Reply
) -> None:
    """Its GPUs may be somebody else's by now: that is told from a fault."""
    server.on("GET /v2/pods/abc123", Reply(200, pod(status="EXITED")))
    server.on("POST /v2/pods/abc123/action", refusal)
    with pytest.raises(NoCapacityError):
        provider.wake("abc123")


def test_a_start_that_happened_is_no_conflict(server: Server, provider: RunpodProvider) -> None:
    """An answer that was lost, asked for again, is refused because it has been done."""
    exited, starting = (Reply(200, pod(status=word)) for word in ("EXITED", "STARTING"))
    server.on("GET /v2/pods/abc123", exited, starting)
    server.on("POST /v2/pods/abc123/action", Reply(cut=True), problem(409))
    provider.wake("abc123")


def test_a_pod_by_bid_is_resumed_by_bid(server: Server, maker: RunpodProvider) -> None:
    """RunPod refuses to start it otherwise."""
    answers = (
        FLOORS,
        {"podRentInterruptable": {"id": "abc123"}},
        {"podBidResume": {"id": "abc123"}},
    )
    server.on("POST /graphql", *(Reply(200, {"data": answer}) for answer in answers))
    maker.request(offer(market="spot", usd_per_hour=Decimal("0.31")), ORDER)
    server.on("GET /v2/pods/abc123", Reply(200, pod(status="EXITED")))
    maker.wake("abc123")
    query = server.calls("POST /graphql")[2].body["query"]
    assert 'podBidResume(input: {podId: "abc123", bidPerGpu: 0.30, gpuCount: 1})' in query


def test_what_is_gone_cannot_be_woken(server: Server, provider: RunpodProvider) -> None:
    """That is a lost machine, not a lack of room."""
    with pytest.raises(MachineLostError, match="pod abc123 is gone"):
        provider.wake("abc123")
