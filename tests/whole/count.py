"""A job whose every output is known beforehand: it counts, and goes on where it was cut short.

python count.py LAST SECONDS   counts to LAST, one number in so many seconds
"""

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(os.environ["LONGSHORE_ROOT"])
EVERY = 5


def commit(number: int) -> None:
    """A committed checkpoint: its state, then the manifest that makes it count."""
    folder = ROOT / "checkpoints" / f"step-{number:06d}"
    folder.mkdir(exist_ok=True)
    content = str(number).encode()
    (folder / "number").write_bytes(content)
    entry = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    draft = folder / "draft"
    draft.write_text(json.dumps({"step": number, "files": {"number": entry}}))
    draft.rename(folder / "COMMITTED.json")


def write(number: int) -> None:
    """All numbers up to this one, whole or not at all."""
    draft = ROOT / "outputs" / ".numbers"
    draft.write_text("".join(f"{one}\n" for one in range(1, number + 1)))
    draft.rename(ROOT / "outputs" / "numbers.txt")


def main(last: int, seconds: float) -> None:
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    resume = os.environ["LONGSHORE_RESUME_FROM"]
    begin = int(Path(resume, "number").read_text()) if resume else 0
    print(f"counting from {begin + 1}", flush=True)
    for number in range(begin + 1, last + 1):
        time.sleep(seconds)
        write(number)
        print(number, flush=True)
        if number % EVERY == 0 or asked:
            commit(number)
        if asked:
            sys.exit(75)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
