"""How long a pod takes from one state to the next."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeline:
    """Seconds of the emulator's clock after a boot began; each state waits for the one before."""

    starting: float
    running: float
    ports: float
    """When public ports are known: after RUNNING, as on RunPod."""
    sshd: float
    """When port 22 passes anything on: later still."""
    stale: float
    """How long after a start, or a stop, ports of the last boot are still shown."""


FAST = Timeline(starting=0.2, running=0.4, ports=0.6, sshd=0.7, stale=0.2)
REALISTIC = Timeline(starting=4, running=25, ports=35, sshd=50, stale=90)
"""Ready in 30 to 90 s, ports stale for about 90 s: reports of users, RunPod, 2026-07."""
SPEEDS = {"fast": FAST, "realistic": REALISTIC}
