"""RunPod behind the boundary: made once, looked at, woken, billed, ended."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from longshore.configs.spec import Gpu, Runpod
from longshore.errors import (
    AccountError,
    MachineLostError,
    NoCapacityError,
    NoOfferError,
    ProviderError,
    UnreachableError,
)
from longshore.providers.base import Bills, Funds, Need, Offer, Order, State, Wakes
from longshore.providers.remote import Address, Keys
from longshore.providers.runpod import RunpodProvider
from longshore.providers.runpod.api import Api
from longshore.providers.runpod.looking import Looker

from .conftest import KEY, Clock
from .listings import CATALOG, RTX_4090
from .server import Reply, Server, problem

FULL = "There are no longer any instances available with the requested specifications."
NAME = "longshore-quick-otter-1"
OWNER = "ada@desk/1f"
NEED = Need(gpu=Gpu("RTX 4090"), has_image=False)
ORDER = Order("quick-otter", 1, OWNER, NEED)


def pod(**facts: Any) -> dict[str, Any]:
    """One of our pods as RunPod shows it."""
    plain = {
        "id": "abc123",
        "name": NAME,
        "status": "RUNNING",
        "cost": 0.7,
        "env": {"LONGSHORE_OWNER": OWNER},
        "mounts": {"persistent": {"size": 73, "path": "/longshore-volume"}},
    }
    return plain | facts


def lists(*pods: dict[str, Any]) -> Reply:
    return Reply(200, {"pods": list(pods)})


@pytest.fixture
def boot(tmp_path: Path) -> Path:
    script = tmp_path / "boot.sh"
    script.write_text("echo boot\n")
    return script


@pytest.fixture
def maker(
    server: Server, clock: Clock, boot: Path, monkeypatch: pytest.MonkeyPatch
) -> RunpodProvider:
    """A provider of an account without pods yet."""
    monkeypatch.setenv("RUNPOD_API_KEY", KEY)
    monkeypatch.setenv("RUNPOD_API_BASE_URL", server.url)
    server.on("GET /v2/pods", lists())
    return RunpodProvider(boot=boot, sleep=clock.sleep)


def offer(**facts: Any) -> Offer:
    plain = Offer(
        provider="runpod",
        region="anywhere",
        instance=RTX_4090["id"],
        gpu="RTX 4090",
        gpu_count=1,
        market="on-demand",
        usd_per_hour=Decimal("0.7"),
        source="live",
        as_of=date(2026, 11, 21),
        zone="secure",
        disk_usd_per_hour=Decimal("0.01"),
    )
    return replace(plain, **facts)


def records(state: Path) -> list[Path]:
    return sorted((state / "runpod").glob("*.json"))


def test_it_can_what_it_says(provider: RunpodProvider) -> None:
    """Pods can be woken, billed, and are paid in advance."""
    assert isinstance(provider, Wakes)
    assert isinstance(provider, Bills)
    assert isinstance(provider, Funds)


class TestOffers:
    def test_live_offers_are_asked_by_cloud_and_count(
        self, server: Server, provider: RunpodProvider
    ) -> None:
        """Stock is per cloud and count, and the two query words that need each other are sent."""
        server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
        found = provider.offers(Need(gpu=Gpu("RTX 4090", 2)))
        assert [(one.source, one.zone) for one in found] == [
            ("live", "community"),
            ("live", "secure"),
        ]
        plain = {"include": "AVAILABILITY", "product": "POD", "count": "2"}
        assert [one.query for one in server.asked] == [
            plain | {"cloud": "SECURE"},
            plain | {"cloud": "COMMUNITY"},
        ]

    def test_a_plan_and_its_dry_run_ask_once(
        self, server: Server, provider: RunpodProvider
    ) -> None:
        """An answer of a moment ago serves again, and says that it was kept."""
        server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
        first, again = provider.offers(NEED), provider.offers(NEED)
        assert len(server.asked) == 2
        assert [replace(one, source="live") for one in again] == first
        assert {one.source for one in again} == {"cache"}

    @pytest.mark.parametrize(
        "content", ["", "{", "[]", '{"at": 0, "answer": []}', '{"at": 9e99, "answer": []}']
    )
    def test_a_damaged_or_old_cache_is_asked_anew(
        self, server: Server, provider: RunpodProvider, tmp_path: Path, content: str
    ) -> None:
        """What was kept is a convenience: it is never a fault, and never older than a minute."""
        server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
        provider.offers(NEED)
        for path in (tmp_path / "cache" / "runpod").glob("*.json"):
            path.write_text(content)
        assert {one.source for one in provider.offers(NEED)} == {"live"}

    def test_without_a_key_the_bundle_serves(self) -> None:
        """A dry run needs no account: the prices have their dates, and the reason is said."""
        found = RunpodProvider(environ={}).offers(NEED)
        assert {one.source for one in found} == {"bundled"}
        assert {one.note for one in found} == {"bundled price: no RunPod API key"}
        assert {(one.region, one.stock) for one in found} == {("anywhere", "")}
        assert {one.zone for one in found} == {"secure", "community"}

    def test_without_a_network_the_bundle_serves(
        self, server: Server, provider: RunpodProvider
    ) -> None:
        """An estimate goes on while RunPod is silent, and says so."""
        server.on("GET /v2/catalog/gpus", Reply(cut=True))
        (note,) = {one.note for one in provider.offers(NEED)}
        assert note.startswith("bundled price: RunPod at ")
        assert "does not answer" in note

    def test_a_wrong_key_is_no_reason_for_old_prices(
        self, server: Server, provider: RunpodProvider
    ) -> None:
        """A refused key must be mended: it is told before anything is planned."""
        server.on("GET /v2/catalog/gpus", problem(401, "invalid token"))
        with pytest.raises(AccountError, match="refuses the key"):
            provider.offers(NEED)

    def test_an_unknown_data_center_is_told(self, server: Server, provider: RunpodProvider) -> None:
        """A slip in a data center's name is not taken for a lack of stock."""
        server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
        server.on("GET /v2/catalog/datacenters", Reply(200, {"dataCenters": [{"id": "EU-RO-1"}]}))
        need = replace(NEED, runpod=Runpod(data_centers=("EU-R0-1",)))
        with pytest.raises(NoOfferError, match="no data center 'EU-R0-1'") as caught:
            provider.offers(need)
        assert caught.value.hint == "did you mean 'EU-RO-1'?"

    def test_a_network_volume_is_found_by_name(
        self, server: Server, provider: RunpodProvider
    ) -> None:
        """It pins the data center, and what it costs by itself is said."""
        volume = {"id": "v1", "name": "data", "size": 100, "dataCenter": "EU-RO-1"}
        server.on("GET /v2/network-volumes", Reply(200, {"networkVolumes": [volume]}))
        server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
        need = replace(NEED, runpod=Runpod(volume="data"))
        (found,) = provider.offers(need)
        assert (found.region, found.zone) == ("EU-RO-1", "secure")
        assert found.note == "network volume data costs 0.009589 USD an hour, run or no run"
        with pytest.raises(ProviderError, match="no network volume 'dada'") as caught:
            provider.offers(replace(NEED, runpod=Runpod(volume="dada")))
        assert caught.value.hint == "did you mean 'data'?"

    def test_prefer_goes_on_without_bids(self, server: Server, provider: RunpodProvider) -> None:
        """Where bids are refused, a job that only prefers them takes machines on demand."""
        server.on("GET /v2/catalog/gpus", Reply(200, {"gpus": CATALOG}))
        server.on("POST /graphql", Reply(200, {"errors": [{"message": "bids are gone"}]}))
        found = provider.offers(replace(NEED, spot="prefer"))
        assert {one.market for one in found} == {"on-demand"}
        assert found[0].note == "no bids: RunPod refuses: bids are gone"
        with pytest.raises(ProviderError, match="bids are gone"):
            provider.offers(replace(NEED, spot="only"))


