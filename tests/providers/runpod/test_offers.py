"""What is offered, in which order, and what is said where there is nothing."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from longshore.configs.spec import Gpu, Runpod
from longshore.errors import NoCapacityError, NoOfferError
from longshore.providers.base import Need, Offer
from longshore.providers.runpod.disks import Disks
from longshore.providers.runpod.listing import listed
from longshore.providers.runpod.offers import fitting
from longshore.providers.runpod.sales import CLOUDS, Sale

from .listings import B200, CATALOG, FREE, RTX_3070, RTX_4090, SLICE, UNKNOWN, centers, gpu

TODAY = date(2026, 11, 21)
DISKS = Decimal("0.008219")
"""40 GB and 20 GB at 0.10 USD per GB-month of 730 hours."""


def sales(*items: dict[str, Any]) -> list[Sale]:
    catalog = items or CATALOG
    return [sale for cloud in CLOUDS for sale in listed(catalog, cloud, "live", TODAY)]


def offers(need: Need, *items: dict[str, Any], home: str = "") -> list[Offer]:
    return fitting(sales(*items), need, home)


def need(name: str = "RTX 4090", count: int = 1, **runpod: Any) -> Need:
    return Need(gpu=Gpu(name, count), runpod=Runpod(**runpod))


def test_an_offer_is_whole() -> None:
    """It has RunPod's id for the request, our name for the estimate, and all of its price."""
    cheapest, dearer = offers(need())
    assert cheapest == Offer(
        provider="runpod",
        region="anywhere",
        instance="NVIDIA GeForce RTX 4090",
        gpu="RTX 4090",
        gpu_count=1,
        market="on-demand",
        usd_per_hour=Decimal("0.34") + DISKS,
        source="live",
        as_of=TODAY,
        zone="community",
        vram_mib=24 * 1024,
        stock="medium",
        disk_usd_per_hour=DISKS,
    )
    assert (dearer.zone, dearer.usd_per_gpu_hour) == ("secure", Decimal("0.69"))


@pytest.mark.parametrize(
    ("trap", "cloud"),
    [(B200, "community"), (RTX_3070, "secure"), (FREE, "secure"), (UNKNOWN, "secure")],
)
def test_placeholder_prices_are_no_offers(trap: dict[str, Any], cloud: str) -> None:
    """A price counts where its cloud sells the GPU, and above 0: no B200 goes for 0.50 USD."""
    assert cloud not in [sale.cloud for sale in sales(trap)]


@pytest.mark.parametrize("trap", [UNKNOWN, SLICE, gpu("NVIDIA X1", "X1", 24)])
def test_what_is_no_known_gpu_is_left_out(trap: dict[str, Any]) -> None:
    """Without facts on a GPU nothing can be planned; a slice of one is not that one."""
    assert sales(trap) == []


def test_another_memory_is_another_gpu() -> None:
    """A listing whose memory does not fit its name is not believed."""
    assert sales({**RTX_4090, "memory": 48}) == []
    assert sales(gpu("NVIDIA H200 NVL", "NVIDIA H200 NVL", 143))


def test_several_kinds_are_tried_by_price_and_said_aloud() -> None:
    """A name that means several GPUs is all of them, the cheapest first."""
    found = offers(need("H100"))
    assert [offer.gpu for offer in found] == ["H100-PCIe", "H100-NVL", "H100-SXM"]
    assert {offer.note for offer in found} == {
        "'H100' names H100-NVL, H100-PCIe, H100-SXM: all are tried by price"
    }
    assert [offer.note for offer in offers(need("H100-SXM"))] == [""]


def test_no_gpu_named_is_any_that_torch_runs_on() -> None:
    """The cheapest with stock comes first; one without is left out."""
    found = offers(Need())
    assert [offer.gpu for offer in found[:2]] == ["RTX 3070", "RTX 4090"]
    assert "A40" not in [offer.gpu for offer in found]


@pytest.mark.parametrize("count", [2, 4])
def test_several_gpus_cost_so_many_times(count: int) -> None:
    """The catalog's price is for one GPU; the disks are there once."""
    found = offers(need(count=count))[0]
    assert (found.gpu_count, found.usd_per_hour) == (count, Decimal("0.34") * count + DISKS)
    assert found.usd_per_gpu_hour == Decimal("0.34")


def test_no_machine_has_more_than_its_cloud_allows() -> None:
    """The most in one machine differs between the clouds; beyond both, that is said."""
    assert {offer.zone for offer in offers(need(count=5))} == {"secure"}
    with pytest.raises(NoOfferError, match="at most 8 RTX 4090, not 9"):
        offers(need(count=9))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_job_may_insist_on_a_cloud(cloud: Any) -> None:
    """runpod.cloud keeps the other out."""
    assert {offer.zone for offer in offers(need(cloud=cloud))} == {cloud}


def test_a_cloud_that_does_not_sell_it_is_said() -> None:
    """The other cloud is named: it is a setting away."""
    with pytest.raises(NoOfferError, match="RTX 3070 only in its community cloud") as caught:
        offers(need("RTX 3070", cloud="secure"))
    assert "runpod.cloud" in caught.value.hint


