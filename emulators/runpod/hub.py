"""What every route needs, and the few things that all of them do alike."""

import base64
import json
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from .cloud import Cloud
from .faults import Faults
from .limits import Limits
from .problems import ProblemError
from .state import World

PAGE_SIZE = 100


@dataclass
class Hub:
    cloud: Cloud
    faults: Faults = field(default_factory=Faults)
    limits: Limits = field(default_factory=Limits)
    page_size: int = PAGE_SIZE

    @property
    def world(self) -> World:
        return self.cloud.ground.world

    def now(self) -> float:
        return self.cloud.now()

    def page(self, name: str, items: list[Any], cursor: str | None) -> dict[str, Any]:
        """A list as RunPod wraps it, with the way to the rest."""
        start = _place(cursor)
        end = start + self.page_size
        more = end < len(items)
        pagination = {"nextCursor": _cursor(end) if more else None, "hasNextPage": more}
        return {name: items[start:end], "pagination": pagination}


def hub_of(request: Request) -> Hub:
    found = request.app.state.hub
    assert isinstance(found, Hub)
    return found


async def body_of(request: Request) -> object:
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise ProblemError(400, "request body is not valid JSON") from error


TheHub = Annotated[Hub, Depends(hub_of)]
TheBody = Annotated[object, Depends(body_of)]


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"after:{place}".encode()).decode()


def _place(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("after:"))
    except ValueError as error:
        raise ProblemError(400, "invalid cursor") from error