class TestRequest:
    def test_a_pod_is_made_by_its_name(self, server: Server, maker: RunpodProvider) -> None:
        """The body has the order's name, our key and the boot script; its id comes back."""
        server.on("POST /v2/pods", Reply(201, pod(status="PROVISIONING")))
        assert maker.request(offer(), ORDER) == "abc123"
        (made,) = server.calls("POST /v2/pods")
        assert made.body["name"] == NAME
        assert made.body["env"]["LONGSHORE_BOOT"] == "echo boot\n"
        assert made.body["env"]["PUBLIC_KEY"] == Keys.load(NAME).public

    def test_what_is_there_is_adopted(self, server: Server, maker: RunpodProvider) -> None:
        """A name that is taken by this order's own pod is never asked for again."""
        server.on("GET /v2/pods", lists(pod()))
        assert maker.request(offer(), ORDER) == "abc123"
        assert server.calls("POST /v2/pods") == []

    def test_somebody_elses_pod_is_not_adopted(self, server: Server, maker: RunpodProvider) -> None:
        """RunPod's names are not unique: the owner's mark decides."""
        server.on("GET /v2/pods", lists(pod(id="other", env={"LONGSHORE_OWNER": "bob"})))
        server.on("POST /v2/pods", Reply(201, pod()))
        assert maker.request(offer(), ORDER) == "abc123"

    @pytest.mark.parametrize(
        "lost", [Reply(cut=True), problem(502), Reply(200, raw=b"<html>"), Reply(201, {"odd": 1})]
    )
    def test_a_lost_answer_is_looked_for(
        self, server: Server, maker: RunpodProvider, lost: Reply
    ) -> None:
        """A create that timed out but happened is found by its name, though it shows late."""
        server.on("GET /v2/pods", lists(), lists(), lists(pod()))
        server.on("POST /v2/pods", lost)
        assert maker.request(offer(), ORDER) == "abc123"
        assert len(server.calls("POST /v2/pods")) == 1

    def test_a_create_that_did_not_happen_leaves_nothing(
        self, server: Server, maker: RunpodProvider, tmp_path: Path
    ) -> None:
        """When it is really absent that is said, so that the next offer is tried."""
        server.on("POST /v2/pods", problem(503))
        with pytest.raises(ProviderError, match=f"did not take the request for {NAME}") as caught:
            maker.request(offer(), ORDER)
        assert not isinstance(caught.value, UnreachableError)
        assert records(tmp_path / "state") == []

    def test_a_lost_answer_and_a_silent_list_keep_the_record(
        self, server: Server, maker: RunpodProvider, tmp_path: Path
    ) -> None:
        """While nobody can say whether it was made, its keys and its record are kept."""
        server.on("GET /v2/pods", lists(), problem(503))
        server.on("POST /v2/pods", Reply(cut=True))
        with pytest.raises(UnreachableError):
            maker.request(offer(), ORDER)
        assert len(records(tmp_path / "state")) == 1
        assert Keys.load(NAME)

    @pytest.mark.parametrize(
        ("refusal", "kind"),
        [(problem(400, FULL), NoCapacityError), (problem(402), AccountError)],
    )
    def test_a_refusal_leaves_nothing(
        self,
        server: Server,
        maker: RunpodProvider,
        tmp_path: Path,
        refusal: Reply,
        kind: type[Exception],
    ) -> None:
        """What was refused was never made: no record and no keys stay behind."""
        server.on("POST /v2/pods", refusal)
        with pytest.raises(kind):
            maker.request(offer(), ORDER)
        assert records(tmp_path / "state") == []
        with pytest.raises(ProviderError):
            Keys.load(NAME)

    def test_a_bid_is_held_against_the_lowest(self, server: Server, maker: RunpodProvider) -> None:
        """The floor is asked for again just before; the record keeps the bid, to wake it later."""
        prices = {"minimumBidPrice": 0.3, "uninterruptablePrice": 0.69, "stockStatus": "High"}
        row = {"id": RTX_4090["id"], "displayName": "RTX 4090", "secure0": prices}
        floors = Reply(200, {"data": {"gpuTypes": [row]}})
        rented = Reply(200, {"data": {"podRentInterruptable": {"id": "abc123"}}})
        server.on("POST /graphql", floors, rented)
        spot = offer(market="spot", usd_per_hour=Decimal("0.31"))
        assert maker.request(spot, ORDER) == "abc123"
        assert "bidPerGpu: 0.30" in server.calls("POST /graphql")[1].body["query"]
        server.on("POST /graphql", floors)
        with pytest.raises(NoCapacityError, match=r"lowest bid for .* is 0\.3 USD"):
            maker.request(replace(spot, usd_per_hour=Decimal("0.2")), replace(ORDER, attempt=2))

    def test_an_unknown_volume_is_told_before(self, server: Server, maker: RunpodProvider) -> None:
        """A volume that went away since the plan is no reason to make a pod without it."""
        server.on("GET /v2/network-volumes", Reply(200, {"networkVolumes": []}))
        need = replace(NEED, runpod=Runpod(volume="data"))
        with pytest.raises(ProviderError, match="no network volume 'data'") as caught:
            maker.request(offer(), replace(ORDER, need=need))
        assert caught.value.hint == "this account has none"
        assert server.calls("POST /v2/pods") == []


