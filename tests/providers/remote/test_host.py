"""A machine is asked and told over ssh; what breaks on the way is ours to mend or to name."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from operator import methodcaller
from pathlib import Path
from typing import Literal

import pytest

from longshore.configs import container
from longshore.errors import MachineLostError, ProviderError, SyncError, UnreachableError
from longshore.providers.base import Exit, Host, Reaches
from longshore.providers.remote import Address, Connection, Keys, RemoteHost
from longshore.providers.remote.client import AgentClient
from longshore.providers.remote.line import Line
from longshore.providers.remote.messages import AT_MOST, Question

from .doubles import Finder, Link, Server, free_port, kill

LOST = MachineLostError("the pod is gone")
SILENT = UnreachableError("RunPod does not answer")


def test_it_is_a_host_that_can_be_entered(host: RemoteHost) -> None:
    """The run's code sees nothing but the boundary."""
    as_host: Host = host
    assert isinstance(as_host, Reaches)


def test_what_is_written_is_read_back(host: RemoteHost, root: Path) -> None:
    """Whole files go in with their mode; a file that is not there reads as empty."""
    host.write("control/secrets.json", b"0123456789", mode=0o600)
    assert (root / "control/secrets.json").stat().st_mode & 0o777 == 0o600
    assert host.read("control/secrets.json", 4) == b"456789"
    assert host.read("control/secrets.json", 99) == b""
    assert host.read("control/nothing") == b""


def test_a_long_file_is_read_whole(host: RemoteHost, root: Path) -> None:
    """A log that outgrew one answer comes in several, also when it ends where an answer does."""
    content = os.urandom(AT_MOST) + os.urandom(AT_MOST)
    for size in (AT_MOST - 1, AT_MOST, 2 * AT_MOST):
        (root / "log").write_bytes(content[:size])
        assert host.read("log") == content[:size]
        assert host.read("log", 7) == content[7:size]


@pytest.mark.parametrize("name", ["a b", "line\nbreak", "-rf", "'\"$(x)`", "ø漢", "#;\\", "\udcff"])
def test_a_name_may_hold_anything(host: RemoteHost, root: Path, name: str) -> None:
    """No shell on either side makes something of a path."""
    host.write(f"data/{name}", name.encode(errors="surrogateescape"))
    assert (root / "data" / name).read_bytes() == host.read(f"data/{name}")


def test_a_file_is_there_whole_or_not_at_all(host: RemoteHost, root: Path) -> None:
    """A write that fails leaves the file of before, and no part of a new one."""
    host.write("control/lease", b"old")
    (root / "control/shut").mkdir()
    with pytest.raises(SyncError, match="control/shut: Is a directory"):
        host.write("control/shut", b"new")
    assert sorted(path.name for path in (root / "control").iterdir()) == ["lease", "shut"]


def test_a_full_disk_there_is_told_with_what_to_do(machine: Connection, small_disk: Path) -> None:
    """The machine's disk can be larger next time; ours has nothing to do with it."""
    host = RemoteHost(Finder(machine), str(small_disk))
    with pytest.raises(SyncError, match="No space left on device") as caught:
        host.write("outputs/x", b"x" * 3 * 1024**2)
    assert "resources.disk" in caught.value.hint
    assert list((small_disk / "outputs").iterdir()) == []


def test_start_is_said_once(host: RemoteHost, root: Path) -> None:
    """The pod's own process looks for the file; that it is there twice over changes nothing."""
    assert host.poll() is None
    host.start()
    host.start()
    assert (root / container.START).is_file()
    assert host.poll() is None


ACCOUNTS = [
    (b'{"code": 0, "reason": "done", "at": 1}', Exit(0)),
    (b'{"code": 75, "reason": "preempted", "at": 1}', Exit(75)),
    (b'{"code": 137, "reason": "oom", "at": 1}', Exit(137, out_of_memory=True)),
    (b'{"code": 137, "rea', None),
    (b"[]", None),
    (b"", None),
]


@pytest.mark.parametrize(("account", "exit_"), ACCOUNTS)
def test_the_jobs_own_account_tells_how_it_ended(
    host: RemoteHost, root: Path, account: bytes, exit_: Exit | None
) -> None:
    """Half an account is none yet."""
    (root / "control").mkdir()
    (root / container.DONE).write_bytes(account)
    assert host.poll() == exit_


