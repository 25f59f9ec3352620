"""A pod's logs as Server-Sent Events: no headers before the first line, and no end."""

import asyncio
import json
from collections.abc import Callable

from fastapi import Response

from .clock import moment, stamp
from .front import Receive, Scope, Send
from .logs import Line, Log
from .problems import ProblemError

POLL_SECONDS = 0.05
HEADERS = {"cache-control": "no-cache", "connection": "keep-alive", "x-accel-buffering": "no"}


class LogStream(Response):
    """Sends `first`, then what comes after line number `seen`, until the client goes."""

    def __init__(self, log: Log, sources: tuple[str, ...], first: list[Line], seen: int) -> None:
        super().__init__(headers=HEADERS, media_type="text/event-stream")
        del self.headers["content-length"]
        self._log, self._sources, self._first, self._seen = log, sources, first, seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_gone(receive))
        try:
            await self._send_all(send, gone.done)
        finally:
            gone.cancel()

    async def _send_all(self, send: Send, gone: Callable[[], bool]) -> None:
        seen, lines, begun = self._seen, self._first, False
        while not gone():
            if lines and not begun:
                start = {"status": self.status_code, "headers": self.raw_headers}
                await send({"type": "http.response.start", **start})
                begun = True
            for line in lines:
                frame = _frame(line).encode()
                await send({"type": "http.response.body", "body": frame, "more_body": True})
            await asyncio.sleep(POLL_SECONDS)
            lines = self._log.after(seen, self._sources)
            seen = max([seen, *(line.number for line in lines)])


def chosen(
    log: Log, sources: tuple[str, ...], tail: int, since: str | None, last_id: str | None
) -> list[Line]:
    """The lines to begin with: Last-Event-ID beats `since`, and that beats `tail`."""
    try:
        if last_id:
            when, _, number = last_id.partition("/")
            if number:
                return log.after(int(number), sources)
            return [line for line in log.since(moment(when), sources) if line.at > moment(when)]
        if since:
            return log.since(moment(since), sources)
    except ValueError as error:
        raise ProblemError(422, "Request validation failed.", ["$: not a date-time"]) from error
    return log.tail(tail, sources)


def _frame(line: Line) -> str:
    data = {"ts": stamp(line.at), "source": line.source, "line": line.text}
    return f"id: {line.event_id}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
