"""Rules of the forecast: the best evidence wins, and a wider band for weaker evidence."""

from dataclasses import replace
from typing import Any

import pytest

from longshore.configs.spec import Gpu, JobSpec, Resources
from longshore.costs.history import Perf
from longshore.costs.memory import fits, have_mib, need_mib
from longshore.costs.size import JobSize, Model
from longshore.costs.time import FLOPS_PER_CORE, Band, device_of, forecast, peak
from longshore.providers.base import Offer

MODEL = Model(10**9, 10**7, 16, 2048, 32_000, 0, exact=True)
SIZE = JobSize(MODEL, 10**6, 100, 8, 512, flops=10**15, bytes_in=0, bytes_out=0)


def past(**changes: Any) -> Perf:
    """A run at 10^13 operations a second on an L40S."""
    run = Perf("j", "L40S", 1, 10**15, 100.0, 200.0, "lora", 10**9, "2026-11-01T00:00:00+00:00")
    return replace(run, **changes)


def train_of(spec: JobSpec, offer: Offer, *history: Perf) -> tuple[Band, str]:
    found = forecast(spec, SIZE, offer, history)
    return found.phases["train"], found.basis


def test_nothing_measured(project: Any, stall: Any) -> None:
    """FLOPs over 50, 35 and 20 % of the dense bf16 peak, 362 TFLOP/s for an L40S."""
    band, basis = train_of(project.job(), stall.rented)
    assert basis == "prior"
    expected = [10**15 / (362e12 * share) for share in (0.50, 0.35, 0.20)]
    assert [band.p10, band.p50, band.p90] == pytest.approx(expected)


def test_the_cpu_by_its_cores(project: Any, stall: Any) -> None:
    """Without a GPU the cores count, at a stated rate each."""
    band, _ = train_of(project.job(), stall.own)
    assert band.p50 == pytest.approx(10**15 / (2 * FLOPS_PER_CORE * 0.35))


def test_a_narrow_model_does_not_fill_a_device(project: Any, stall: Any) -> None:
    """Below width 128 the prior is 0.3 of itself."""
    narrow = replace(SIZE, model=replace(MODEL, width=64))
    wide, _ = train_of(project.job(), stall.own)
    slow = forecast(project.job(), narrow, stall.own).phases["train"]
    assert slow.p50 == pytest.approx(wide.p50 / 0.3)


def test_measured_on_the_same_device(project: Any, stall: Any) -> None:
    """The median rate of such runs, plus and minus 10 %."""
    runs = (past(seconds=50.0), past(seconds=100.0), past(seconds=400.0))
    band, basis = train_of(project.job(), stall.rented, *runs)
    assert basis == "measured-here"
    assert [band.p10, band.p50, band.p90] == pytest.approx([90, 100, 110])


def test_the_drivers_name_is_the_same_device(project: Any, stall: Any) -> None:
    """A run recorded on "NVIDIA L40S" is evidence for the L40S of the table."""
    assert train_of(project.job(), stall.rented, past(device="NVIDIA L40S"))[1] == "measured-here"


def test_measured_on_another_gpu(project: Any, stall: Any) -> None:
    """From an L4 (121.2 TFLOP/s, 300 GB/s) to an L40S (362; 864): the smaller ratio, 2.88."""
    band, basis = train_of(project.job(), stall.rented, past(device="L4"))
    assert basis == "measured-other-gpu"
    assert band.p50 == pytest.approx(100 / (864 / 300))
    assert (band.p10 / band.p50, band.p90 / band.p50) == pytest.approx((0.75, 1.4))


def test_fewer_cores_are_scaled(project: Any, stall: Any) -> None:
    """A run on one core tells of two, with the wider band."""
    band, basis = train_of(project.job(), stall.own, past(device="cpu", count=1))
    assert basis == "measured-other-gpu"
    assert band.p50 == pytest.approx(50)


@pytest.mark.parametrize(
    "run",
    [
        past(device="cpu", count=2),
        past(device="no such GPU"),
        past(recipe="full"),
        past(params=10**8),
        past(params=10**10),
        past(flops=0),
    ],
)
def test_what_is_no_evidence(project: Any, stall: Any, run: Perf) -> None:
    """A CPU for a GPU, an unknown device, another recipe, a model of another size, a command."""
    assert train_of(project.job(), stall.rented, run)[1] == "prior"


def test_a_gpu_nobody_knows(project: Any, stall: Any) -> None:
    """Not in the table: the time is not known, rather than guessed."""
    found = forecast(project.job(), SIZE, replace(stall.rented, gpu="Voodoo 2"))
    assert (found.total, found.basis) == (None, "unknown")