LOG = "GET /v2/pods/abc123/logs"
LINE = json.dumps({"ts": "2026-11-21T00:00:00Z", "source": "system", "line": "image not found"})
FRAME = Reply(200, raw=f"id: 1\ndata: {LINE}\n\n".encode())
DIRECT = {"direct": {"host": "127.0.0.1", "port": 10022}}


class TestLook:
    @pytest.mark.parametrize(
        ("facts", "greets", "state", "detail"),
        [
            ({"status": "PROVISIONING"}, True, State.BOOTING, ""),
            ({"status": "STARTING"}, True, State.BOOTING, ""),
            ({"status": "RUNNING"}, True, State.BOOTING, ""),
            ({"status": "RUNNING", "ssh": DIRECT}, False, State.BOOTING, ""),
            ({"status": "RUNNING", "ssh": DIRECT}, True, State.RUNNING, ""),
            ({"status": "EXITED"}, True, State.STOPPED, "image not found"),
            ({"status": "ERROR"}, True, State.STOPPED, "image not found"),
            ({"status": "HIBERNATING"}, True, State.BOOTING, ""),
        ],
    )
    def test_states(
        self,
        server: Server,
        api: Api,
        facts: dict[str, Any],
        greets: bool,
        state: State,
        detail: str,
    ) -> None:
        """RUNNING is said once its sshd greets; a stopped pod tells why by its system log."""
        server.on("GET /v2/pods/abc123", Reply(200, pod(**facts)))
        server.on(LOG, FRAME)
        machine = Looker(api, greets=lambda address, seconds: greets).look("abc123")
        assert machine is not None
        assert (machine.state, machine.detail) == (state, detail)
        assert (machine.run, machine.attempt) == ("quick-otter", 1)

    @pytest.mark.parametrize("reply", [problem(404), Reply(200, pod(status="TERMINATED"))])
    def test_what_is_gone_is_none(self, server: Server, api: Api, reply: Reply) -> None:
        """A pod that RunPod does not know, or has ended, is no machine."""
        server.on("GET /v2/pods/abc123", reply)
        assert Looker(api).look("abc123") is None
        assert Looker(api).look("") is None

    def test_a_long_boot_says_what_it_waits_for(
        self, server: Server, api: Api, clock: Clock
    ) -> None:
        """After a quarter of a minute the system log's last line is shown, and not before."""
        server.on("GET /v2/pods/abc123", Reply(200, pod(status="STARTING")))
        server.on(LOG, FRAME)
        looker = Looker(api, clock)
        seen = []
        for _ in range(3):
            machine = looker.look("abc123")
            assert machine is not None
            seen.append(machine.detail)
            clock.sleep(10)
        assert seen == ["", "", "image not found"]
        assert server.calls(LOG)[0].query == {"source": "system", "tail": "1"}

    def test_each_address_is_greeted_once(self, server: Server, api: Api) -> None:
        """A machine that runs is not knocked at again, until its port has moved."""
        moved = {"direct": {"host": "127.0.0.1", "port": 10023}}
        first, second = (Reply(200, pod(ssh=ssh)) for ssh in (DIRECT, moved))
        server.on("GET /v2/pods/abc123", first, first, second)
        knocked: list[Address] = []

        def greets(address: Address, seconds: float) -> bool:
            knocked.append(address)
            return True

        looker = Looker(api, greets=greets)
        for _ in range(3):
            looker.look("abc123")
        assert [address.port for address in knocked] == [10022, 10023]

    @pytest.mark.parametrize(
        ("facts", "usd"), [({}, "0.7"), ({"status": "EXITED", "cost": 0.0}, "0.02")]
    )
    def test_what_it_costs_now(
        self, server: Server, api: Api, facts: dict[str, Any], usd: str
    ) -> None:
        """RunPod's own figure; of a stopped pod its volume, 73 GB at 0.20 USD a month."""
        server.on("GET /v2/pods/abc123", Reply(200, pod(**facts)))
        machine = Looker(api).look("abc123")
        assert machine is not None
        assert machine.usd_per_hour == Decimal(usd)

    @pytest.mark.parametrize(
        "reply", [problem(500), Reply(cut=True), Reply(200, raw=b"data: {\n\n"), Reply(200)]
    )
    def test_a_silent_log_hides_nothing(self, server: Server, api: Api, reply: Reply) -> None:
        """Without a reason the state itself is one."""
        server.on("GET /v2/pods/abc123", Reply(200, pod(status="EXITED")))
        server.on(LOG, reply)
        machine = Looker(api).look("abc123")
        assert machine is not None
        assert machine.detail == "EXITED"


