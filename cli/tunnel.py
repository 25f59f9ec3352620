"""`longshore tunnel`: ports of a run's machine on this one, until Ctrl-C."""

import json
import subprocess

import click

from ..configs.container import PORTS, TOKENS
from ..errors import ConfigError, UnreachableError
from ..providers.base import Host
from ..runs.ledger import Ledger
from ..runs.tunnels import address, free_port
from .reached import reached


@click.command()
@click.argument("run_name", metavar="RUN")
@click.argument("what", metavar="[SERVICE|PORT]...", nargs=-1)
def tunnel(run_name: str, what: tuple[str, ...]) -> None:
    """Lead services or ports of RUN's machine to this one through ssh, until Ctrl-C.

    Without SERVICE or PORT: all that the job exposes. Nothing of it is public.
    """
    ledger = Ledger()
    run = ledger.find(run_name)
    ports = {name: _port(name) for name in what or run.spec.expose if name != "ssh"}
    if not ports:
        raise ConfigError(
            f"run {run.id} exposes nothing", "name a port, or deploy with --expose jupyter"
        )
    host, way = reached(run, ledger)
    here = {free_port(port): name for name, port in ports.items()}
    tokens = _tokens(host)
    for port, name in here.items():
        click.echo(f"{name}: {address(name, port, tokens)}")
    command = way.tunnel({port: ports[name] for port, name in here.items()})
    if subprocess.run(command, check=False).returncode:
        raise UnreachableError("the tunnel ended", "`longshore ps` says whether the run goes on")


def _port(text: str) -> int:
    if text in PORTS:
        return PORTS[text]
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise ConfigError(f"{text!r} is no service and no port", f"there are: {', '.join(PORTS)}")


def _tokens(host: Host) -> dict[str, str]:
    found: dict[str, str] = json.loads(host.read(TOKENS) or b"{}")
    return found