def test_a_command_takes_as_long_as_before(stall: Any) -> None:
    """Of a command only its own runs on the same device tell."""
    spec = JobSpec(name="cmd", run="python x.py")
    run = past(job="cmd", device="cpu", count=2, recipe="run", flops=0, seconds=300.0)
    assert forecast(spec, None, stall.own, [run]).phases["train"].p50 == 300
    assert forecast(spec, None, stall.rented, [run]).total is None
    assert forecast(replace(spec, name="other"), None, stall.own, [run]).total is None


def test_phases_add_up(project: Any, stall: Any) -> None:
    """The total is the sum of the phases, and P10 is below P50 below P90 in each."""
    found = forecast(project.job(), SIZE, stall.rented)
    assert found.total is not None
    assert found.total.p50 == pytest.approx(sum(band.p50 for band in found.phases.values()))
    assert all(band.p10 <= band.p50 <= band.p90 for band in found.phases.values())


def test_ones_own_machine_needs_no_boot(project: Any, stall: Any) -> None:
    """Getting a machine and the image takes longer elsewhere than here."""
    here = forecast(project.job(), SIZE, stall.own).phases
    there = forecast(project.job(), SIZE, stall.rented).phases
    assert here["pull"].p90 == 0
    assert there["provision"].p10 > here["provision"].p90


def test_no_more_gpus_than_asked_for(stall: Any) -> None:
    """A job for one GPU uses one of eight; a job for four uses four."""
    eight = replace(stall.rented, gpu_count=8)
    assert device_of(eight, Resources()).count == 1
    assert device_of(eight, Resources(gpu=Gpu("L40S", 4))).count == 4


def test_no_more_cores_than_asked_for(stall: Any) -> None:
    """A limit on CPUs is a limit on the cores that compute."""
    assert device_of(stall.own, Resources(cpus=1)).count == 1
    assert device_of(stall.own, Resources(cpus=64)).count == 2


def test_two_gpus_are_less_than_twice_one(stall: Any) -> None:
    """1, 2 and 4 GPUs do the work of 1, 1.85 and 3.42."""
    eight = replace(stall.rented, gpu_count=8)
    rates = [peak(device_of(eight, Resources(gpu=Gpu("L40S", n)))) or 0 for n in (1, 2, 4)]
    assert [rate / rates[0] for rate in rates] == pytest.approx([1, 1.85, 1.85**2])


@pytest.mark.parametrize(
    ("gpu", "precision", "tera"),
    [("L40S", "auto", 362.0), ("L40S", "fp32", 91.6), ("T4", "auto", 65.1), ("T4", "bf16", 65.1)],
)
def test_the_peak_by_precision(stall: Any, gpu: str, precision: Any, tera: float) -> None:
    """bf16 where the GPU has it, else fp16; fp32 without tensor cores."""
    device = device_of(replace(stall.rented, gpu=gpu), Resources())
    assert peak(device, precision) == pytest.approx(tera * 1e12)


def test_memory_by_the_rule(project: Any) -> None:
    """1 B parameters, LoRA: 2 GB frozen, 0.18 GB trained, and what one sequence needs."""
    moving = (34 * 16 * 2048 + 12 * 32_000) * 512
    expected = 1024 + round(1.1 * (2e9 + 18 * 1e7 + moving) / 2**20)
    assert need_mib(project.job(), SIZE, gpu=True) == expected


@pytest.mark.parametrize(
    ("train", "gpu", "more"),
    [
        ({"recipe": "full"}, True, True),
        ({"precision": "fp32"}, True, True),
        ({}, False, True),
        ({"micro_batch": 8}, True, True),
        ({"gradient_checkpointing": True}, True, False),
    ],
)
def test_what_changes_the_need(project: Any, train: Any, gpu: bool, more: bool) -> None:
    """Full training, fp32, a CPU and larger batches need more; checkpointing needs less."""
    plain = need_mib(project.job(), SIZE, gpu=True) or 0
    size = replace(SIZE, model=replace(MODEL, trainable=10**9)) if "recipe" in train else SIZE
    changed = need_mib(project.job(train), size, gpu) or 0
    assert (changed > plain, changed == plain) == (more, False)


@pytest.mark.parametrize(
    ("need", "have", "answer"),
    [(10, 10, True), (11, 10, False), (None, 10, None), (10, None, None)],
)
def test_fits(need: int | None, have: int | None, answer: bool | None) -> None:
    """Yes, no, or not known."""
    assert fits(need, have) is answer


def test_a_gpu_has_its_own_memory(stall: Any) -> None:
    """Of a machine with a GPU the GPU's memory counts, else the machine's."""
    assert have_mib(stall.rented) == 45_776
    assert have_mib(stall.own) == 24_000
