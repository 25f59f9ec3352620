"""The Dockerfiles stay within what every BuildKit knows, and say the same but for CUDA."""

import re
import struct
from difflib import unified_diff
from pathlib import Path

import pytest

from longshore.images import slim
from longshore.images.context import PACKAGE, SCRIPTS, lock_names

CPU = (PACKAGE / "Dockerfile").read_text()
GPU = (PACKAGE / "Dockerfile.gpu").read_text()
PINS = dict(
    line.split("==")
    for line in (PACKAGE / "images/constraints.txt").read_text().splitlines()
    if not line.startswith("#")
)


@pytest.mark.parametrize("text", [CPU, GPU])
@pytest.mark.parametrize("newer", ["# syntax", "<<", "--link", "--parents", ",env=", "--chmod"])
def test_no_feature_that_an_older_buildkit_lacks(newer: str, text: str) -> None:
    """These need a frontend from a registry, or an engine newer than 20.10."""
    instructions = [line for line in text.splitlines() if not line.startswith("# No syntax line")]
    assert newer not in "\n".join(instructions)


def test_the_two_files_differ_only_in_what_cuda_needs() -> None:
    """A step mended in one file and not in the other would be found here."""
    changes = unified_diff(CPU.splitlines(), GPU.splitlines(), n=0, lineterm="")
    added = [line[1:].strip() for line in changes if re.match(r"\+[^+]", line)]
    assert [line for line in added if not line.startswith("#")] == [
        'ARG PACKAGES="openssh-server rsync libgomp1 gcc libc6-dev"',
        "ARG TORCH_INDEX",
        "&& apt_install OPTIONAL $PACKAGES $(python_headers) \\",
        "NVIDIA_VISIBLE_DEVICES=all \\",
        "NVIDIA_DRIVER_CAPABILITIES=compute,utility \\",
        'LABEL org.opencontainers.image.title="Longshore training image (CUDA)" \\',
        'longshore.image="gpu"',
    ]


@pytest.mark.parametrize("text", [CPU, GPU])
def test_the_users_code_comes_last(text: str) -> None:
    """Nothing stands behind it that would have to be made again after a change of code."""
    assert text.splitlines()[-1] == "COPY code /longshore/code"
    assert "\nARG RUN_AS=longshore\n" in text
    assert "\nUSER ${RUN_AS}\n" in text


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_the_locks_hold_the_one_set_of_versions(kind: str) -> None:
    """constraints.txt decides; `scripts/lock.sh` follows."""
    locked = {name: line.split("==")[1] for name, line in lock_names(kind).items()}
    shared = set(PINS) & set(locked)
    assert {name: locked[name] for name in shared} == {name: PINS[name] for name in shared}
    gpu_only = {"bitsandbytes", "liger-kernel"} if kind == "cpu" else set()
    outside = {"uv", "jupyterlab", "tensorboard"} | gpu_only
    assert set(PINS) - shared == outside


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_builds_own_scripts_are_part_of_the_package(name: str) -> None:
    """The wheel must be able to build an image too."""
    assert (PACKAGE / "images" / name).is_file()


NAMES = b"\0.text\0.symtab\0.strtab\0.shstrtab\0"


def elf(order: tuple[str, ...]) -> bytes:
    """A small ELF-64 file whose sections' contents lie in this order."""
    kinds = {".text": 1, ".symtab": 2, ".strtab": 3, ".shstrtab": 3}
    contents = {
        ".text": b"CODE" * 8,
        ".symtab": b"S" * 48,
        ".strtab": b"N" * 99,
        ".shstrtab": NAMES,
    }
    body, offsets = b"", {}
    for name in order:
        offsets[name] = 64 + len(body)
        body += contents[name]
    rows = [struct.pack("<IIQQQQIIQQ", *[0] * 10)]
    for name, kind in kinds.items():
        link = 3 if name == ".symtab" else 0
        at = NAMES.index(name.encode() + b"\0")
        place = (offsets[name], len(contents[name]))
        rows.append(struct.pack("<IIQQQQIIQQ", at, kind, 0, 0, *place, link, 0, 1, 0))
    start = 64 + len(body)
    ident = b"\x7fELF\x02\x01".ljust(16, b"\0")
    head = struct.pack("<16sHHIQQQIHHHHHH", ident, 3, 62, 1, 0, 0, start, 0, 64, 56, 0, 64, 5, 4)
    return head + body + b"".join(rows)


def sections(data: bytes) -> dict[str, tuple[int, bytes]]:
    """Kind and content of each named section, read the way a tool would."""
    start = struct.unpack_from("<Q", data, 40)[0]
    count, names = struct.unpack_from("<HH", data, 60)
    rows = [struct.unpack_from("<IIQQQQIIQQ", data, start + 64 * i) for i in range(count)]
    text = data[rows[names][4] : rows[names][4] + rows[names][5]]
    return {
        text[row[0] : text.index(b"\0", row[0])].decode(): (row[1], data[row[4] : row[4] + row[5]])
        for row in rows
        if row[1]
    }


def test_symbols_are_cut_and_the_rest_stays_readable(tmp_path: Path) -> None:
    """Code and section names are as before; the symbol table and its strings are gone."""
    library = tmp_path / "lib.so"
    before = elf((".text", ".symtab", ".strtab", ".shstrtab"))
    library.write_bytes(before)
    slim.drop_symbols(library)
    after = library.read_bytes()
    assert sections(after) == {".text": (1, b"CODE" * 8), ".shstrtab": (3, NAMES)}
    assert len(after) <= len(before) - 48 - 99 + 8


@pytest.mark.parametrize(
    "content",
    [
        elf((".symtab", ".strtab", ".text", ".shstrtab")),
        b"\x7fELF\x01\x01" + bytes(80),
        b"no library at all".ljust(80),
    ],
)
def test_a_library_of_another_shape_is_left_alone(content: bytes, tmp_path: Path) -> None:
    """Symbols before the code, 32 bits, or no ELF: nothing is cut."""
    library = tmp_path / "lib.so"
    library.write_bytes(content)
    slim.drop_symbols(library)
    assert library.read_bytes() == content
