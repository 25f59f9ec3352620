"""Pods, volumes and the rest as REST v2 shows them."""

from collections.abc import Mapping
from typing import Any

from .catalog import HOST_CUDA, cpu_types
from .clock import stamp
from .inside import PUBLIC_IP
from .state import ACTIONS, Pod, Volume

RAM_GB_PER_GPU = 62.0
VCPUS_PER_GPU = 16.0
INSIDE_IP = "100.65.0.2"
"""Where RunPod's own HTTP proxy finds a pod; nobody else does."""
JSON = dict[str, Any]


def pod(pod: Pod, now: float) -> JSON:
    found: JSON = {
        "id": pod.id,
        "name": pod.name,
        "status": pod.status,
        "actions": list(ACTIONS.get(pod.status, ())),
        "image": pod.image,
        "args": pod.args,
        "disk": pod.disk,
        "mounts": pod.mounts,
        "ports": list(pod.ports),
        "env": pod.env,
        "registry": pod.registry,
        "cloud": pod.cloud,
        "dataCenterId": pod.data_center,
        "cudaVersion": HOST_CUDA if pod.gpu else None,
        "ssh": ssh(pod),
        "template": pod.template,
        "cost": round(float(pod.cost), 6),
        "locked": pod.locked,
        "runtime": runtime(pod, now),
        "createdAt": stamp(pod.created),
        "startedAt": stamp(pod.started) if pod.started else None,
        "globalNetworking": {"enabled": pod.global_networking},
    }
    return found | _compute(pod)


def runtime(pod: Pod, now: float) -> JSON | None:
    """Null unless RUNNING; without ports for a while, and on a broken host for ever."""
    if pod.status != "RUNNING" or pod.silent or pod.started is None:
        return None
    return {
        "uptime": max(0, int(now - pod.started)),
        "gpus": [{"util": 0, "memoryUtil": 0} for _ in range(pod.gpu[1] if pod.gpu else 0)],
        "cpu": {"util": 0},
        "memory": {"util": 0},
        "ports": [port(pod, private, public) for private, public in pod.shown.items()],
    }


def port(pod: Pod, private: int, public: int) -> JSON:
    kind = "tcp" if f"{private}/tcp" in pod.ports else "http"
    ip = PUBLIC_IP if kind == "tcp" else INSIDE_IP
    return {"private": private, "public": public, "type": kind, "ip": ip}


def ssh(pod: Pod) -> JSON:
    user = f"{pod.id}-{pod.key[-8:].lower()}"
    proxy = {
        "host": "ssh.runpod.io",
        "port": 22,
        "username": user,
        "command": f"ssh {user}@ssh.runpod.io",
    }
    placed = pod.status not in ("PROVISIONING", "TERMINATED")
    return {"proxy": proxy if placed else None, "direct": _direct(pod)}


def volume(volume: Volume) -> JSON:
    return {
        "id": volume.id,
        "name": volume.name,
        "size": volume.size,
        "dataCenter": volume.data_center,
        "type": volume.type,
    }


def secret(secret: Mapping[str, Any]) -> JSON:
    """All but its value, which nobody can read back."""
    return {name: value for name, value in secret.items() if name != "value"}


def _direct(pod: Pod) -> JSON | None:
    public = pod.shown.get(22)
    known = public and "22/tcp" in pod.ports and pod.status == "RUNNING" and not pod.silent
    if not known:
        return None
    command = f"ssh root@{PUBLIC_IP} -p {public}"
    return {"host": PUBLIC_IP, "port": public, "username": "root", "command": command}


def _compute(pod: Pod) -> JSON:
    if pod.cpu:
        memory = pod.cpu[1] * cpu_types()[pod.cpu[0]].ram_gb_per_vcpu
        return {"cpu": {"id": pod.cpu[0], "vcpuCount": pod.cpu[1], "memory": memory}}
    name, count = pod.gpu or ("unknown", 0)
    totals = {"vcpuCount": VCPUS_PER_GPU * count, "memory": RAM_GB_PER_GPU * count}
    return {"gpu": {"id": name, "count": count, **totals}}
