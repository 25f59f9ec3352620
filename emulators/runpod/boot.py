"""One boot of a pod: from the pull of its image until its container is gone."""

import threading
import time
from collections.abc import Callable, Iterator
from math import inf

from .containers import ImageError, Shape, StartError, labels
from .ground import Ground
from .inside import binds, command, environment, own_folder, private_ports
from .logs import Log
from .ports import Gate
from .state import Pod
from .timeline import Timeline

RESTART_SECONDS = 0.1
LONGEST_PAUSE = 60.0
STEADY_SECONDS = 10.0
"""Docker's own restart policy: pauses double while a container does not last for ten seconds."""
SSH = 22
STAGES = ("PROVISIONING", "STARTING", "RUNNING")
"""Where a boot on a broken host can get stuck."""


class Boot:
    """Runs in a thread of its own; `end` calls it off."""

    def __init__(
        self, ground: Ground, pod: Pod, log: Log, timeline: Timeline, after: "Boot | None"
    ) -> None:
        self.over = threading.Event()
        self.gates: list[Gate] = []
        self.container = ""
        self.stuck_at: str | None = None
        """A stage that this boot never leaves, as on a broken host."""
        self._ground, self._pod, self._log = ground, pod, log
        self._timeline, self._after = timeline, after
        self._began = ground.clock.now()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"pod-{pod.id}")

    def begin(self) -> None:
        self._thread.start()

    def join(self) -> None:
        if self._thread.ident and self._thread is not threading.current_thread():
            self._thread.join()

    def end(self, grace: float | None) -> None:
        """Call it off and wait for its end: SIGTERM and `grace` seconds, or SIGKILL for None."""
        with self._lock:
            self.over.set()
            container = self.container
        self._ground.clock.ring()
        if grace is None and self._after:
            self._after.end(None)
        if container and grace is None:
            self._ground.engine.kill(container)
        elif container and grace is not None:
            self._ground.engine.stop(container, grace)
        self.join()

    def move_port(self, private: int) -> None:
        """Another public port for a private one: the old one is dead at once."""
        with self._lock:
            old = self._gate_of(private)
            new = self._gate(private)
            self.gates[self.gates.index(old)] = new
        old.close()
        new.open()
        known = self._ground.clock.now() + self._timeline.stale
        threading.Thread(target=self._follow, args=([(known, self._show)],), daemon=True).start()

    def cut(self, after: int) -> None:
        for gate in self.gates:
            gate.cut(after)

    def slow(self, rate: float | None) -> None:
        for gate in self.gates:
            gate.rate = rate

    def crash(self) -> None:
        """End the container as a fault of its own would."""
        self._ground.engine.kill(self.container)

    def _run(self) -> None:
        if self._after:
            self._after.join()
        self._began = self._ground.clock.now()
        try:
            if self._bring_up():
                self._keep_up()
        except ImageError as error:
            self._fail(str(error))
        finally:
            self._clear()

    def _bring_up(self) -> bool:
        """Whether there is a container to run; not when the boot was called off before."""
        self._pull()
        if not self._reach(self._timeline.starting, "PROVISIONING"):
            return False
        self._move("STARTING")
        self.gates = [self._gate(port) for port in private_ports(self._pod)]
        with self._lock:
            if self.over.is_set():
                return False
            self.container = self._ground.engine.create(self._shape())
        self._log.add("system", f"create container {self._pod.image}")
        return True

    def _keep_up(self) -> None:
        """Run the container, again whenever it ends: its restart policy is 'always'."""
        opener = threading.Thread(target=self._open, daemon=True)
        opener.start()
        pause = RESTART_SECONDS
        while not self.over.is_set():
            began = time.monotonic()
            try:
                self._run_once()
            except StartError as error:
                self._log.add("system", f"error starting container: {error}")
            steady = time.monotonic() - began > STEADY_SECONDS
            pause = RESTART_SECONDS if steady else min(2 * pause, LONGEST_PAUSE)
            self.over.wait(pause)
        opener.join()

    def _run_once(self) -> None:
        output = self._start()
        if output is None:
            return
        self._log.add("system", "start container")
        self._listen(output)
        code = self._ground.engine.exit_code(self.container)
        self._log.add("system", f"container exited with code {code}")

    def _start(self) -> Iterator[bytes] | None:
        with self._lock:
            if self.over.is_set():
                return None
            output = self._ground.engine.run(self.container)
        self._ground.world.change(self._pod.id, started=self._ground.clock.now())
        return output

    def _listen(self, output: Iterator[bytes]) -> None:
        rest = b""
        for chunk in output:
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                self._log.add("container", line.decode(errors="replace").rstrip("\r"))
        if rest:
            self._log.add("container", rest.decode(errors="replace"))

    def _open(self) -> None:
        """What comes with time once the container was made: RUNNING, ports, sshd."""
        if not self._reach(self._timeline.running, "STARTING"):
            return
        self._move("RUNNING")
        if self.stuck_at == "RUNNING":
            self._ground.world.change(self._pod.id, silent=True)
            return
        late = self._timeline.stale if self._pod.shown else 0
        steps = [
            (self._timeline.ports, self._open_gates),
            (self._timeline.ports + late, self._show),
            (self._timeline.sshd, self._open_ssh),
        ]
        self._follow([(self._began + delay, step) for delay, step in steps])

    def _follow(self, steps: list[tuple[float, Callable[[], None]]]) -> None:
        for moment, step in sorted(steps, key=lambda pair: pair[0]):
            if not self._ground.clock.wait_until(moment, self.over):
                return
            with self._lock:
                if not self.over.is_set():
                    step()

    def _open_gates(self) -> None:
        for gate in self.gates:
            gate.ready = gate.private != SSH
            gate.open()

    def _open_ssh(self) -> None:
        for gate in self.gates:
            gate.ready = True

    def _show(self) -> None:
        shown = {gate.private: gate.public for gate in self.gates}
        self._ground.world.change(self._pod.id, shown=shown)

    def _reach(self, delay: float, stage: str) -> bool:
        """Whether the time for the next stage came; never on a host that is stuck before it."""
        moment = inf if self.stuck_at == stage else self._began + delay
        return self._ground.clock.wait_until(moment, self.over)

    def _pull(self) -> None:
        registry = self._ground.world.registries.get(self._pod.registry or "")
        login = {"username": registry.username, "password": registry.password} if registry else None
        if self._ground.engine.pull(self._pod.image, login):
            self._log.add("system", f"image pull: {self._pod.image}: complete")

    def _shape(self) -> Shape:
        entrypoint, words = command(self._pod.args)
        ground = self._ground
        public = {gate.private: gate.public for gate in self.gates}
        return Shape(
            name=f"lsemu-{ground.port}-{self._pod.id}",
            image=self._pod.image,
            entrypoint=entrypoint,
            command=words,
            environment=environment(self._pod, public, ground.world.secrets, ground.api),
            binds=binds(self._pod, ground.state),
            labels=labels(ground.port, own_folder(self._pod.id, ground.state)),
            ports=private_ports(self._pod),
        )

    def _gate(self, private: int) -> Gate:
        return Gate(private, lambda: self._ground.engine.address(self.container, private))

    def _gate_of(self, private: int) -> Gate:
        return next(gate for gate in self.gates if gate.private == private)

    def _move(self, status: str) -> None:
        if not self.over.is_set():
            self._ground.world.move(self._pod.id, status, self._ground.clock.now())

    def _fail(self, words: str) -> None:
        """The host gives up; the API says no more than EXITED, the system log says why."""
        self._log.add("system", words)
        now = self._ground.clock.now()
        self.over.set()
        self._ground.world.move(self._pod.id, "EXITED", now, "Exited by Runpod")

    def _clear(self) -> None:
        for gate in self.gates:
            gate.close()
        if self.container:
            self._ground.engine.remove(self.container)
