"""What a pod's container is given: its command, its environment and its folders."""

import contextlib
import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .catalog import HOST_CUDA
from .state import Pod

SECRET = re.compile(r"\{\{\s*RUNPOD_SECRET_([A-Za-z_][\w.\-/]*)\s*\}\}")
PUBLIC_IP = "127.0.0.1"


def command(args: str) -> tuple[list[str] | None, list[str] | None]:
    """(ENTRYPOINT, CMD) that `args` asks for; None leaves the image's own.

    A bare string is split as a shell would; a JSON object holds both (RunPod, REST v2, 2026-09).
    """
    if not args.strip():
        return None, None
    with contextlib.suppress(ValueError):
        given = json.loads(args)
        if isinstance(given, dict):
            return given.get("entrypoint") or None, given.get("cmd") or None
    return None, shlex.split(args)


def environment(
    pod: Pod, public: Mapping[int, int], secrets: Mapping[str, Any], api: str
) -> dict[str, str]:
    """RunPod's own variables, and the pod's with its secrets put in."""
    values = {secret["name"]: str(secret["value"]) for secret in secrets.values()}
    own = {
        name: SECRET.sub(lambda found: values.get(found[1], found[0]), value)
        for name, value in pod.env.items()
    }
    return _provided(pod, public, api) | own


def binds(pod: Pod, state: Path) -> dict[str, str]:
    """{folder here: folder there}; the folders are made."""
    found = {}
    if "persistent" in pod.mounts:
        found[str(own_folder(pod.id, state))] = str(pod.mounts["persistent"]["path"])
    for mount in pod.mounts.get("network", ()):
        found[str(network_folder(mount["volumeId"], state))] = str(mount["path"])
    for folder in found:
        Path(folder).mkdir(parents=True, exist_ok=True)
    return found


def own_folder(pod_id: str, state: Path) -> Path:
    return state / "pods" / pod_id


def network_folder(volume_id: str, state: Path) -> Path:
    return state / "volumes" / volume_id


def private_ports(pod: Pod, kinds: tuple[str, ...] = ("tcp", "http")) -> tuple[int, ...]:
    pairs = (text.split("/") for text in pod.ports)
    return tuple(int(number) for number, kind in pairs if kind in kinds)


def _provided(pod: Pod, public: Mapping[int, int], api: str) -> dict[str, str]:
    found = {
        "RUNPOD_POD_ID": pod.id,
        "RUNPOD_API_KEY": pod.key,
        "RUNPOD_API_BASE_URL": api,
        "RUNPOD_DC_ID": pod.data_center,
        "RUNPOD_POD_HOSTNAME": f"{pod.id}-{pod.key[-8:]}",
        "RUNPOD_GPU_COUNT": str(pod.gpu[1] if pod.gpu else 0),
        "RUNPOD_CPU_COUNT": str(pod.cpu[1] if pod.cpu else 8),
        "RUNPOD_PUBLIC_IP": PUBLIC_IP,
        "RUNPOD_VOLUME_ID": pod.network_volume or pod.id,
        "CUDA_VERSION": HOST_CUDA,
    }
    found |= {f"RUNPOD_TCP_PORT_{inner}": str(outer) for inner, outer in public.items()}
    if pod.public_key:
        found["PUBLIC_KEY"] = pod.public_key
    if pod.jupyter:
        found["JUPYTER_PASSWORD"] = pod.key[-20:]
    return found