class TestOwned:
    def test_only_ours_are_listed(
        self, server: Server, provider: RunpodProvider, tmp_path: Path
    ) -> None:
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

    def test_nobody_who_never_rented_is_asked_for_a_key(self, tmp_path: Path) -> None:
        """Who uses other providers alone lists nothing, and is told nothing of RunPod."""
        owned(tmp_path / "state")
        assert RunpodProvider(environ={}).list_owned() == []

    def test_a_key_that_went_missing_is_told(
        self, server: Server, maker: RunpodProvider, tmp_path: Path
    ) -> None:
        """With a pod on record, silence would hide what it costs."""
        server.on("POST /v2/pods", Reply(201, pod()))
        maker.request(offer(), ORDER)
        with pytest.raises(AccountError, match="no RunPod API key"):
            RunpodProvider(environ={}).list_owned()

    def test_a_pod_on_record_is_ours_without_the_owners_file(
        self, server: Server, maker: RunpodProvider
    ) -> None:
        """The orders on record say whose pods they are."""
        server.on("POST /v2/pods", Reply(201, pod()))
        maker.request(offer(), ORDER)
        server.on("GET /v2/pods", lists(pod()))
        assert [one.id for one in maker.list_owned()] == ["abc123"]


def owned(state: Path) -> None:
    state.mkdir(parents=True, exist_ok=True)
    (state / "owner").write_text(OWNER)


