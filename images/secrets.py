"""What this machine needs to reach a package index: its CA bundle and pip's index settings.

A build that ignored them would fail behind a company's proxy although `pip install` works.
Both travel as build secrets: they change no tag and reach no image.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

CA_VARIABLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
PIP_KEYS = ("index-url", "extra-index-url", "trusted-host")


def ca_bundle(environ: Mapping[str, str]) -> Path | None:
    """The CA bundle the environment names, by the variables that pip, Python and curl know."""
    named = (Path(environ[name]) for name in CA_VARIABLES if environ.get(name))
    return next((path.absolute() for path in named if path.is_file()), None)


def pip_settings(environ: Mapping[str, str]) -> str:
    """The caller's indexes as a pip.conf, empty when there are none.

    Files first, then PIP_* variables over them, as pip reads them. Addresses that are paths of
    this machine (`file:`) mean nothing inside a build and are left out.
    """
    found: dict[str, str] = {}
    for path in _pip_files(environ):
        found |= _section(path)
    found |= {key: environ[_variable(key)] for key in PIP_KEYS if environ.get(_variable(key))}
    remote = {key: _remote(key, value) for key, value in found.items()}
    lines = [f"{key} = {value}" for key, value in remote.items() if value]
    return "\n".join(["[global]", *lines, ""]) if lines else ""


def _pip_files(environ: Mapping[str, str]) -> Iterator[Path]:
    home = Path(environ.get("HOME", "/"))
    yield Path("/etc/pip.conf")
    yield home / ".pip/pip.conf"
    yield Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf"
    if environ.get("PIP_CONFIG_FILE"):
        yield Path(environ["PIP_CONFIG_FILE"])


def _section(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read(path)
    except (Error, UnicodeDecodeError):
        return {}
    found = dict(parser["global"]) if parser.has_section("global") else {}
    return {key: value for key, value in found.items() if key in PIP_KEYS}


def _variable(key: str) -> str:
    return f"PIP_{key.replace('-', '_').upper()}"


def _remote(key: str, value: str) -> str:
    words = value.split()
    if key != "trusted-host":
        words = [word for word in words if word.startswith(("http://", "https://"))]
    return " ".join(words)
