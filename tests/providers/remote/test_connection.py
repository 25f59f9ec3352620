"""Commands that reach into a machine are values: who is trusted and what is shared is in them."""

import shlex
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from longshore.errors import ProviderError
from longshore.providers.remote import Address, Connection, Keys, banner, sockets

from .doubles import free_port


@pytest.fixture
def connection() -> Connection:
    return Connection(Address("203.0.113.7", 40022), Keys(Path('/state/o"d 100%/otter')))


def options(words: list[str]) -> dict[str, str]:
    return dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "-o")


def test_every_command_checks_the_host_key(connection: Connection) -> None:
    """No way in trusts a key on first use, asks anybody, or reads the user's own settings."""
    ways = [
        connection.ssh_words("true"),
        connection.shell_words(),
        connection.tunnel_words({8888: 8888}),
        shlex.split(connection.rsync_words([], "a", "b")[2]),
    ]
    for words in ways:
        assert words[:3] == ["ssh", "-F", "/dev/null"]
        assert words[3:5] == ["-p", "40022"]
        said = options(words)
        assert said["StrictHostKeyChecking"] == "yes"
        assert said["GlobalKnownHostsFile"] == "/dev/null"
        assert said["BatchMode"] == said["IdentitiesOnly"] == "yes"
        assert said["Ciphers"].startswith("aes128-gcm@openssh.com,chacha20")
        assert said["UserKnownHostsFile"] == '"/state/o\\"d 100%%/otter/known_hosts"'


def test_a_command_is_the_last_word(connection: Connection) -> None:
    """Whatever the command holds, no option of ssh can be made of it."""
    assert connection.ssh_words("-oProxyCommand=x")[-3:] == [
        "--",
        "root@203.0.113.7",
        "-oProxyCommand=x",
    ]
    assert connection.shell_words(["ls", "a b", "$(x)"])[-1] == "ls 'a b' '$(x)'"
    assert connection.shell_words()[-2:] == ["--", "root@203.0.113.7"]


def test_a_tunnel_is_on_loopback_at_both_ends(connection: Connection) -> None:
    """Nobody else may reach what it leads to, and a port that is taken ends it."""
    words = connection.tunnel_words({9000: 8888, 6006: 6006})
    leads = [words[at + 1] for at, word in enumerate(words) if word == "-L"]
    assert leads == ["127.0.0.1:9000:127.0.0.1:8888", "127.0.0.1:6006:127.0.0.1:6006"]
    assert options(words)["ExitOnForwardFailure"] == "yes"
    assert "-N" in words


def test_only_what_we_run_ourselves_is_shared(connection: Connection) -> None:
    """A shell or a tunnel of the user's ends by itself, and not with our connections."""
    assert options(connection.ssh_words("true"))["ControlMaster"] == "auto"
    for words in (connection.shell_words(), connection.tunnel_words({1: 1})):
        assert "ControlPath" not in options(words)


def test_a_transfer_has_a_connection_of_its_own(connection: Connection) -> None:
    """Questions do not wait behind a file; another machine or address is another connection."""
    moved = Connection(Address("203.0.113.7", 40023), connection.keys)
    other = Connection(connection.address, Keys(Path("/state/other")))
    paths = [one.control("talk") for one in (connection, moved, other)]
    assert len({*paths, connection.control("files")}) == 4


@pytest.mark.parametrize("runtime", ["", "relative", "/run/user/1000", "/very" * 30])
def test_a_socket_fits_into_its_path(
    connection: Connection, runtime: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """104 bytes is all that a Mac allows, of which ssh takes 18 while it makes one."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
    assert connection.control("talk").is_absolute()
    assert len(str(connection.control("talk"))) < 104 - 18


def test_a_folder_for_sockets_that_others_can_enter_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever could put a socket there could listen to all we send."""
    with tempfile.TemporaryDirectory(dir="/tmp") as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        sockets.prepare()
        sockets.prepare()
        (Path(runtime) / "longshore").chmod(0o755)
        with pytest.raises(ProviderError, match="is open to others") as caught:
            sockets.prepare()
    assert "XDG_RUNTIME_DIR" in caught.value.hint


@pytest.mark.parametrize(
    ("host", "port"), [("-oProxyCommand=x", 22), ("a b", 22), ("", 22), ("a", 0), ("a", 65536)]
)
def test_what_is_no_address_is_refused(host: str, port: int) -> None:
    """A cloud's answer cannot become an option of ssh."""
    with pytest.raises(ProviderError, match="is no address"):
        Address(host, port)


def test_an_address_of_the_new_kind() -> None:
    """IPv6 has colons of its own."""
    address = Address("2001:db8::7", 40022)
    assert str(address) == "[2001:db8::7]:40022"
    assert address.remote("/longshore/data") == "root@[2001:db8::7]:/longshore/data"
    assert address.login == "root@2001:db8::7"


GREETINGS = [
    (b"SSH-2.0-OpenSSH_9.2\r\n", True),
    (b"HTTP/1.1 400 Bad Request\r\n", False),
    (b"SS", False),
    (b"", False),
]


@pytest.mark.parametrize(("said", "is_ssh"), GREETINGS)
def test_a_banner_tells_ssh_from_all_else(said: bytes, is_ssh: bool) -> None:
    """A port that is open, and closed by a proxy at once, is not yet a machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            stream, _ = listener.accept()
            with stream:
                stream.sendall(said)

        thread = threading.Thread(target=greet)
        thread.start()
        assert banner(Address("127.0.0.1", listener.getsockname()[1]), 2) is is_ssh
        thread.join()


def test_no_banner_from_a_port_that_is_closed_or_silent() -> None:
    """Neither is an error: one asks again."""
    assert not banner(Address("127.0.0.1", free_port()), 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not banner(Address("127.0.0.1", listener.getsockname()[1]), 0.1)
