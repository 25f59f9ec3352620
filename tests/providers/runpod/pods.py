"""Our pod as RunPod shows it, and the offer and order that it was made for."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from longshore.configs.spec import Gpu
from longshore.providers.base import Need, Offer, Order

from .listings import RTX_4090
from .server import Reply

NAME = "longshore-quick-otter-1"
OWNER = "ada@desk/1f"
NEED = Need(gpu=Gpu("RTX 4090"), has_image=False)
ORDER = Order("quick-otter", 1, OWNER, NEED)
LINE = json.dumps({"ts": "2026-11-21T00:00:00Z", "source": "system", "line": "image not found"})
FRAME = Reply(200, raw=f"id: 1\ndata: {LINE}\n\n".encode())
DIRECT = {"direct": {"host": "127.0.0.1", "port": 10022}}
PRICES = {"minimumBidPrice": 0.3, "uninterruptablePrice": 0.69, "stockStatus": "High"}
FLOORS = {"gpuTypes": [{"id": RTX_4090["id"], "displayName": "RTX 4090", "secure0": PRICES}]}
"""The lowest bid for the offer's GPU, as GraphQL tells it."""


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


def owned(state: Path) -> None:
    state.mkdir(parents=True, exist_ok=True)
    (state / "owner").write_text(OWNER)
