"""Rules of the bundled prices: each trap in their sources stays out of the offers."""

import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from longshore.configs.gpus import catalogue
from longshore.configs.spec import Gpu, Spot
from longshore.errors import DataError, ProviderError
from longshore.providers import catalog
from longshore.providers.base import Need, Offer
from longshore.providers.price_tables import PRICES, aws, runpod

BOTH = ("runpod", "aws")


def offers(gpu: str | None = None, spot: Spot = "never", count: int = 1) -> list[Offer]:
    need = Need(gpu=Gpu(gpu, count) if gpu else None, spot=spot)
    return catalog.offers(need, BOTH)


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """A copy of the price files that a test may spoil."""
    return Path(shutil.copytree(PRICES, tmp_path / "prices"))


@pytest.mark.parametrize(
    ("gpu", "cheapest"),
    [("B200", "5.89"), ("MI300X", "2.49"), ("RTX 3070", "0.13"), ("L40S", "0.79")],
)
def test_a_placeholder_is_no_price(gpu: str, cheapest: str) -> None:
    """RunPod answers 0 or 0.50 for a cloud that does not sell the GPU; no offer is made of that."""
    found = [offer for offer in offers(gpu) if offer.provider == "runpod"]
    assert found[0].usd_per_hour == Decimal(cheapest)


def test_a_blank_and_a_zero_are_no_price(prices: Path) -> None:
    """A GPU whose cells are all blank or 0 has no offer."""
    head = (
        "# source\ngpu_id,display_name,vram_gb,secure_2026_mid,secure_2025_06,community_2025_06\n"
    )
    rows = "NVIDIA L4,L4,24,0,,0.0\nNVIDIA L40S,L40S,48,,0.86,\n"
    (prices / "runpod.csv").write_text(head + rows)
    assert [(offer.gpu, offer.region) for offer in runpod(prices)] == [("L40S", "secure")]


def test_the_newer_column_of_a_cloud_counts() -> None:
    """A price carries the date of the column it came from."""
    found = {offer.region: offer for offer in offers("RTX 5090") if offer.provider == "runpod"}
    assert (found["secure"].usd_per_hour, found["secure"].as_of) == (
        Decimal("0.99"),
        date(2026, 6, 15),
    )
    assert (found["community"].usd_per_hour, found["community"].as_of) == (
        Decimal("0.69"),
        date(2025, 6, 21),
    )


def test_runpod_has_no_spot() -> None:
    """RunPod withdrew spot: its old columns make no offer."""
    assert {offer.provider for offer in offers(spot="only")} == {"aws"}


def test_a_spot_price_at_the_cap_is_no_discount() -> None:
    """g5.12xlarge in ap-northeast-1 az4 has spot equal to on-demand: az1 is offered, az4 is not."""
    found = {
        offer.zone
        for offer in aws(PRICES)
        if (offer.instance, offer.region, offer.market) == ("g5.12xlarge", "ap-northeast-1", "spot")
    }
    assert found == {"az1"}


def test_no_offer_is_free() -> None:
    """A missing spot price is not zero."""
    assert all(offer.usd_per_hour > 0 for offer in [*aws(PRICES), *runpod(PRICES)])


def test_no_spot_row_without_a_price() -> None:
    """p5e.48xlarge in us-east-2 az2 has no spot price: only the other two zones are offered."""
    found = {
        offer.zone
        for offer in aws(PRICES)
        if (offer.instance, offer.region) == ("p5e.48xlarge", "us-east-2")
    }
    assert found == {"az1", "az3"}


def test_p5e_is_not_sold_on_demand() -> None:
    """p5e has no on-demand price anywhere: it exists as spot only."""
    markets = {offer.market for offer in aws(PRICES) if offer.instance.startswith("p5e.")}
    assert markets == {"spot"}


@pytest.mark.parametrize("family", ["g6f", "gr6f", "g5g", "g4ad", "g3", "p2"])
def test_families_that_cannot_train_are_not_offered(prices: Path, family: str) -> None:
    """Fractions of a GPU, arm64, Radeon and what is too old for torch make no offer at all."""
    with (prices / "aws_types.csv").open("a") as file:
        file.write(f"{family}.test,amd64,4,16.0,x,nvidia,1,16384,,,,0.01\n")
    assert "g5.xlarge" in {offer.instance for offer in aws(prices)}
    assert not [offer for offer in aws(prices) if offer.instance.startswith(f"{family}.")]


@pytest.mark.parametrize("gpu", ["MI300X", "V100-16GB", "V100-32GB", "V100-PCIE-16GB"])
def test_any_gpu_runs_torchs_cuda_wheels(gpu: str) -> None:
    """Without a GPU named, neither AMD's nor one older than Turing is picked."""
    assert gpu in {offer.gpu for offer in runpod(PRICES)}
    assert gpu not in {offer.gpu for offer in offers()}


def test_every_gpu_is_in_the_table() -> None:
    """An offer's GPU is the name of one kind in `gpus.csv`."""
    found = {offer.gpu for offer in [*aws(PRICES), *runpod(PRICES)]}
    assert found <= {kind.name for kind in catalogue()}


def test_a_named_gpu_is_offered_though_old() -> None:
    """Who asks for an MI300X by name gets its offers."""
    assert offers("MI300X")


def test_any_gpu_means_one() -> None:
    """Without a GPU named, machines with several are not offered."""
    assert {offer.gpu_count for offer in offers(spot="prefer")} == {1}


@pytest.mark.parametrize("zone", ["lax1-az1", "atl2-az1"])
def test_local_zones_are_not_offered(zone: str) -> None:
    """Local Zones look cheapest and need an opt-in: the file has them, the offers do not."""
    assert zone in (PRICES / "aws_by_zone.csv").read_text()
    assert zone not in {offer.zone for offer in aws(PRICES)}


