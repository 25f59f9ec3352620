"""How much CPU the commands cost before they do anything, against `import click, yaml`.

Promise: `longshore --help` and `deploy --dry-run` take at most 3 times as much.
CPU seconds (user + system, children included), the least of several runs, taken in turn.
"""

import os
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
    rows = [Row(name, f"{1000 * best[name]:.0f} ms", best[name] / base, LIMIT) for name in best]
    show("CPU time of a command", rows)


def cpu_seconds(command: list[str], folder: str) -> float:
    """User and system seconds of a command and its children."""
    before = os.times()
    environ = os.environ | {
        "LONGSHORE_STATE": f"{folder}/state",
        "LONGSHORE_CACHE": f"{folder}/cache",
    }
    subprocess.run(command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return (
        after.children_user + after.children_system - before.children_user - before.children_system
    )


if __name__ == "__main__":
    main()
