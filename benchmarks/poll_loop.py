"""What watching a job on another machine costs on this one: a share of one core.

    python -m benchmarks.poll_loop

Once a second, as the watch does: how the job ended, its log, its events; the lease every tenth
time. Counted is the CPU time of this process while it asks, of its ssh child and of the connection
that all share. The machine is an sshd on 127.0.0.1 whose own CPU time is not counted. Linux only.
"""

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from longshore.configs.container import EVENTS, LEASE, LOG
from longshore.providers.remote import Connection, RemoteHost

from .machine import machine
from .table import Row, show

ROUNDS = 60
ALLOWED = 0.01


def main() -> None:
    """Watch for a minute and print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["LONGSHORE_STATE"] = f"{folder}/state"
        with machine(folder) as connection:
            host = RemoteHost(lambda: connection, str(folder))
            for path in (LOG, EVENTS):
                host.write(path, b"")
            own, others = watched(host, folder, processes(connection))
            host.close()
    shares = [own / ROUNDS, others / ROUNDS]
    show(
        f"Watching for {ROUNDS} s, three questions a second: share of one core",
        [
            Row("this process", f"{shares[0]:.2%}"),
            Row("ssh", f"{shares[1]:.2%}"),
            Row("together, against 1 %", f"{sum(shares):.2%}", sum(shares) / ALLOWED, 1),
        ],
    )


def watched(host: RemoteHost, folder: Path, pids: list[int]) -> tuple[float, float]:
    """Seconds of CPU time that the rounds took of this process and of the others."""
    offset, before, own = 0, sum(map(cpu, pids)), time.process_time()
    for number in range(ROUNDS):
        with (folder / LOG).open("ab") as log:
            log.write(b"step 120 of 1000, loss 2.4142, 18,300 tokens/s\n" * 10)
        assert host.poll() is None
        offset += len(host.read(LOG, offset))
        host.read(EVENTS)
        if number % 10 == 0:
            host.write(LEASE, b"now")
        time.sleep(1)
    assert offset == (folder / LOG).stat().st_size
    return time.process_time() - own, sum(map(cpu, pids)) - before


def processes(connection: Connection) -> list[int]:
    """The ssh child of this process and the connection that it shares."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    ours = [int(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text() == "ssh\n"]
    words = [word if word != "exit" else "check" for word in connection.close_words("talk")]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stderr
    return [*ours, *map(int, re.findall(r"pid=(\d+)", said))]


def cpu(pid: int) -> float:
    """Seconds of CPU time of a process of one thread, finer than a clock tick."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


if __name__ == "__main__":
    main()