@pytest.mark.parametrize(
    ("gpu", "mib"), [("A10G", 22_888), ("L4", 22_888), ("L40S", 45_776), ("A40", 49_152)]
)
def test_memory_is_what_the_driver_reports(gpu: str, mib: int) -> None:
    """Memory is in MiB as reported, the same at every provider, not the GB on the box."""
    assert {offer.vram_mib for offer in offers(gpu, "prefer")} == {mib}


@pytest.mark.parametrize(
    ("gpu", "count", "expected"),
    [("RTX 4090", 2, "0.68"), ("A40", 8, "3.52"), ("RTX 4090", 1, "0.34")],
)
def test_a_pod_costs_by_the_gpu(gpu: str, count: int, expected: str) -> None:
    """RunPod's price is for one GPU; the offer's is for the whole machine."""
    cheapest = offers(gpu, count=count)[0]
    assert (cheapest.gpu_count, cheapest.usd_per_hour) == (count, Decimal(expected))


def test_an_instance_with_more_gpus_than_asked_is_offered() -> None:
    """AWS sells the A100-40GB in eights only; one who asks for one may have eight."""
    assert {offer.gpu_count for offer in offers("A100-40GB")} == {8}


def test_a_family_name_offers_all_its_kinds() -> None:
    """A100-80GB is PCIe and SXM; the price decides."""
    assert {offer.gpu for offer in offers("A100-80GB")} == {"A100-80GB-PCIe", "A100-80GB-SXM"}


def test_no_more_gpus_than_anyone_sells() -> None:
    """Sixteen on one machine: nothing."""
    assert offers("L40S", count=16) == []


@pytest.mark.parametrize(
    ("spot", "markets"),
    [("never", {"on-demand"}), ("prefer", {"on-demand", "spot"}), ("only", {"spot"})],
)
def test_the_market_asked_for(spot: Spot, markets: set[str]) -> None:
    """`spot` decides which markets are offered."""
    assert {offer.market for offer in offers("L40S", spot)} == markets


def test_cheapest_first() -> None:
    """Offers come in the order of their price."""
    found = [offer.usd_per_hour for offer in offers(spot="prefer")]
    assert len(found) > 100
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("need", "fits"),
    [
        (Need(gpu=Gpu("T4"), cpus=8), lambda offer: offer.vcpus >= 8),
        (Need(gpu=Gpu("T4"), memory=32 * 2**30), lambda offer: offer.memory_mib >= 32 * 1024),
    ],
)
def test_cpus_and_memory_asked_for(need: Need, fits: Callable[[Offer], bool]) -> None:
    """A machine that is known to have less than asked for is not offered."""
    found = catalog.offers(need, ["aws"])
    assert found
    assert all(fits(offer) for offer in found)


def test_spot_offers_carry_the_interruption_band() -> None:
    """g6.xlarge in eu-south-2 has a band in the advisor's feed."""
    bands = {offer.interruption_band for offer in offers("T4", "only")}
    assert "" not in bands
    assert bands <= {"<5%", "5-10%", "10-15%", "15-20%", ">20%"}


def test_every_offer_says_where_its_price_is_from() -> None:
    """Source and date are never left out, and no date lies after the bundle was made."""
    found = [*aws(PRICES), *runpod(PRICES)]
    assert {offer.source for offer in found} == {"bundled"}
    assert max(offer.as_of for offer in found) == date(2026, 7, 20)


def test_unknown_provider() -> None:
    """A provider without bundled prices is named, with the nearest that has them."""
    with pytest.raises(ProviderError, match="'runpd'") as fault:
        catalog.offers(Need(), ["runpd"])
    assert "runpod" in fault.value.hint


@pytest.mark.parametrize(
    ("file", "spoilt", "message"),
    [
        ("runpod.csv", b"# s\ngpu_id,vram_gb\nNVIDIA L4,24\n", "runpod.csv:3: no column"),
        ("runpod.csv", b"# s\ngpu_id,secure_2026_mid\nNVIDIA L4,cheap\n", "3: secure_2026_mid is"),
        ("runpod.csv", b"# s\ngpu_id,secure_2026_mid\nNVIDIA L4,-1\n", "3: secure_2026_mid is"),
        ("runpod.csv", b"# s\ngpu_id,secure_2026_mid\nNVIDIA L4,NaN\n", "3: secure_2026_mid is"),
        ("runpod.csv", b"# s\ngpu_id,secure_2026_mid\nNVIDIA L4\n", "3: wrong number of columns"),
        ("runpod.csv", b"# s\ngpu_id,secure_2026_mid\nL4,1,2\n", "3: wrong number of columns"),
        ("runpod.csv", b"# s\ngpu_id\n\xff\xfe\n", "runpod.csv: "),
        ("runpod.csv", None, "runpod.csv: "),
        ("aws_types.csv", b"# s\nvcpus\n4\n", "aws_types.csv:3: no column 'instance_type'"),
        ("aws_spot_advisor.csv", b"# s\nregion\nus-east-1\n", "aws_spot_advisor.csv:3: no column"),
    ],
)
def test_a_broken_price_file_is_one_line(
    prices: Path, file: str, spoilt: bytes | None, message: str
) -> None:
    """File, line and what is wrong there; the hint says how to mend it."""
    (prices / file).unlink()
    if spoilt is not None:
        (prices / file).write_bytes(spoilt)
    with pytest.raises(DataError, match="price file") as fault:
        catalog.offers(Need(), BOTH, prices)
    assert message in str(fault.value)
    assert "\n" not in str(fault.value)
    assert fault.value.hint == "install longshore again to restore it"
