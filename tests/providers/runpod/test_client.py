"""What is tried again, what never is, how long one waits, and what each refusal means."""

import logging
from collections.abc import Callable

import pytest

from longshore.errors import (
    AccountError,
    LongshoreError,
    NoCapacityError,
    ProviderError,
    UnreachableError,
)
from longshore.providers.runpod.client import PATIENCE, TRIES, Client
from longshore.providers.runpod.faults import ConflictError
from longshore.providers.runpod.settings import Account

from .conftest import KEY, Clock
from .server import Reply, Server, problem

FULL = (
    "There are no longer any instances available with the requested specifications. "
    "Please refresh and try again."
)
Act = Callable[[Client], object]
PAGE = Reply(200, raw=b"<html>log in</html>")


def create(client: Client) -> object:
    return client.post("/v2/pods", {"name": "x"}, idempotent=False, creating=True)


@pytest.mark.parametrize(
    ("status", "detail", "kind", "words"),
    [
        (400, FULL, NoCapacityError, "no machine free"),
        (
            400,
            "This machine does not have the resources to deploy your pod",
            NoCapacityError,
            "resources",
        ),
        (400, "Not enough free GPUs on the host", NoCapacityError, "free GPUs"),
        (400, "ports are written as 22/tcp", ProviderError, "ports are written as 22/tcp"),
        (400, "This pod would put you over your current spending limit.", AccountError, "limit"),
        (401, "missing bearer token", AccountError, "refuses the key"),
        (402, "insufficient balance", AccountError, "insufficient balance"),
        (402, "", AccountError, "balance is too low"),
        (403, "access denied", NoCapacityError, "access denied"),
        (404, "resource not found", ProviderError, "resource not found"),
        (405, "", ProviderError, "HTTP 405"),
        (409, "pod belongs to a cluster", ConflictError, "cluster"),
        (410, "this API has ended", ProviderError, "ended"),
        (413, "body too large", ProviderError, "this big"),
        (418, "", ProviderError, "HTTP 418"),
        (302, "", ProviderError, "HTTP 302"),
    ],
)
def test_a_refused_create_is_one_of_our_errors(
    server: Server, client: Client, status: int, detail: str, kind: type, words: str
) -> None:
    """Status and text together say what it is; it is sent once, and always has a reason."""
    server.on("POST /v2/pods", problem(status, detail))
    with pytest.raises(LongshoreError, match=words) as caught:
        create(client)
    assert type(caught.value) is kind
    assert len(server.asked) == 1


def test_a_403_elsewhere_is_about_the_key(server: Server, client: Client) -> None:
    """Only a create can be refused for one pool; a list is refused for the key's rights."""
    server.on("GET /v2/pods", problem(403, "access denied"))
    with pytest.raises(AccountError, match="the key may not do this"):
        client.get("/v2/pods")


def test_a_422_lists_every_fault(server: Server, client: Client) -> None:
    """What RunPod's own check found is shown whole, and never tried again."""
    faults = ["$: additional properties 'bogus' not allowed", "$: missing property 'image'"]
    body = {"title": "x", "status": 422, "detail": "Request validation failed.", "errors": faults}
    server.on("POST /v2/pods", Reply(422, body))
    with pytest.raises(ProviderError, match=r"bogus.*missing property 'image'"):
        create(client)
    assert len(server.asked) == 1