class TestTearDown:
    def test_it_ends_with_its_keys(
        self, server: Server, maker: RunpodProvider, tmp_path: Path
    ) -> None:
        """Once the pod is gone nothing opens it, and no record speaks of it; twice is fine."""
        server.on("POST /v2/pods", Reply(201, pod()))
        maker.request(offer(), ORDER)
        server.on("DELETE /v2/pods/abc123", Reply(204), problem(404))
        maker.tear_down("abc123")
        maker.tear_down("abc123")
        assert records(tmp_path / "state") == []
        with pytest.raises(ProviderError):
            Keys.load(NAME)

    def test_a_conflict_is_tried_again(
        self, server: Server, provider: RunpodProvider, clock: Clock
    ) -> None:
        """A pod that cannot be ended in this moment can be in the next."""
        server.on("DELETE /v2/pods/abc123", problem(409), problem(409), Reply(204))
        provider.tear_down("abc123")
        assert clock.slept == [1.0, 2.0]

    def test_a_lasting_refusal_keeps_the_keys(self, server: Server, maker: RunpodProvider) -> None:
        """What was not ended can still be entered."""
        server.on("POST /v2/pods", Reply(201, pod()))
        maker.request(offer(), ORDER)
        server.on("DELETE /v2/pods/abc123", problem(409, "busy"))
        with pytest.raises(ProviderError, match="busy"):
            maker.tear_down("abc123")
        assert Keys.load(NAME)

    def test_no_id_is_no_delete(self, server: Server, provider: RunpodProvider) -> None:
        """An empty id must never become a request about all pods."""
        provider.tear_down("")
        assert server.asked == []


class TestHost:
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
        self, server: Server, provider: RunpodProvider, reply: Reply, kind: type, words: str
    ) -> None:
        """Gone and stopped is lost, with the reason; silence is only silence."""
        server.on("GET /v2/pods/abc123", Reply(200, pod(ssh=DIRECT)))
        machine = looked(provider, server)
        server.on("GET /v2/pods/abc123", reply)
        server.on(LOG, FRAME)
        with pytest.raises(ProviderError, match=words) as caught:
            provider.host(machine).read("job.json")
        assert type(caught.value) is kind


def looked(provider: RunpodProvider, server: Server) -> Any:
    machine = provider.look("abc123")
    assert machine is not None
    return machine


