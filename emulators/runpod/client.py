"""An emulator for tests and benchmarks: `with Emulator() as runpod: …`."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from .emulator import Running
from .faults import Fault
from .timeline import FAST, Timeline

KEY = "rpa_emulated"


class Admin:
    """Behind the scenes of an emulator that runs at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=f"{url}/_emulator", timeout=60)

    def pods(self) -> list[dict[str, Any]]:
        """Every pod that ever was."""
        found: list[dict[str, Any]] = self._get("/pods")["pods"]
        return found

    def leaked(self) -> list[str]:
        """Ids of pods that have not ended: those that still cost."""
        return [pod["id"] for pod in self.pods() if pod["ended"] is None]

    def meter(self) -> dict[str, Any]:
        return self._get("/meter")

    def set_stock(
        self,
        capacity: int,
        gpu: str | None = None,
        count: int | None = None,
        cloud: str | None = None,
        data_center: str | None = None,
        shown: str | None = None,
    ) -> None:
        """So many GPUs in all, for whoever asks in these words; see `stock.Rule`."""
        where = {"gpu": gpu, "count": count, "cloud": cloud, "data_center": data_center}
        self._post("/stock", {"capacity": capacity, "shown": shown, **where})

    def set_price(
        self, gpu: str, cloud: str, price: float | None = None, spot: float | None = None
    ) -> None:
        self._post("/price", {"gpu": gpu, "cloud": cloud, "price": price, "spot": spot})

    def serve_bids(self, served: bool) -> None:
        self._post("/bids", {"served": served})

    def set_balance(self, dollars: float) -> None:
        self._post("/balance", {"balance": dollars})

    def advance(self, seconds: float) -> None:
        self._post("/clock", {"seconds": seconds})

    def fault(self, fault: Fault) -> None:
        self._post("/faults", asdict(fault))

    def clear_faults(self) -> None:
        self._post("/faults/clear", {})

    def limit(self, **quotas: int) -> None:
        """Requests in each `minute`, `hour` and `day`."""
        self._post("/limits", quotas)

    def set_page_size(self, size: int) -> None:
        self._post("/page-size", {"size": size})

    def set_timeline(self, **seconds: float) -> None:
        """Fields of `Timeline`, for the boots to come."""
        self._post("/timeline", seconds)

    def never_boot(self, stage: str = "RUNNING", times: int = 1) -> None:
        """The next boots get no further than that state, and have no runtime."""
        self._post("/sick", {"stage": stage, "times": times})

    def outbid(self, pod: str) -> None:
        self._post(f"/pods/{pod}/outbid", {})

    def kill_host(self, pod: str, how: str = "stuck") -> None:
        """`stuck` without runtime, `vanished` from the list, or in state `error`."""
        self._post(f"/pods/{pod}/kill-host", {"how": how})

    def crash(self, pod: str) -> None:
        self._post(f"/pods/{pod}/crash", {})

    def move_port(self, pod: str, port: int = 22) -> None:
        self._post(f"/pods/{pod}/move-port", {"port": port})

    def cut(self, pod: str, after: int = 0) -> None:
        """Break its connections, now or after so many more bytes."""
        self._post(f"/pods/{pod}/cut", {"after": after})

    def slow(self, pod: str, rate: float | None) -> None:
        """Bytes a second through its ports; None for as fast as it goes."""
        self._post(f"/pods/{pod}/slow", {"rate": rate})

    def close(self) -> None:
        self._http.close()

    def _get(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._http.get(path).raise_for_status().json()
        return found

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self._http.post(path, json=body).raise_for_status()


class Emulator(Admin):
    """A RunPod on a free port for as long as the `with` lasts."""

    def __init__(
        self,
        port: int = 0,
        key: str = KEY,
        timeline: Timeline = FAST,
        state: Path | None = None,
    ) -> None:
        self._own = None if state else tempfile.TemporaryDirectory(prefix="longshore-emulator-")
        folder = state or Path(self._own.name if self._own else "")
        self.key = key
        self.running = Running(port, key, folder, timeline)
        super().__init__(self.running.url)

    @property
    def environment(self) -> dict[str, str]:
        """What leads a client of RunPod here."""
        return {"RUNPOD_API_BASE_URL": self.url, "RUNPOD_API_KEY": self.key}

    def __enter__(self) -> "Emulator":
        self.running.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        self.running.close()
        if self._own:
            self._own.cleanup()
