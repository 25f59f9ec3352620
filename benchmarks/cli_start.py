"""How much CPU the commands cost before they do anything, against `import click, yaml`.

Promise: `longshore --help` and `deploy --dry-run` take at most 3 times as much.
CPU seconds (user + system, children included), the least of several runs, taken in turn.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from .table import Row, show

RUNS = 15
LIMIT = 3.0
JOB = "name: bench\nrun: python -c 'print(1)'\n"


def main() -> None:
    """Measure in a project of its own and print the table."""
    program = str(Path(sys.executable).with_name("longshore"))
    commands = {
        "python -c 'import click, yaml'": [sys.executable, "-c", "import click, yaml"],
        "longshore --help": [program, "--help"],
        "deploy --dry-run --runtime process": [
            program,
            "deploy",
            "--dry-run",
            "--runtime",
            "process",
        ],
        "deploy --dry-run (docker where it answers)": [program, "deploy", "--dry-run"],
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "longshore.yaml").write_text(JOB)
        best = dict.fromkeys(commands, float("inf"))
        for _ in range(RUNS):
            for name, command in commands.items():
                best[name] = min(best[name], cpu_seconds(command, folder))
    base = next(iter(best.values()))
    rows = [
        Row(name, f"{1000 * least:.0f} ms", least / base, LIMIT) for name, least in best.items()
    ]
    rows[0] = Row(rows[0].what, rows[0].measured)
    show("CPU time of a command", rows)


def cpu_seconds(command: list[str], folder: str) -> float:
    """User and system seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = {"LONGSHORE_STATE": f"{folder}/state", "LONGSHORE_CACHE": f"{folder}/cache"}
    subprocess.run(command, cwd=folder, env=os.environ | own, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
