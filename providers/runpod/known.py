"""The pods that were asked for from this computer, one small file each.

Written before a pod is asked for and removed once it is gone: whose it is, what was bid for it,
and which keys are its own is still known when RunPod has forgotten it.
"""

import json
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path

from ...errors import ProviderError
from ..atomic import write_whole


@dataclass(frozen=True)
class Known:
    """A pod by its order's name; `bid` in USD per GPU-hour, `pod` empty until it has an id.

    `account` is the mark of the account that made it.
    """

    name: str
    owner: str
    account: str
    count: int
    bid: Decimal | None = None
    pod: str = ""


class KnownPods:
    """The files in one folder. Every method raises ProviderError where it takes none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, known: Known) -> None:
        content = json.dumps(asdict(known), default=str).encode()
        try:
            write_whole(self._file(known.name), content, durable=True)
        except OSError as error:
            raise self._fault(error) from error

    def drop(self, name: str) -> None:
        try:
            self._file(name).unlink(missing_ok=True)
        except OSError as error:
            raise self._fault(error) from error

    def learn(self, name: str, pod: str) -> None:
        """The id of a pod whose maker was killed before it could note it."""
        found = next((known for known in self.all() if known.name == name), None)
        if found and not found.pod:
            self.save(replace(found, pod=pod))

    def all(self) -> list[Known]:
        """Those that can be read: a file that somebody else damaged hides no other."""
        found = map(_read, sorted(self._folder.glob("*.json")))
        return [known for known in found if known]

    def of(self, pod_id: str) -> Known | None:
        return next((known for known in self.all() if known.pod == pod_id), None)

    def path(self, known: Known) -> Path:
        """The file of a pod on record."""
        return self._file(known.name)

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _fault(self, error: OSError) -> ProviderError:
        hint = "LONGSHORE_STATE can name another folder"
        return ProviderError(f"{self._folder}: {error.strerror}", hint)


def _read(path: Path) -> Known | None:
    try:
        found = json.loads(path.read_text())
        bid = found.pop("bid")
        return Known(**found, bid=None if bid is None else Decimal(bid))
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, AttributeError):
        return None
