"""The body of a create call, whole, for each kind of job."""

import base64
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from longshore.configs.spec import Gpu, Runpod
from longshore.providers.base import Need, Offer, Order
from longshore.providers.runpod.creation import Given, pod

OFFER = Offer(
    provider="runpod",
    region="anywhere",
    instance="NVIDIA GeForce RTX 4090",
    gpu="RTX 4090",
    gpu_count=1,
    market="on-demand",
    usd_per_hour=Decimal("0.70"),
    source="live",
    as_of=date(2026, 11, 21),
    zone="secure",
)
NEED = Need(gpu=Gpu("RTX 4090"), has_image=True)
ORDER = Order("quick-otter", 2, "ada@desk/1f", NEED, "r.io/job@sha256:00", seconds=7200, idle=600)
GIVEN = Given("ssh-ed25519 AAAA", "HOST KEY\n", '#!/bin/bash\necho "boot"\n')
ENV = {
    "LONGSHORE_POD": "1",
    "LONGSHORE_NAME": "longshore-quick-otter-2",
    "LONGSHORE_OWNER": "ada@desk/1f",
    "LONGSHORE_HOST_KEY": base64.b64encode(b"HOST KEY\n").decode(),
    "LONGSHORE_LIFETIME": "7200",
    "LONGSHORE_IDLE": "600",
    "LONGSHORE_VOLUME": "/longshore-volume",
    "PUBLIC_KEY": "ssh-ed25519 AAAA",
}
BODY = {
    "name": "longshore-quick-otter-2",
    "image": "r.io/job@sha256:00",
    "gpu": {"id": "NVIDIA GeForce RTX 4090", "count": 1, "minCudaVersion": "13.0"},
    "cloud": "SECURE",
    "disk": 40,
    "mounts": {"persistent": {"size": 20, "path": "/longshore-volume"}},
    "ports": ["22/tcp"],
    "env": ENV,
}


def test_a_job_with_an_image_of_its_own() -> None:
    """Its entrypoint does it all, so no command is sent; count and disk always are."""
    assert pod(OFFER, ORDER, GIVEN).body() == BODY


def test_a_job_without_a_registry() -> None:
    """The public image runs our boot script, which travels in the environment."""
    order = replace(ORDER, image=None, need=replace(NEED, has_image=False))
    assert pod(OFFER, order, GIVEN).body() == BODY | {
        "image": Runpod().base,
        "args": "bash -c 'eval \"$LONGSHORE_BOOT\"'",
        "env": ENV | {"LONGSHORE_BOOT": GIVEN.boot},
    }


def changed(**facts: Any) -> Order:
    return replace(ORDER, need=replace(NEED, **facts))


@pytest.mark.parametrize(
    ("offer", "order", "given", "differs"),
    [
        (replace(OFFER, zone="community"), ORDER, GIVEN, {"cloud": "COMMUNITY"}),
        (replace(OFFER, region="EU-RO-1"), ORDER, GIVEN, {"dataCenterIds": ["EU-RO-1"]}),
        (OFFER, ORDER, replace(GIVEN, registry="reg_1"), {"registry": "reg_1"}),
        (
            OFFER,
            changed(runpod=Runpod(volume="data")),
            replace(GIVEN, volume="vol1"),
            {"mounts": {"network": [{"volumeId": "vol1", "path": "/longshore-volume"}]}},
        ),
        (
            OFFER,
            changed(disk=80 * 10**9),
            GIVEN,
            {"disk": 80, "mounts": {"persistent": {"size": 80, "path": "/longshore-volume"}}},
        ),
        (OFFER, changed(device="cpu"), GIVEN, {"gpu": {"id": OFFER.instance, "count": 1}}),
        (
            OFFER,
            changed(runpod=Runpod(min_cuda=None)),
            GIVEN,
            {"gpu": {"id": OFFER.instance, "count": 1}},
        ),
        (
            replace(OFFER, gpu_count=2),
            changed(memory=65 * 10**9, cpus=9, device="cpu"),
            GIVEN,
            {
                "gpu": {
                    "id": OFFER.instance,
                    "count": 2,
                    "minRamPerGpu": 33,
                    "minVcpuCountPerGpu": 5,
                }
            },
        ),
    ],
    ids=["cloud", "center", "registry", "volume", "disk", "cpu", "any cuda", "machine"],
)
def test_what_the_job_and_the_offer_change(
    offer: Offer, order: Order, given: Given, differs: dict[str, Any]
) -> None:
    """Each setting changes its own field and no other."""
    assert pod(offer, order, given).body() == BODY | differs
