"""What this machine offers: which runtime, at what price, and what it says when it cannot."""

import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from longshore.configs.spec import Gpu, JobSpec, Local
from longshore.errors import NoEngineError, NoOfferError, ProviderError
from longshore.providers.base import Need
from longshore.providers.local import LocalProvider
from longshore.providers.local.hardware import GpuHere, gpus_in

BARE = Need(runtime="process", watts=300.0, usd_per_kwh=Decimal("0.40"))


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine whose driver lists two cards of one kind."""
    tool = tmp_path / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    row = "NVIDIA GeForce RTX 4090, 24564"
    tool.write_text(f"#!/bin/sh\nprintf '{row}\\n{row}\\n'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def test_power_is_the_price(tmp_path: Path) -> None:
    """An hour costs what the machine draws: watts times the price of a kilowatt-hour."""
    (offer,) = LocalProvider(tmp_path).offers(BARE)
    assert offer.usd_per_hour == Decimal("0.12")
    assert (offer.market, offer.source, offer.instance) == ("own", "settings", "process")


def test_a_need_carries_the_users_power() -> None:
    """Watts and tariff come from the `local` section of the job."""
    need = Need.of(JobSpec("x", local=Local(watts=55.5, usd_per_kwh=Decimal("0.31"))))
    assert (need.watts, need.usd_per_kwh) == (55.5, Decimal("0.31"))


def test_what_is_not_kept_is_said(tmp_path: Path) -> None:
    """The process runtime says that it holds nobody to a limit."""
    (offer,) = LocalProvider(tmp_path).offers(BARE)
    assert "CPUs and memory are not limited" in offer.note


@pytest.mark.usefixtures("no_engine")
def test_without_an_engine_the_process_runs(tmp_path: Path) -> None:
    """`auto` takes the process where there is no engine, and needs no image for it."""
    provider = LocalProvider(tmp_path)
    (offer,) = provider.offers(replace(BARE, runtime="auto"))
    assert offer.instance == "process"
    assert not provider.needs_image(offer, Need())
    assert provider.list_owned() == []
    assert provider.look("longshore-nobody-1") is None


@pytest.mark.usefixtures("no_engine")
def test_docker_asked_for_and_not_there(tmp_path: Path) -> None:
    """Whoever asks for Docker is told how to get it, not given something else."""
    with pytest.raises(NoEngineError) as caught:
        LocalProvider(tmp_path).offers(replace(BARE, runtime="docker"))
    assert caught.value.hint


@pytest.mark.docker
@pytest.mark.usefixtures("engine")
def test_with_an_engine_the_container_comes_first(tmp_path: Path) -> None:
    """`auto` prefers the container, and leaves the process as the second choice."""
    provider = LocalProvider(tmp_path)
    offers = provider.offers(replace(BARE, runtime="auto"))
    assert [offer.instance for offer in offers] == ["docker", "process"]
    assert provider.needs_image(offers[0], Need())


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize("asked", [Gpu("RTX 4090"), Gpu("RTX 4090", 2)])
def test_a_gpu_that_is_here_is_offered(asked: Gpu, tmp_path: Path) -> None:
    """The driver's word is known by its name in the catalogue."""
    (offer,) = LocalProvider(tmp_path).offers(replace(BARE, gpu=asked))
    assert (offer.gpu, offer.gpu_count, offer.vram_mib) == ("RTX 4090", asked.count, 24564)


HERE = "this machine has RTX 4090:2"


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("need", "text"),
    [
        (replace(BARE, gpu=Gpu("RTX 4090", 3)), f"RTX 4090:3 asked for, {HERE}"),
        (replace(BARE, gpu=Gpu("H100-SXM")), f"H100-SXM asked for, {HERE}"),
        (replace(BARE, cpus=4096.5), "4096.5 CPUs asked for, this machine has"),
        (replace(BARE, memory=1 << 60), "1099511627776 MiB asked for, this machine has"),
        (replace(BARE, disk=1 << 60), "1099511627776 MiB of disk asked for"),
    ],
)
def test_more_than_is_here_is_refused(need: Need, text: str, tmp_path: Path) -> None:
    """What cannot be had is named beside what is here."""
    with pytest.raises(NoOfferError) as caught:
        LocalProvider(tmp_path).offers(need)
    assert str(caught.value).startswith(text)


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(
    ("device", "count"), [("auto", 2), ("cuda", 2), ("cuda:1", 2), ("1", 2), ("cpu", 0), ("mps", 0)]
)
def test_a_job_that_may_use_a_gpu_gets_those_that_are_here(
    device: str, count: int, tmp_path: Path
) -> None:
    """Without a name asked for, the device decides; the CPU's jobs see no GPU."""
    (offer,) = LocalProvider(tmp_path).offers(replace(BARE, device=device))
    assert offer.gpu_count == count


@pytest.mark.usefixtures("no_gpu")
def test_no_gpu_at_all(tmp_path: Path) -> None:
    """A GPU asked for on a machine without one is never replaced by a CPU in silence."""
    with pytest.raises(NoOfferError, match="T4 asked for, this machine has no NVIDIA GPU"):
        LocalProvider(tmp_path).offers(replace(BARE, gpu=Gpu("T4")))


def test_the_drivers_answer_is_read() -> None:
    """Cards of one kind are counted; unknown ones keep their name; messages are no cards."""
    rows = "NVIDIA H200, 143771\nVoodoo 2, 12\nNVIDIA H200, 143771\nNo devices were found\n"
    known, unknown = gpus_in(rows)
    assert (known.count, known.vram_mib) == (2, 143771)
    assert unknown == GpuHere("Voodoo 2", 1, 12)


def test_a_state_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that takes no files is named before anything starts."""
    (tmp_path / "file").touch()
    provider = LocalProvider(tmp_path / "file")
    with pytest.raises(ProviderError, match="Not a directory"):
        provider.look("longshore-any-1")