def test_data_centers_are_tried_by_price_then_in_their_order() -> None:
    """One offer for each that has it, with its own stock; one without stock is left out."""
    found = offers(need(data_centers=("US-TX-3", "EU-SE-1", "EU-RO-1")))
    assert [(offer.zone, offer.region, offer.stock) for offer in found] == [
        ("community", "US-TX-3", "low"),
        ("community", "EU-RO-1", "medium"),
        ("secure", "US-TX-3", "low"),
        ("secure", "EU-RO-1", "medium"),
    ]


def test_the_network_volume_pins_the_place() -> None:
    """Only the secure cloud, and only the volume's data center; there is no volume of the pod's."""
    (found,) = offers(need(volume="vol"), home="EU-RO-1")
    assert (found.zone, found.region) == ("secure", "EU-RO-1")
    assert found.disk_usd_per_hour == Decimal("0.005479")


def test_a_volume_elsewhere_is_said() -> None:
    """Data centers that leave the volume's out cannot be served."""
    with pytest.raises(NoOfferError, match=r"is in EU-RO-1, which runpod\.data_centers"):
        offers(need(volume="vol", data_centers=("US-TX-3",)), home="EU-RO-1")


@pytest.mark.parametrize(
    ("asked", "hint"), [("RTX 4091", "did you mean 'RTX 4090'?"), ("Voodoo", "there are: ")]
)
def test_an_unknown_gpu_is_answered_with_a_near_one(asked: str, hint: str) -> None:
    """A slip of the pen is told, with the name that was meant."""
    with pytest.raises(NoOfferError, match=f"RunPod has no {asked}") as caught:
        offers(need(asked))
    assert caught.value.hint.startswith(hint)
    assert not isinstance(caught.value, NoCapacityError)


def test_no_stock_names_what_there_is() -> None:
    """Nothing free now can be waited for; the nearest that is free is named with its price."""
    with pytest.raises(NoCapacityError, match="no A40 free anywhere") as caught:
        offers(need("A40"))
    assert caught.value.hint == (
        "there is H100-PCIe in secure at 2.89 USD a GPU-hour (stock high); "
        "H100-NVL in secure at 3.19 USD a GPU-hour (stock high); "
        "H100-SXM in secure at 3.29 USD a GPU-hour (stock high)"
    )


def test_no_stock_here_names_elsewhere_first() -> None:
    """The same GPU in another data center is nearer than another GPU."""
    with pytest.raises(NoCapacityError, match="no RTX 4090 free in EU-SE-1, XX-1") as caught:
        offers(need(data_centers=("EU-SE-1", "XX-1"), cloud="secure"))
    assert caught.value.hint.startswith(
        "there is RTX 4090 in EU-RO-1 at 0.69 USD a GPU-hour (stock medium); RTX 4090 in US-TX-3"
    )


def test_stock_that_is_not_told_is_no_reason_to_leave_out() -> None:
    """A catalog without stock still sells."""
    plain = {name: value for name, value in RTX_4090.items() if name != "availability"}
    assert offers(need(), {**plain, "dataCenters": []})[0].stock == ""


def test_equal_prices_go_by_stock() -> None:
    """Where the money is the same, the place that has more is asked first."""
    both = {"secure": True, "community": True, "price": {"secure": 1, "community": 1}}
    few = gpu("NVIDIA H100 PCIe", "H100 PCIe", 80, **both, availability="LOW")
    many = gpu("NVIDIA H100 80GB HBM3", "H100 SXM", 80, **both, availability="HIGH")
    assert [offer.stock for offer in offers(need("H100"), few, many)] == ["high"] * 2 + ["low"] * 2


def test_a_job_for_spot_alone_learns_that_bids_end() -> None:
    """Without a bid to be had, the message says so and names the way that works."""
    with pytest.raises(NoCapacityError, match="accepts no bids for RTX 4090") as caught:
        offers(Need(gpu=Gpu("RTX 4090"), spot="only"))
    assert "prefer" in caught.value.hint


@pytest.mark.parametrize(
    ("asked", "volume", "disks"),
    [
        (None, None, Disks(40, 20)),
        (100 * 10**9, None, Disks(100, 100)),
        (100 * 10**9 + 1, None, Disks(101, 101)),
        (3 * 10**9, None, Disks(3, 10)),
        (50 * 10**9, "vol", Disks(50, 0)),
    ],
)
def test_disks_are_as_large_as_asked(asked: int | None, volume: str | None, disks: Disks) -> None:
    """Whole GB, upwards; never below RunPod's least; no own volume beside a network volume."""
    assert Disks.of(Need(disk=asked, runpod=Runpod(volume=volume))) == disks


def test_centers_are_read_by_id() -> None:
    """The table above speaks of data centers as RunPod names them."""
    assert centers(EU_RO_1="LOW")[0]["id"] == "EU-RO-1"
