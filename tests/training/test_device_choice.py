"""The best device that works is used; a GPU that was paid for is never silently left out."""

import pytest

from longshore.configs.spec import Gpu, Resources
from longshore.errors import ConfigError, JobFailedError
from longshore.training import devices
from longshore.training.devices import Device, choose, parse, pin, runs_on

CPU = Device("cpu", name="Some CPU", memory=8 * 2**30)
GPUS = tuple(Device("cuda", index, "H100", 80 * 2**30, (9, 0)) for index in range(2))
MPS = Device("mps", name="Apple GPU")
BROKEN = Device("cuda", 0, "RTX 5090", 32 * 2**30, (12, 0), fault="this torch is built for sm_80")
PAID = Resources(gpu=Gpu("RTX 4090"))


@pytest.mark.parametrize(
    ("asked", "found", "chosen"),
    [
        ("auto", (*GPUS, CPU), "cuda:0"),
        ("auto", (MPS, CPU), "mps"),
        ("auto", (CPU,), "cpu"),
        ("cpu", (*GPUS, CPU), "cpu"),
        ("cuda", (*GPUS, CPU), "cuda:0"),
        ("cuda:1", (*GPUS, CPU), "cuda:1"),
        ("1", (*GPUS, CPU), "cuda:1"),
        ("mps", (MPS, CPU), "mps"),
    ],
)
def test_chooses(asked: str, found: tuple[Device, ...], chosen: str) -> None:
    """What was asked for, or the first that works; nothing to warn about."""
    choice = choose(asked, Resources(), found)
    assert (choice.device.id, choice.warning) == (chosen, "")


@pytest.mark.parametrize(
    ("asked", "found", "words"),
    [
        ("cuda", (CPU,), "no cuda was found"),
        ("xpu", (*GPUS, CPU), "no xpu was found"),
        ("auto", (BROKEN, CPU), "RTX 5090: this torch is built for sm_80"),
        ("cuda", (BROKEN, CPU), "RTX 5090: this torch is built for sm_80"),
    ],
)
def test_falls_back_with_a_warning(asked: str, found: tuple[Device, ...], words: str) -> None:
    """Without the device asked for, or with one that is broken, the CPU trains and we say why."""
    choice = choose(asked, Resources(), found)
    assert choice.device == CPU
    assert words in choice.warning


@pytest.mark.parametrize("asked", ["auto", "cuda"])
@pytest.mark.parametrize("found", [(CPU,), (BROKEN, CPU)])
def test_paid_gpu_fails_fast(asked: str, found: tuple[Device, ...]) -> None:
    """A GPU that is paid for and unusable ends the job, unless the CPU was allowed."""
    with pytest.raises(JobFailedError, match="RTX 4090"):
        choose(asked, PAID, found)
    allowed = Resources(gpu=PAID.gpu, allow_cpu=True)
    assert choose(asked, allowed, found).device == CPU


def test_refuses_an_index_that_is_not_there() -> None:
    """A wrong number is a slip of the user, no reason to take the CPU."""
    with pytest.raises(ConfigError, match=r"GPU 5 not available. Only 2 GPU\(s\) detected"):
        choose("cuda:5", Resources(), (*GPUS, CPU))


@pytest.mark.parametrize("asked", ["gpu", "cuda:", "cuda:x", "0,1", "", "CUDA", "mps:0"])
def test_refuses_other_words(asked: str) -> None:
    """Only one device, in one spelling."""
    with pytest.raises(ConfigError):
        parse(asked)


@pytest.mark.parametrize(
    ("capability", "built", "runs"),
    [
        ((8, 0), ["sm_80", "sm_90"], True),
        ((8, 9), ["sm_80"], True),
        ((8, 0), ["sm_86"], False),
        ((7, 0), ["sm_75", "sm_80"], False),
        ((12, 0), ["sm_90"], False),
        ((12, 0), ["sm_90", "compute_90"], True),
        ((12, 0), ["sm_120"], True),
        ((8, 0), ["compute_90"], False),
        ((9, 0), ["sm_90a"], False),
        ((9, 0), [], False),
    ],
)
def test_knows_what_runs_on_a_gpu(
    capability: tuple[int, int], built: list[str], runs: bool
) -> None:
    """Machine code within a major version, PTX on anything newer."""
    assert runs_on(capability, built) is runs


@pytest.mark.parametrize(
    ("device", "bf16"),
    [
        (Device("cuda", capability=(7, 5)), False),
        (Device("cuda", capability=(8, 0)), True),
        (Device("cuda"), False),
        (Device("xpu"), True),
        (Device("mps"), False),
        (Device("cpu"), False),
    ],
)
def test_bf16_by_capability(device: Device, bf16: bool) -> None:
    """A T4 emulates bf16 and says it has it; only the hardware counts."""
    assert device.bf16 is bf16


@pytest.mark.parametrize(
    ("asked", "visible", "pinned"),
    [("auto", "3,5", "3"), ("cuda:1", "3,5", "5"), ("cuda", "GPU-a,GPU-b", "GPU-a")],
)
def test_pins_one_gpu(asked: str, visible: str, pinned: str) -> None:
    """One process sees one GPU, counted among those it was given."""
    environ = {"CUDA_VISIBLE_DEVICES": visible}
    pin(asked, environ)
    assert environ["CUDA_VISIBLE_DEVICES"] == pinned


def test_pin_refuses_an_index() -> None:
    """Beyond the GPUs it was given there is none."""
    with pytest.raises(ConfigError, match="Only 2"):
        pin("cuda:2", {"CUDA_VISIBLE_DEVICES": "3,5"})


def test_describes_this_machine() -> None:
    """The CPU is always there and last, with the limits that hold here."""
    hardware = devices.describe()
    assert hardware.devices[-1].kind == "cpu"
    assert hardware.devices[-1].memory == hardware.memory > 0
    assert hardware.cpus > 0
