"""The process that trains; started by the supervisor with LONGSHORE_ROOT set.

Ends with 0 (done), 75 (stopped with a checkpoint), 79 (out of memory) or the code of a fault.
"""

import os
import sys
import traceback
from pathlib import Path

from ..configs import container, jobfile
from ..configs.spec import JobSpec
from . import faults, hub
from .events import Events, Redactor
from .stop import EXIT_OUT_OF_MEMORY, Stop, Stopped
from .story import Story


def main() -> int:
    """Train the job under LONGSHORE_ROOT; the exit code."""
    stop = Stop()
    root = Path(os.environ[container.ROOT_VARIABLE])
    try:
        stop.listen()
        spec = jobfile.parse((root / container.JOB).read_text())
        redact = Redactor(os.environ[name] for name in spec.secrets if name in os.environ)
        events = Events(root / container.EVENTS, redact)
    except Stopped:
        return container.EXIT_PREEMPTED
    return _guarded(root, spec, Story(events), events, redact, stop)


def _guarded(
    root: Path, spec: JobSpec, story: Story, events: Events, redact: Redactor, stop: Stop
) -> int:
    try:
        return _work(root, spec, story, stop)
    except Stopped:
        return container.EXIT_PREEMPTED
    except Exception as error:
        _log_traceback(root, redact)
        if faults.is_out_of_memory(error):
            return EXIT_OUT_OF_MEMORY
        return _tell(events, error, root)


def _work(root: Path, spec: JobSpec, story: Story, stop: Stop) -> int:
    for library in ("TRANSFORMERS", "HF_HUB"):
        os.environ.setdefault(f"{library}_VERBOSITY", "error")
    story.enter("start")
    if spec.train and not (root / spec.train.model).is_dir():
        hub.prepare(os.environ)
    from .train import run

    return run(root, spec, story, stop)


def _tell(events: Events, error: Exception, root: Path) -> int:
    """The fault as an event, which the supervisor shows; on a full disk straight to the screen.

    Its paths are told below the root: where that lies, inside, says nothing to a user.
    """
    fault = faults.explain(error)
    text = str(fault).replace(f"{root}/", "")
    try:
        events.emit("error", text=text, hint=fault.hint, code=fault.exit_code)
    except OSError:
        print(f"error: {text}\n  hint: {fault.hint}", file=sys.stderr, flush=True)
    return fault.exit_code


def _log_traceback(root: Path, redact: Redactor) -> None:
    try:
        with (root / container.LOG).open("a") as log:
            log.write(redact(traceback.format_exc()))
    except OSError:
        # No room for it: the one line on the screen has to do.
        return


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Taking torch apart object by object takes a second, which is billed like any other.
    os._exit(code)
