"""`longshore devices`: the hardware of this machine as a job would see it."""

from dataclasses import asdict

import click

from ..costs.words import mib
from ..training.devices import Device, Hardware, describe
from .output import Table, show, show_json

MIB = 1 << 20
HEADINGS = ("DEVICE", "NAME", "MEMORY", "CAPABILITY", "BF16", "DRIVER", "USABLE")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def devices(as_json: bool) -> None:
    """The devices of this machine or container, and the limits that hold in it."""
    here = describe()
    if as_json:
        show_json(asdict(here))
        return
    show(Table(HEADINGS, [_row(device) for device in here.devices]))
    click.echo("\n".join(_limits(here)))


def _row(device: Device) -> tuple[str, ...]:
    return (
        device.id,
        device.name,
        "-" if device.memory is None else mib(device.memory // MIB),
        ".".join(map(str, device.capability)) if device.capability else "-",
        "yes" if device.bf16 else "no",
        device.driver or "-",
        f"no: {device.fault}" if device.fault else "yes",
    )


def _limits(here: Hardware) -> list[str]:
    shared = "none" if here.shared_memory is None else mib(here.shared_memory // MIB)
    torch = here.torch or "not installed (pip install 'longshore[train]')"
    return [
        f"{here.cpus:g} CPUs, {mib(here.memory // MIB)} of memory, {shared} of shared memory",
        f"torch {torch}",
    ]
