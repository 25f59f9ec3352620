"""The names of GPUs."""

import csv
from pathlib import Path

import pytest

import longshore.configs
from longshore.configs.gpus import GpuKind, candidates, catalogue, find, matches, parse_gpu
from longshore.configs.spec import Gpu
from longshore.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "gpu"),
    [
        ("RTX 4090", Gpu("RTX 4090")),
        ("4090", Gpu("RTX 4090")),
        ("rtx4090", Gpu("RTX 4090")),
        ("rtx-4090:3", Gpu("RTX 4090", 3)),
        ("NVIDIA GeForce RTX 4090", Gpu("RTX 4090")),
        ("4090 24GB", Gpu("RTX 4090")),
        ("3080", Gpu("RTX 3080")),
        ("3080ti", Gpu("RTX 3080 Ti")),
        ("T4", Gpu("T4")),
        ("tesla t4 : 2", Gpu("T4", 2)),
        ("g4dn", Gpu("T4")),
        ("A4000", Gpu("RTX A4000")),
        ("L40", Gpu("L40")),
        ("V100-16GB", Gpu("V100-16GB")),
        ("A100-40GB", Gpu("A100-40GB")),
        ("A100-80GB:2", Gpu("A100-80GB", 2)),
        ("a100 80 gb", Gpu("A100-80GB")),
        ("A100-SXM4-80GB", Gpu("A100-80GB-SXM")),
        ("A100 PCIe", Gpu("A100-80GB-PCIe")),
        ("H100 80GB", Gpu("H100 80GB")),
        ("H100:8", Gpu("H100", 8)),
        ("h100sxm", Gpu("H100-SXM")),
        ("NVIDIA H100 80GB HBM3", Gpu("H100-SXM")),
        ("rtx pro 6000", Gpu("RTX PRO 6000 Blackwell")),
    ],
)
def test_a_gpu_is_known_by_many_names(text: str, gpu: Gpu) -> None:
    """Makers, spaces, hyphens and case do not matter; a family of one memory size is a name too."""
    assert parse_gpu(text) == gpu


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "A100",
            "'A100' names several GPUs: A100-40GB (40 GB), A100-80GB-PCIe (80 GB), "
            "A100-80GB-SXM (80 GB)",
            "write one of them in full",
        ),
        ("RTX 4900", "unknown GPU 'RTX 4900'", "did you mean 'RTX 4090'?"),
        ("4900", "unknown GPU '4900'", "did you mean 'RTX 4090'?"),
        ("A10", "unknown GPU 'A10'", "did you mean 'A10G'?"),
        ("RTX 3080 24GB", "unknown GPU 'RTX 3080 24GB'", "did you mean 'RTX 3080'?"),
        (
            "80GB",
            "unknown GPU '80GB'",
            "write for example T4, L4, 'RTX 4090', A100-80GB or H100-SXM",
        ),
        (
            "Banana",
            "unknown GPU 'Banana'",
            "write for example T4, L4, 'RTX 4090', A100-80GB or H100-SXM",
        ),
        ("T4:0", "'T4:0' has no whole number above 0 after ':'", "write for example T4:2"),
        ("L4:", "'L4:' has no whole number above 0 after ':'", "write for example L4:2"),
        ("L4:1.5", "'L4:1.5' has no whole number above 0 after ':'", "write for example L4:2"),
    ],
)
def test_an_unclear_gpu_is_refused(text: str, message: str, hint: str) -> None:
    """Nothing is chosen silently among GPUs on which different jobs fit."""
    with pytest.raises(ConfigError) as caught:
        parse_gpu(text)
    assert (str(caught.value), caught.value.hint) == (message, hint)


@pytest.mark.parametrize("kind", catalogue(), ids=lambda kind: kind.name)
def test_every_name_in_the_table_finds_its_own_kind(kind: GpuKind) -> None:
    """A kind is found by its name and by each alias, and by nothing else's."""
    for name in (kind.name, *kind.aliases):
        assert candidates(name) == [kind]


@pytest.mark.parametrize(
    ("asked", "offered", "fits"),
    [
        ("RTX 4090", "RTX 4090", True),
        ("A100-80GB", "A100-80GB-SXM", True),
        ("A100-80GB", "A100-80GB-PCIe", True),
        ("A100-80GB", "A100-40GB", False),
        ("A100-80GB-SXM", "A100-80GB-PCIe", False),
        ("H100 80GB", "H100-NVL", False),
        ("RTX 3080", "RTX 3080 Ti", False),
        ("T4", "NVIDIA Tesla T4", True),
        ("T4", "Banana 9000", False),
        ("Banana 9000", "banana-9000", True),
    ],
)
def test_an_offer_fits_by_kind_or_by_family(asked: str, offered: str, fits: bool) -> None:
    """A family takes each of its kinds; a GPU that no table knows is compared by its name."""
    assert matches(asked, offered) is fits


def test_what_is_asked_for_is_always_matched_by_its_own_kinds() -> None:
    """The name that `parse_gpu` gives a family still means the same kinds."""
    for text in ("A100-80GB", "H100-80GB", "rtxpro6000", "4000"):
        name = parse_gpu(text).name
        assert candidates(name) == candidates(text)


def test_a_kind_carries_the_facts_of_its_row() -> None:
    """Memory in MiB, rates in TFLOP/s, and None where the chip lacks a type."""
    t4, card = find("T4"), find("4090")
    assert (t4.memory_mib, t4.bf16, t4.fp16, t4.fp8) == (16 * 1024, None, 65.1, False)
    assert (card.watts, card.capability, card.bf16, card.fp8) == (450, "8.9", 165.2, True)


def test_find_wants_one_kind() -> None:
    """Facts belong to a kind, so a family has none."""
    with pytest.raises(ConfigError, match="'A100-80GB' names several GPUs"):
        find("A100-80GB")


def test_every_row_names_its_source_and_basis() -> None:
    """No number stands in the table without where it comes from."""
    path = Path(longshore.configs.__path__[0]) / "gpus.csv"
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert len(rows) == len(catalogue()) == 49
    assert all(row["source"] and row["tflops_basis"] for row in rows)