@contextmanager
def entrypoint(root: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A process that leads its group, as the pod starts one, and the number of its child."""
    script = (
        "import signal,subprocess,sys,time;"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(75));"
        "print(subprocess.Popen(['sleep','60']).pid,flush=True);time.sleep(60)"
    )
    words = [sys.executable, "-c", script]
    with subprocess.Popen(words, stdout=subprocess.PIPE, process_group=0) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        (root / container.PID).write_text(f"{parent.pid}\n")
        yield parent, child
        kill(parent.pid)
        kill(child)


@pytest.mark.parametrize(("name", "code"), [("TERM", 75), ("KILL", -9)])
def test_a_signal_reaches_the_entrypoint(
    host: RemoteHost, root: Path, name: Literal["TERM", "KILL"], code: int
) -> None:
    """TERM is for the entrypoint to act on, and for it alone; KILL ends its whole group."""
    host.start()
    with entrypoint(root) as (parent, child):
        host.signal(name)
        assert parent.wait(10) == code
        assert is_alive(child) is (name == "TERM")


def test_a_signal_waits_for_a_job_that_is_just_starting(host: RemoteHost, root: Path) -> None:
    """Ctrl-C in the moment between `start` and the first process is not lost."""
    host.start()
    asking = threading.Thread(target=host.signal, args=("TERM",))
    asking.start()
    time.sleep(0.1)
    with entrypoint(root) as (parent, _):
        assert parent.wait(10) == 75
        asking.join()


def test_a_signal_to_what_does_not_run_is_nothing(host: RemoteHost, root: Path) -> None:
    """Before the start, after the end, and where the process has gone, there is nobody to tell."""
    host.signal("TERM")
    host.start()
    (root / container.PID).write_text("999999999")
    host.signal("TERM")
    (root / container.PID).write_text(str(os.getpid()))
    (root / container.DONE).write_text(json.dumps({"code": 0, "reason": "done"}))
    host.signal("KILL")


def is_alive(pid: int) -> bool:
    """Whether it runs; one that was killed is given time to be gone."""
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state == "Z":
            return False
        time.sleep(0.02)
    return True


def test_another_host_key_is_refused(server: Server, finder: Finder, root: Path) -> None:
    """A machine that took over the address is told nothing, and is not asked twice."""
    server.stop()
    server.start(host_key=Keys.make("somebody-else").host_private)
    finder.connection = Connection(server.address, finder.connection.keys)
    host = RemoteHost(finder, str(root))
    for reach in (methodcaller("write", "x", b"secret"), methodcaller("put", Path(__file__), "x")):
        with pytest.raises(ProviderError, match="does not have the host key of our machine") as e:
            reach(host)
        assert not isinstance(e.value, UnreachableError)
        assert str(server.address) in str(e.value)
    assert list(root.iterdir()) == []
    assert "Accepted publickey" not in (server.folder / "log").read_text()
    assert finder.calls == 3
    host.close()


def test_a_key_that_is_refused_is_no_passing_fault(server: Server, finder: Finder) -> None:
    """The machine is ours by its host key, and does not know us: waiting would not help."""
    server.stop()
    server.start(authorized=Keys.make("somebody-else").public)
    finder.connection = Connection(server.address, finder.connection.keys)
    with pytest.raises(ProviderError, match="refuses the key") as caught:
        RemoteHost(finder).poll()
    assert not isinstance(caught.value, UnreachableError)


def moved(server: Server, finder: Finder) -> None:
    """Start the machine again, on another port, which only `find` learns of."""
    server.stop()
    server.start()
    finder.queue = [Connection(server.address, finder.connection.keys)]


CALLS = [
    methodcaller("poll"),
    methodcaller("read", "outputs/x"),
    methodcaller("write", "new", b"x"),
    methodcaller("put", Path(__file__), "data/file"),
    methodcaller("get", "outputs", Path("home")),
]


@pytest.mark.parametrize("reach", CALLS, ids=str)
def test_a_port_that_moves_is_found(
    server: Server,
    finder: Finder,
    frail: RemoteHost,
    root: Path,
    reach: Callable[[Host], object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The call that meets the closed port asks anew where the machine is, and succeeds."""
    monkeypatch.chdir(tmp_path)
    (root / "outputs").mkdir()
    (root / "outputs/x").touch()
    reach(frail)
    assert finder.calls == 1
    moved(server, finder)
    reach(frail)
    assert finder.calls == 2


def test_a_stale_address_of_somebody_else_is_left(
    server: Server, finder: Finder, frail: RemoteHost
) -> None:
    """Another machine at the old port is no fault once ours is known to be elsewhere."""
    stranger = Server(server.program, Keys.make("stranger"), server.folder.parent / "stranger")
    stranger.start()
    keys = finder.connection.keys
    finder.queue = [Connection(stranger.address, keys), Connection(server.address, keys)]
    frail.write("x", b"x")
    assert finder.calls == 2
    stranger.stop()


DEAD = [
    *[(reach, LOST) for reach in (*CALLS, methodcaller("start"), methodcaller("signal", "TERM"))],
    *[(reach, SILENT) for reach in CALLS if "read" not in str(reach)],
]


@pytest.mark.parametrize(("reach", "said"), DEAD, ids=str)
def test_what_the_provider_says_of_a_dead_line_is_passed_on(
    server: Server,
    finder: Finder,
    frail: RemoteHost,
    said: ProviderError,
    reach: Callable[[Host], object],
) -> None:
    """Gone is gone; and while the provider is silent too, nobody can say."""
    frail.write("outputs/x", b"")
    server.stop()
    finder.queue = [said] * 9
    with pytest.raises(type(said)) as caught:
        reach(frail)
    assert caught.value is said


def test_a_machine_that_does_not_answer_is_waited_for(finder: Finder, frail: RemoteHost) -> None:
    """The provider says that it runs where it ran: the caller decides how long to be patient."""
    finder.connection = Connection(Address("127.0.0.1", free_port()), finder.connection.keys)
    with pytest.raises(UnreachableError, match=r"does not answer.*Connection refused"):
        frail.poll()
    assert finder.calls == 2


def test_an_agent_that_dies_is_replaced(server: Server, finder: Finder, frail: RemoteHost) -> None:
    """The next question finds a new one, without anybody noticing."""
    frail.write("x", b"1")
    for number in range(3):
        (agent,) = server.agents()
        kill(agent)
        if number:
            time.sleep(0.1)
        assert frail.read("x") == b"1"


def test_a_link_that_hangs_is_given_up(link: Link, finder: Finder, root: Path) -> None:
    """A network that swallows everything is no reason to wait for ever; later all is well again."""
    finder.connection = Connection(Address("127.0.0.1", link.port), finder.connection.keys)
    client = AgentClient(Line(finder), silence=1.0)
    question = Question.read(str(root / "x"))
    client.ask(question)
    link.goes_on.clear()
    with pytest.raises(UnreachableError, match="has been silent for 1 s"):
        client.ask(question)
    link.goes_on.set()
    client.ask(question)
    client.close()


@pytest.mark.parametrize(
    "reach", [methodcaller("poll"), methodcaller("put", Path(__file__), "x")], ids=str
)
def test_a_machine_without_our_programs_is_named(
    server: Server,
    finder: Finder,
    frail: RemoteHost,
    reach: Callable[[Host], object],
) -> None:
    """What its image lacks cannot be mended by waiting."""
    server.stop()
    server.start(environment="PATH=/nowhere")
    finder.connection = Connection(server.address, finder.connection.keys)
    with pytest.raises(ProviderError, match=r"a program is missing .*not found") as caught:
        reach(frail)
    assert not isinstance(caught.value, UnreachableError)
    assert "python3 and rsync" in caught.value.hint


def test_keys_may_lie_anywhere(
    sshd: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of the user's state folder means nothing to ssh, rsync or a shell."""
    monkeypatch.setenv("LONGSHORE_STATE", str(tmp_path / 'it\'s a "100%h" $HOME #\\ ø'))
    server = Server(sshd, Keys.make("otter"), tmp_path / "sshd")
    with closing(server):
        server.start()
        host = RemoteHost(Finder(Connection(server.address, server.keys)), str(root))
        with closing(host):
            host.put(Path(__file__), "x")
            assert host.read("x") == Path(__file__).read_bytes()


def test_a_shell_runs_what_it_is_given(host: RemoteHost) -> None:
    """Word for word."""
    words = host.shell(["printf", "%s|", "a b", "$HOME", "'\n"])
    assert subprocess.check_output(words, text=True) == "a b|$HOME|'\n|"


def test_a_tunnel_leads_there_until_it_is_ended(host: RemoteHost) -> None:
    """A port of this machine answers as the other's does; afterwards it is closed."""
    port = free_port()
    with socket.create_server(("127.0.0.1", 0)) as service:
        words = host.tunnel({port: service.getsockname()[1]})
        with subprocess.Popen(words) as tunnel:
            while not is_open(port):
                assert tunnel.poll() is None
                time.sleep(0.02)
            service.accept()[0].close()
            with socket.create_connection(("127.0.0.1", port), 5) as near:
                far, _ = service.accept()
                far.sendall(b"hello")
                assert near.recv(5) == b"hello"
                far.close()
            tunnel.terminate()
    assert not is_open(port)


def is_open(port: int) -> bool:
    with socket.socket() as stream:
        return bool(stream.connect_ex(("127.0.0.1", port)) == 0)
