"""REST v1: gone since 2026-11-15 (RunPod's release notes, 2026-08-18)."""

from fastapi import APIRouter

from .problems import ProblemError

router = APIRouter(prefix="/v1")


@router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def gone(path: str) -> None:
    raise ProblemError(410, "REST v1 has been removed; use REST v2 at https://api.runpod.io/v2")
