"""RunPod behind the boundary."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from ...configs import folders
from ...errors import NoCapacityError
from .. import catalog
from ..base import Capabilities, Machine, Need, Offer, Order
from . import settings


class RunpodProvider:
    """Pods of one RunPod account; made without a key, which is read when it is needed."""

    name: ClassVar[str] = "runpod"
    capabilities: ClassVar[Capabilities] = Capabilities(
        spot=True, bid=True, expose=True, interval=1.0, poll=1.0
    )

    def __init__(self, state: Path | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._state = state or folders.state()
        self._environ = environ

    def offers(self, need: Need) -> list[Offer]:
        return catalog.offers(need, ["runpod"])

    def needs_image(self, offer: Offer, need: Need) -> bool:
        return need.has_image

    def request(self, offer: Offer, order: Order) -> str:
        settings.Account.of(self._environ)
        raise NoCapacityError("no pod")

    def look(self, machine_id: str) -> Machine | None:
        settings.Account.of(self._environ)
        return None

    def list_owned(self) -> list[Machine]:
        return []

    def tear_down(self, machine_id: str) -> None:
        settings.Account.of(self._environ)