class TestWake:
    def test_a_stopped_pod_is_started(self, server: Server, provider: RunpodProvider) -> None:
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
        self, server: Server, provider: RunpodProvider, refusal: Reply
    ) -> None:
        """Its GPUs may be somebody else's by now: that is told from a fault."""
        server.on("GET /v2/pods/abc123", Reply(200, pod(status="EXITED")))
        server.on("POST /v2/pods/abc123/action", refusal)
        with pytest.raises(NoCapacityError):
            provider.wake("abc123")

    def test_a_start_that_happened_is_no_conflict(
        self, server: Server, provider: RunpodProvider
    ) -> None:
        """An answer that was lost, asked for again, is refused because it has been done."""
        exited, starting = (Reply(200, pod(status=word)) for word in ("EXITED", "STARTING"))
        server.on("GET /v2/pods/abc123", exited, starting)
        server.on("POST /v2/pods/abc123/action", Reply(cut=True), problem(409))
        provider.wake("abc123")

    def test_a_pod_by_bid_is_resumed_by_bid(self, server: Server, maker: RunpodProvider) -> None:
        """RunPod refuses to start it otherwise."""
        prices = {"minimumBidPrice": 0.3, "uninterruptablePrice": 0.69, "stockStatus": "High"}
        row = {"id": RTX_4090["id"], "displayName": "RTX 4090", "secure0": prices}
        answers = (
            {"gpuTypes": [row]},
            {"podRentInterruptable": {"id": "abc123"}},
            {"podBidResume": {"id": "abc123"}},
        )
        server.on("POST /graphql", *(Reply(200, {"data": answer}) for answer in answers))
        maker.request(offer(market="spot", usd_per_hour=Decimal("0.31")), ORDER)
        server.on("GET /v2/pods/abc123", Reply(200, pod(status="EXITED")))
        maker.wake("abc123")
        query = server.calls("POST /graphql")[2].body["query"]
        assert 'podBidResume(input: {podId: "abc123", bidPerGpu: 0.30, gpuCount: 1})' in query

    def test_what_is_gone_cannot_be_woken(self, server: Server, provider: RunpodProvider) -> None:
        """That is a lost machine, not a lack of room."""
        with pytest.raises(MachineLostError, match="pod abc123 is gone"):
            provider.wake("abc123")


class TestMoney:
    @pytest.mark.parametrize(
        ("records", "usd"),
        [
            ([], None),
            ([{"podId": "other", "totalAmount": 9.0}], None),
            (
                [
                    {"podId": "abc123", "totalAmount": 0.1, "gpuAmount": 0.1},
                    {"podId": "abc123", "totalAmount": 0.2},
                    {"podId": "other", "totalAmount": 9.0},
                ],
                Decimal("0.3"),
            ),
        ],
    )
    def test_the_bill_is_the_sum_of_its_own_records(
        self,
        server: Server,
        provider: RunpodProvider,
        records: list[dict[str, Any]],
        usd: Decimal | None,
    ) -> None:
        """To the cent, without other pods' records, and None while there are none."""
        server.on("GET /v2/billing/pods", Reply(200, {"records": records, "metadata": {}}))
        assert provider.billed("abc123") == usd
        assert server.asked[0].query == {"podId": "abc123"}

    @pytest.mark.parametrize(
        ("answer", "usd"),
        [
            ({"data": {"myself": {"clientBalance": 12.34}}}, Decimal("12.34")),
            ({"data": {"myself": None}}, None),
            ({"errors": [{"message": "gone"}]}, None),
        ],
    )
    def test_the_balance(
        self, server: Server, provider: RunpodProvider, answer: Any, usd: Decimal | None
    ) -> None:
        """What the prepaid account still holds, when RunPod says it."""
        server.on("POST /graphql", Reply(200, answer))
        assert provider.balance() == usd


CALLS: list[Callable[[RunpodProvider], object]] = [
    lambda provider: provider.look("abc123"),
    lambda provider: provider.tear_down("abc123"),
    lambda provider: provider.wake("abc123"),
    lambda provider: provider.billed("abc123"),
    lambda provider: provider.balance(),
    lambda provider: provider.request(offer(), ORDER),
]


@pytest.mark.parametrize("call", CALLS)
def test_every_call_without_a_key_says_what_to_set(
    call: Callable[[RunpodProvider], object],
) -> None:
    """Wherever the key is first needed, the message is the same."""
    with pytest.raises(AccountError, match="no RunPod API key"):
        call(RunpodProvider(environ={}))
