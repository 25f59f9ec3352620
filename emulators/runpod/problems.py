"""What RunPod says when it says no."""

from ...errors import LongshoreError

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    410: "Gone",
    413: "Content Too Large",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
}
NO_CAPACITY = (
    "There are no longer any instances available with the requested specifications. "
    "Please refresh and try again."
)
NO_BID = "There are no instances available with the request specifications. Please try again later."
HOST_FULL = "There are not enough free GPUs on the host machine to start this pod."
OVER_LIMIT = "This pod would put you over your current spending limit."
NO_BALANCE = "insufficient balance"


class ProblemError(Exception):
    """An answer other than the one asked for: `application/problem+json` (RFC 9457)."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail
        self.errors = errors or []
        self.headers = headers or {}

    def body(self) -> dict[str, object]:
        title = TITLES.get(self.status, "Internal Server Error")
        found: dict[str, object] = {"title": title, "status": self.status, "detail": self.detail}
        return found | ({"errors": self.errors} if self.errors else {})


class SupplyError(ProblemError):
    """Nothing to rent; REST has only its text, GraphQL a code of its own."""

    def __init__(self, detail: str = NO_CAPACITY) -> None:
        super().__init__(400, detail)


class EmulatorError(LongshoreError):
    """The emulator cannot start."""


def not_found() -> ProblemError:
    return ProblemError(404, "resource not found")
