"""Whose account it is and where its API is: RunPod's own variables, or the file of its SDK."""

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ...errors import AccountError

KEY: Final = "RUNPOD_API_KEY"
BASE: Final = "RUNPOD_API_BASE_URL"
DEFAULT_BASE: Final = "https://api.runpod.io"
HINT: Final = f"export {KEY}=…; make one at https://console.runpod.io/user/settings"
_PRINTABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class Account:
    """A key, which no repr, message or log shows, and the base URL of RunPod's APIs."""

    key: str = field(repr=False)
    base: str = DEFAULT_BASE

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> "Account":
        """The account these variables name; raises AccountError without a usable key."""
        key = environ.get(KEY) or _kept(environ)
        if not key:
            raise AccountError("no RunPod API key", HINT)
        if not _PRINTABLE.fullmatch(key):
            raise AccountError("the RunPod API key has spaces or other odd characters in it", HINT)
        return cls(key, base(environ))

    @property
    def mark(self) -> str:
        """Tells this account from others without telling its key."""
        return hashlib.sha256(f"{self.base}\0{self.key}".encode()).hexdigest()[:16]


def base(environ: Mapping[str, str]) -> str:
    """Where the APIs are, without a slash at the end; raises AccountError for what is no URL."""
    url = (environ.get(BASE) or DEFAULT_BASE).rstrip("/")
    if not re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#]*)?", url):
        raise AccountError(f"{BASE} is no URL: {url!r}", f"leave it out for {DEFAULT_BASE}")
    return url


def has_key(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether any key is set, usable or not."""
    return bool(environ.get(KEY) or _kept(environ))


def _kept(environ: Mapping[str, str]) -> str:
    """The key that RunPod's SDK and command line keep (`~/.runpod/config.toml`, SDK 1.12)."""
    path = Path(environ.get("HOME") or Path.home(), ".runpod", "config.toml")
    try:
        profile = tomllib.loads(path.read_text()).get("default", {})
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise AccountError(f"{path} cannot be read: {type(error).__name__}", HINT) from error
    key = profile.get("api_key", "") if isinstance(profile, dict) else ""
    return key if isinstance(key, str) else ""
