"""A job's root with a tiny model made from a config, and ways to run the job in it."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest

from longshore.configs import container, jobfile
from longshore.configs.spec import JobSpec, Lora, Train

from ..conftest import texts

Event = dict[str, object]


class Ended(NamedTuple):
    """How the entrypoint ended, and what it showed."""

    code: int
    screen: str
    errors: str


TINY = Train(
    recipe="full",
    model="data/model",
    dataset="data/train.jsonl",
    init="random",
    sequence_length=32,
    batch_size=4,
    micro_batch=2,
    max_steps=8,
    epochs=4.0,
    learning_rate=1e-2,
    log_every=3,
    lora=Lora(rank=4, alpha=8, dropout=0.1),
)


@dataclass(frozen=True)
class Site:
    """A job's root folder, and what one can see of the job from outside."""

    path: Path

    def write_job(self, spec: JobSpec) -> None:
        (self.path / container.JOB).write_text(jobfile.dump(spec))

    def change(self, **changes: Any) -> None:
        """Change fields of the job's training."""
        spec = self.spec
        assert spec.train
        self.write_job(replace(spec, train=replace(spec.train, **changes)))

    @property
    def spec(self) -> JobSpec:
        return jobfile.parse((self.path / container.JOB).read_text())

    def start(self, **env: str) -> subprocess.Popen[str]:
        """The entrypoint as a process of its own, as a container would start it."""
        return subprocess.Popen(
            [sys.executable, "-m", "longshore.training"],
            env={**os.environ, container.ROOT_VARIABLE: str(self.path), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, **env: str) -> Ended:
        """Start it and wait for its end."""
        process = self.start(**env)
        screen, errors = process.communicate(timeout=60)
        return Ended(process.returncode, screen, errors)

    def events(self, kind: str = "") -> list[Event]:
        lines = self.read(container.EVENTS).splitlines()
        found: list[Event] = [json.loads(line) for line in lines]
        return [event for event in found if kind in ("", event["kind"])]

    def done(self) -> Event:
        found: Event = json.loads(self.read(container.DONE))
        return found

    def read(self, name: str) -> str:
        return (self.path / name).read_text()

    def wait_for(self, name: str, word: str = "") -> None:
        """Wait until a file of the root holds a word."""
        for _ in range(600):
            if (self.path / name).is_file() and word in self.read(name):
                return
            time.sleep(0.05)
        raise AssertionError(f"{name} never held {word!r}")


MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> MakeSite:
    """Makes a root with a job in it; the arguments are fields of JobSpec."""

    def make(name: str = "root", **fields: Any) -> Site:
        site = Site(tmp_path / name)
        for folder in ("data", "code", "control"):
            (site.path / folder).mkdir(parents=True, exist_ok=True)
        site.write_job(replace(JobSpec("test"), **fields))
        return site

    return make


@pytest.fixture
def make_training(make_site: MakeSite, tiny_model: Path) -> MakeSite:
    """Makes a root with a tiny model, twelve lines of data and a training; arguments change it."""

    def make(name: str = "root", **changes: Any) -> Site:
        site = make_site(name, train=replace(TINY, **changes))
        shutil.copytree(tiny_model, site.path / "data/model")
        lines = [json.dumps({"text": text}) for text in texts(12)]
        (site.path / "data/train.jsonl").write_text("\n".join(lines))
        return site

    return make


@dataclass
class Asked:
    """A GraphQL server's memory: the keys and queries it got, and the answers it has left."""

    answers: list[tuple[int, Any]]
    queries: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    @property
    def verbs(self) -> list[str]:
        return [query.split()[2].split("(")[0] for query in self.queries]


Serve = Callable[..., tuple[str, Asked]]


@pytest.fixture
def graphql() -> Iterator[Serve]:
    """Serves the given answers on a host, the last one again and again; its address and memory."""
    servers: list[ThreadingHTTPServer] = []

    def serve(*answers: tuple[int, Any], host: str = "127.0.0.1") -> tuple[str, Asked]:
        asked = Asked(list(answers))

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked.queries.append(json.loads(body)["query"])
                asked.keys.append(str(self.headers["Authorization"]))
                status, answer = asked.answers[min(len(asked.queries), len(asked.answers)) - 1]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer((host, 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://{host}:{server.server_port}", asked

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
