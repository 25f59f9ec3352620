"""What stands before every route: faults to order, size, key, rate limits, request ids."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .faults import Fault
from .hub import Hub
from .problems import ProblemError

BODY_LIMIT = 102_400
BEHIND = "/_emulator"
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Lines = dict[tuple[str, int], asyncio.Transport]
"""Open connections by the client's address."""


class Front:
    """An ASGI application around the routes."""

    def __init__(self, app: App, hub: Hub, lines: Lines) -> None:
        self._app, self._hub, self._lines = app, hub, lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(BEHIND):
            await self._app(scope, receive, send)
            return
        body, whole = await _read(receive)
        fault = self._hub.faults.take(scope["method"], scope["path"], body)
        if fault is None:
            await self._serve(scope, body, whole, receive, send)
        else:
            await self._serve_faulty(fault, scope, body, receive, send)

    async def _serve_faulty(
        self, fault: Fault, scope: Scope, body: bytes, receive: Receive, send: Send
    ) -> None:
        await asyncio.sleep(fault.delay)
        if fault.kind == "answer":
            await _answer(send, fault.status, _words(fault), fault.headers | _request_id())
            return
        if fault.kind == "drop":
            await self._break(scope)
            return
        outcome = {"lost": self._lose, "cut": self._cut(fault, scope, send)}
        await self._serve(scope, body, True, receive, outcome.get(fault.kind, send))
        if fault.kind == "lost":
            await self._break(scope)

    async def _serve(
        self, scope: Scope, body: bytes, whole: bool, receive: Receive, send: Send
    ) -> None:
        headers = _request_id()
        if scope["path"].startswith("/v2"):
            try:
                self._admit(scope, whole, headers)
            except ProblemError as problem:
                headers |= problem.headers
                await _answer(send, problem.status, json.dumps(problem.body()), headers)
                return
        await self._app(scope, _replay(body, receive), _with_headers(send, headers))

    def _admit(self, scope: Scope, whole: bool, headers: dict[str, str]) -> None:
        """Size first, then the key, then its limits; adds what the answer's headers tell."""
        if not whole:
            raise ProblemError(413, f"request body exceeds {BODY_LIMIT} bytes")
        self._know(dict(scope["headers"]).get(b"authorization", b"").decode())
        now = self._hub.now()
        window = self._hub.limits.count(now)
        headers |= self._hub.limits.headers(now)
        if window:
            wait = str(self._hub.limits.retry_after(window, now))
            detail = f"rate limit exceeded for the {window} window"
            raise ProblemError(429, detail, headers={"Retry-After": wait})

    def _know(self, words: str) -> None:
        """The account's key only: a pod's own key opens GraphQL, and nothing here."""
        kind, _, key = words.partition(" ")
        if kind.lower() != "bearer" or not key:
            raise ProblemError(401, "missing bearer token")
        if any(pod.key == key for pod in self._hub.world.every_pod()):
            raise ProblemError(403, "access denied")
        if key != self._hub.world.account.key:
            raise ProblemError(401, "invalid bearer token")

    async def _lose(self, message: Message) -> None:
        """Take an answer, and tell nobody."""

    def _cut(self, fault: Fault, scope: Scope, send: Send) -> Send:
        left = [fault.after]

        async def outcome(message: Message) -> None:
            if message["type"] == "http.response.body":
                part = message.get("body", b"")[: left[0]]
                left[0] -= len(part)
                await send({**message, "body": part, "more_body": True})
                if left[0] == 0:
                    await asyncio.sleep(0.05)
                    await self._break(scope)
            else:
                await send(message)

        return outcome

    async def _break(self, scope: Scope) -> None:
        line = self._lines.get(tuple(scope["client"]))
        if line is not None:
            line.abort()
        await asyncio.sleep(0.01)


async def _read(receive: Receive) -> tuple[bytes, bool]:
    """The body, and whether it is all of it: it may be too big to be read."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_LIMIT:
            return body, False
    return body, True


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body once more, then what the connection tells."""
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return parts.pop() if parts else await receive()

    return again


def _with_headers(send: Send, headers: dict[str, str]) -> Send:
    extra = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def outcome(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return outcome


async def _answer(send: Send, status: int, body: str, headers: dict[str, str]) -> None:
    data = body.encode()
    fields = {
        "content-type": "application/problem+json",
        "content-length": str(len(data)),
        **{name.lower(): value for name, value in headers.items()},
    }
    raw = [(name.encode(), value.encode()) for name, value in fields.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": data})


def _words(fault: Fault) -> str:
    if fault.body is not None:
        return fault.body
    return json.dumps(ProblemError(fault.status, fault.detail).body())


def _request_id() -> dict[str, str]:
    return {"x-request-id": str(uuid.uuid4())}
