"""What the outside and the inside of a container agree on: paths, exit codes, file names.

Under ROOT (`/longshore`, or the run's work folder when there is no container):

    code/                the user's project (baked into the image), working folder of `run:`
    data/                what `sync.data`, the data set and a local model folder became, read-only
    outputs/             what comes home; MANIFEST is written last
    outputs/EVENTS       one JSON object a line, see `Event kinds`
    outputs/LOG          everything the job printed
    checkpoints/         step-000120/… each with COMMITTED written last
    cache/               tokenised data and hub downloads, kept between runs
    job.json             the JobSpec, paths relative to ROOT
    control/SECRETS      names and values, 0600, read once and deleted
    control/LEASE        touched by the watching side; see `training.supervise`
    control/DONE         {"code", "reason", "at"}: how the job ended
    control/START        on a pod: all is in place, begin; see `training.pod`
    control/STARTED      on a pod: the job has begun once, and never does again
    control/PID          on a pod: the process id of the entrypoint, for a signal
    control/TOKENS       on a pod: {service: token} of what is exposed, 0600

Event kinds (each has `t`, seconds since 1970, and `kind`; names are exact):

    phase       phase: start | load | data | train | eval | save | end
    hardware    device, name, count, memory_mib, cpus, ram_mib, precision
    plan        params, trainable, steps, epochs, tokens, batch_size, micro_batch, accumulation,
                sequence_length, flops_per_step, resumed_from (step or null)
    step        step, steps, loss, learning_rate, grad_norm, tokens_per_s, step_s, epoch,
                gpu_util, gpu_mib (null without NVML)
    eval        step, loss (held-out, mean negative log-likelihood in nats per token), baseline
    checkpoint  step, seconds, why: every | stop | end
    warning     text
    error       text, hint, code (the exit code)
    end         code, reason: done | preempted | deadline | lease | killed | oom | failed
"""

from typing import Final

ROOT: Final = "/longshore"
ROOT_VARIABLE: Final = "LONGSHORE_ROOT"

CODE: Final = "code"
DATA: Final = "data"
OUTPUTS: Final = "outputs"
CHECKPOINTS: Final = "checkpoints"
CACHE: Final = "cache"
CONTROL: Final = "control"

JOB: Final = "job.json"
EVENTS: Final = "outputs/events.jsonl"
LOG: Final = "outputs/train.log"
MANIFEST: Final = "outputs/MANIFEST.json"
COMMITTED: Final = "COMMITTED.json"
SECRETS: Final = "control/secrets.json"
LEASE: Final = "control/lease"
DONE: Final = "control/done.json"
START: Final = "control/start"
STARTED: Final = "control/started"
PID: Final = "control/pid"
TOKENS: Final = "control/tokens.json"

EXIT_DONE: Final = 0
EXIT_PREEMPTED: Final = 75
"""Stopped on request with a committed checkpoint (sysexits.h calls it EX_TEMPFAIL)."""

ENTRYPOINT: Final = ("python", "-m", "longshore.training")

POD: Final = "LONGSHORE_POD"
"""Set on a pod, where the container is the machine: the entrypoint then stays after the job."""
HOST_KEY: Final = "LONGSHORE_HOST_KEY"
"""The ssh host key of a pod (OpenSSH's private format, base64): known before it boots."""
LIFETIME: Final = "LONGSHORE_LIFETIME"
"""Seconds after which a pod ends itself, whatever else happens."""
IDLE: Final = "LONGSHORE_IDLE"
"""Seconds of silence, before or after its job, after which a pod ends itself."""
VOLUME: Final = "LONGSHORE_VOLUME"
"""A folder of a pod that outlives its container: outputs, checkpoints and control lie there."""
NAME: Final = "LONGSHORE_NAME"
"""The name of the order that a pod was made for."""
OWNER: Final = "LONGSHORE_OWNER"
"""Whose pod it is; see `runs.owner`."""

PUBLIC_KEY: Final = "PUBLIC_KEY"
"""The keys that may log in to a pod, one a line: RunPod's own name, which its images read too."""
BOOT: Final = "LONGSHORE_BOOT"
"""The script that makes a pod of an image that is not the job's own; see `images/boot.sh`."""

PORTS: Final = {"jupyter": 8888, "tensorboard": 6006}
"""Where exposed services listen inside, on 127.0.0.1 only."""
