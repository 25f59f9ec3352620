"""The one place that runs a build: a docker CLI as a child, or the engine's API."""

import base64
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING
from uuid import uuid4

from .builder import command, engine_parameters, proxies, refuse_store, secret_files
from .faults import build_error
from .probe import Builder
from .progress import Progress
from .tag import Plan
from .trace import Trace

if TYPE_CHECKING:
    from docker import DockerClient

GRACE_SECONDS = 5


def run(plan: Plan, builder: Builder, client: "DockerClient", progress: Progress) -> None:
    """Build the plan's staged context; raises BuildError with the last words and a hint."""
    with _pip_conf(plan):
        if builder.kind == "engine":
            refuse_store(client)
            _run_engine(plan, client, progress)
        else:
            run_command(command(plan, builder), progress)


def run_command(argv: list[str], progress: Progress) -> None:
    """Run a build command to its end; an interruption ends the child before it goes on."""
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as child:
        try:
            for line in child.stdout or ():
                progress.feed(line)
        except BaseException:
            _end(child)
            raise
    if child.returncode:
        raise build_error(progress, child.returncode)


def _end(child: subprocess.Popen[str]) -> None:
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


@contextmanager
def _pip_conf(plan: Plan) -> Iterator[None]:
    """The caller's own pip settings as a file only they can read, while the build runs."""
    if not plan.spec.pip_settings or plan.spec.secrets.pip_conf:
        yield
        return
    handle = os.open(plan.pip_conf, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(plan.spec.pip_settings)
    try:
        yield
    finally:
        plan.pip_conf.unlink(missing_ok=True)


def _run_engine(plan: Plan, client: "DockerClient", progress: Progress) -> None:
    private = {name: os.environ[name] for name in proxies()}
    build_id = uuid4().hex
    parameters = {**engine_parameters(plan, private), "buildid": build_id}
    api = client.api
    url = f"{api.base_url}/v{api.api_version}/build"
    with tempfile.TemporaryFile(dir=plan.folder.parent) as context:
        _pack(plan, context)
        try:
            answer = api.post(
                url,
                params=parameters,
                data=context,
                headers={"Content-Type": "application/x-tar"},
                stream=True,
                timeout=None,
            )
            _follow(answer.iter_lines(), progress)
        except KeyboardInterrupt:
            api.post(f"{url}/cancel", params={"id": build_id})
            raise


def _pack(plan: Plan, target: IO[bytes]) -> None:
    """The context as a tar; in GNU's format, because BuildKit takes a PAX one for a Dockerfile.

    Without the CLI's session there are no build secrets: they travel as files of this tar,
    which the Dockerfile mounts and no layer keeps.
    """
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.add(plan.folder, arcname=".")
        for name, path in secret_files(plan).items():
            tar.add(path.resolve(), arcname=f"./.longshore/secrets/{name}")
    target.seek(0)


def _follow(lines: Iterator[bytes], progress: Progress) -> None:
    trace = Trace()
    fault = ""
    for line in filter(None, lines):
        message = json.loads(line)
        if message.get("id") == "moby.buildkit.trace":
            for one in trace.lines(base64.b64decode(message["aux"])):
                progress.feed(one)
        elif "error" in message or "message" in message:
            fault = str(message.get("error") or message["message"])
            progress.feed(fault)
    if fault:
        raise build_error(progress, 1)
