"""Run inside the build: drop from the fresh packages what no training loads.

torch    its C++ tests and their programs (torch_shm_manager stays: the import needs it),
         and the symbol tables of its libraries, which only a debugger reads
locked   the test suites of packages that ship them
"""

import shutil
import struct
import sys
import sysconfig
from pathlib import Path

SITE = Path(sysconfig.get_path("purelib"))
TESTED = ("mpmath", "networkx", "numpy", "sympy")
LARGE = 8 * 1024**2

SYMTAB = 2
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")


def slim_torch() -> None:
    shutil.rmtree(SITE / "torch/test", ignore_errors=True)
    for path in (SITE / "torch/bin").glob("*"):
        if path.name != "torch_shm_manager":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for library in (SITE / "torch/lib").glob("*.so"):
        if library.stat().st_size > LARGE:
            drop_symbols(library)


def slim_locked() -> None:
    for package in TESTED:
        for folder in list((SITE / package).rglob("tests")):
            shutil.rmtree(folder, ignore_errors=True)


def drop_symbols(library: Path) -> None:
    """Cut `.symtab` and its names off the end of an ELF-64 file, as `strip` does.

    They are in no segment, so the loader never reads them; a file where they do not lie behind
    everything else is left as it is. The symbols for linking (`.dynsym`) stay.
    """
    with library.open("r+b") as file:
        header = list(HEADER.unpack(file.read(HEADER.size)))
        if header[0][:6] != b"\x7fELF\x02\x01":
            return
        start, count, names = header[6], header[12], header[13]
        file.seek(start)
        sections = [list(SECTION.unpack(file.read(SECTION.size))) for _ in range(count)]
        dropped = {index for index, one in enumerate(sections) if one[1] == SYMTAB}
        dropped |= {sections[index][6] for index in dropped}
        kept = [s for index, s in enumerate(sections) if index not in dropped | {names}]
        end = max(one[4] + (0 if one[1] == 8 else one[5]) for one in kept)
        if not dropped or names in dropped or any(sections[i][4] < end for i in dropped):
            return
        file.seek(sections[names][4])
        text = file.read(sections[names][5])
        for index in dropped:
            sections[index][1:] = [0] * 9
        sections[names][4] = end
        header[6] = (end + len(text) + 7) // 8 * 8
        file.seek(end)
        file.write(text.ljust(header[6] - end, b"\0"))
        file.write(b"".join(SECTION.pack(*one) for one in sections))
        file.truncate()
        file.seek(0)
        file.write(HEADER.pack(*header))


if __name__ == "__main__":
    {"torch": slim_torch, "locked": slim_locked}[sys.argv[1]]()