BAD = {
    "500": problem(500, "upstream"),
    "502 page": Reply(502, raw=b"<html>bad gateway</html>"),
    "503": problem(503),
    "cut": Reply(cut=True),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_create_is_sent_once(server: Server, client: Client, clock: Clock, bad: Reply) -> None:
    """A lost answer may have made a machine: whoever asked looks for it, nothing asks again."""
    server.on("POST /v2/pods", bad, Reply(201, {"id": "late"}))
    with pytest.raises(UnreachableError):
        create(client)
    assert (len(server.asked), clock.slept) == (1, [])


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_what_changes_nothing_twice_is_tried_again(
    server: Server, client: Client, clock: Clock, bad: Reply, method: str
) -> None:
    """Reading, removing and starting go on by themselves after a fault, later and later."""
    server.on(f"{method} /v2/pods/a", bad, bad, Reply(200, {"id": "a"}))
    acts: dict[str, Callable[[], object]] = {
        "GET": lambda: client.get("/v2/pods/a"),
        "DELETE": lambda: client.delete("/v2/pods/a"),
        "POST": lambda: client.post("/v2/pods/a", {}, idempotent=True),
    }
    acts[method]()
    assert len(server.asked) == 3
    first, second = clock.slept
    assert 0.5 <= first <= 0.75
    assert 1.0 <= second <= 1.5


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_trying_again_has_an_end(server: Server, client: Client, bad: Reply) -> None:
    """A RunPod that stays silent is unreachable, which is not the same as gone."""
    server.on("GET /v2/pods", bad)
    with pytest.raises(UnreachableError):
        client.get("/v2/pods")
    assert len(server.asked) == TRIES


def test_nobody_listening_is_unreachable(clock: Clock) -> None:
    """A refused connection is our error, with the base URL in it."""
    client = Client(Account(KEY, "http://127.0.0.1:9"), sleep=clock.sleep, clock=clock)
    with pytest.raises(UnreachableError, match=r"http://127\.0\.0\.1:9 does not answer"):
        client.get("/v2/pods")


@pytest.mark.parametrize("act", [create, lambda client: client.get("/v2/pods")])
def test_a_429_is_waited_for(server: Server, clock: Clock, account: Account, act: Act) -> None:
    """It was refused before anything was done: the wait is what it says, is shown, and helps."""
    said: list[str] = []
    client = Client(account, said.append, clock.sleep, clock)
    for route in ("POST /v2/pods", "GET /v2/pods"):
        server.on(route, problem(429, "slow down", Retry_After="7"), Reply(200, {"id": "a"}))
    assert act(client) == {"id": "a"}
    assert clock.slept == [7.0]
    assert said == ["RunPod's rate limit is reached; trying again in 7 s"]


def test_the_longest_empty_window_is_waited_for(
    server: Server, client: Client, clock: Clock
) -> None:
    """Of several limits that are reached, the one that ends last decides."""
    empty = problem(429, "", Retry_After="1", RateLimit='"minute";r=0;t=20, "hour";r=0;t=50')
    server.on("GET /v2/pods", empty, Reply(200, {"pods": []}))
    client.get("/v2/pods")
    assert sum(clock.slept) == 50


@pytest.mark.parametrize("storm", ["5", "3600"])
def test_a_storm_of_429_has_an_end(
    server: Server, client: Client, clock: Clock, storm: str
) -> None:
    """One request waits no longer than its patience, and says then that RunPod is busy."""
    server.on("GET /v2/pods", problem(429, "rate limit exceeded", Retry_After=storm))
    with pytest.raises(UnreachableError, match="rate limit exceeded"):
        client.get("/v2/pods")
    assert sum(clock.slept) <= PATIENCE


def test_pace_is_kept_before_the_next_request(server: Server, client: Client, clock: Clock) -> None:
    """The headers of one answer hold back the request after it."""
    server.on("GET /v2/pods", Reply(200, {}, {"RateLimit": '"minute";r=1;t=6'}), Reply(200, {}))
    client.get("/v2/pods")
    client.get("/v2/pods")
    assert clock.slept == [3.0]


def test_a_page_instead_of_json_is_said(server: Server, client: Client) -> None:
    """A proxy's log-in page is no answer of RunPod's; a pod may have been made behind it."""
    server.on("GET /v2/pods", PAGE)
    server.on("POST /v2/pods", PAGE)
    with pytest.raises(UnreachableError, match="not RunPod's API"):
        client.get("/v2/pods")
    with pytest.raises(UnreachableError, match="not RunPod's API"):
        create(client)


def test_what_is_not_there_is_none(server: Server, client: Client) -> None:
    """Looking for what is gone gives None, and removing it is no fault."""
    assert client.get("/v2/pods/gone") is None
    client.delete("/v2/pods/gone")


@pytest.mark.parametrize(
    "page", [Reply(404, raw=b"<html>"), Reply(404), Reply(404, {"detail": "Not Found"})]
)
def test_only_runpod_can_say_gone(server: Server, client: Client, page: Reply) -> None:
    """A 404 of a proxy, or at a wrong address, is no proof that a machine has ended."""
    server.on("GET /v2/pods/a", page)
    server.on("DELETE /v2/pods/a", page)
    for act in (client.get, client.delete):
        with pytest.raises(UnreachableError, match="not RunPod's API"):
            act("/v2/pods/a")


def test_an_answer_without_a_body_is_fine(server: Server, client: Client) -> None:
    """A delete is answered with 204 and nothing else."""
    server.on("DELETE /v2/pods/a", Reply(204))
    client.delete("/v2/pods/a")
    assert len(server.asked) == 1


def test_lists_are_read_to_their_end(server: Server, client: Client) -> None:
    """Pages follow each other by cursor; a list without pagination is one page."""
    pages = [
        {"pods": [1, 2], "pagination": {"nextCursor": "b c", "hasNextPage": True}},
        {"pods": [3], "pagination": {"nextCursor": None, "hasNextPage": False}},
    ]
    server.on("GET /v2/pods", *(Reply(200, page) for page in pages))
    assert list(client.pages("/v2/pods", "pods", {"a": 1})) == [1, 2, 3]
    assert [one.query for one in server.asked] == [{"a": "1"}, {"a": "1", "cursor": "b c"}]
    server.on("GET /v2/pods", Reply(200, {"pods": [4]}))
    assert list(client.pages("/v2/pods", "pods")) == [4]


def test_a_list_that_goes_in_circles_ends(server: Server, client: Client) -> None:
    """A cursor that comes again is not followed again."""
    page = {"pods": [1], "pagination": {"nextCursor": "same", "hasNextPage": True}}
    server.on("GET /v2/pods", Reply(200, page))
    assert list(client.pages("/v2/pods", "pods")) == [1, 1]


@pytest.mark.parametrize("body", [{}, [], {"pods": None}, "text"])
def test_a_list_of_another_shape_is_refused(server: Server, client: Client, body: object) -> None:
    """No pods and no answer are not the same: what is no list must not read as empty."""
    server.on("GET /v2/pods", Reply(200, body))
    with pytest.raises(ProviderError, match="no list of pods"):
        list(client.pages("/v2/pods", "pods"))


def test_a_list_that_is_not_there_is_a_wrong_address(client: Client) -> None:
    """A base URL that leads elsewhere is no account without pods."""
    with pytest.raises(ProviderError, match="there is no http") as caught:
        list(client.pages("/v2/pods", "pods"))
    assert caught.value.hint == "check RUNPOD_API_BASE_URL"


def test_requests_say_who_asks(server: Server, client: Client) -> None:
    """The key travels as a bearer token, and RunPod's staff can see who called."""
    client.get("/v2/pods")
    headers = server.asked[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["user-agent"].startswith("longshore/")


def test_the_request_id_is_in_the_debug_log(
    server: Server, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """RunPod's staff can find a request by its id."""
    server.on("GET /v2/pods", Reply(200, {}, {"x-request-id": "req-42"}))
    with caplog.at_level(logging.DEBUG):
        client.get("/v2/pods")
    assert "req-42" in caplog.text


def test_the_key_is_never_shown(
    server: Server, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a log at any level, and not in an error, even when RunPod says it back."""
    server.on("GET /v2/pods", problem(401, f"bad token {KEY}"))
    server.on("GET /v2/a", Reply(cut=True))
    server.on("POST /v2/pods", problem(422, f"odd {KEY}"))
    with caplog.at_level(logging.DEBUG):
        said = [told(lambda: client.get("/v2/pods")), told(lambda: client.get("/v2/a"))]
        said.append(told(lambda: create(client)))
    assert "bad token …" in said[0]
    assert KEY not in " ".join([*said, caplog.text, repr(client)])


def told(act: Callable[[], object]) -> str:
    with pytest.raises(LongshoreError) as caught:
        act()
    return f"{caught.value} {caught.value.hint} {caught.value!r}"
