"""The wheel's packages are listed by hand; this keeps the list whole."""

import tomllib
from pathlib import Path

from longshore.providers.registry import BUILT_IN

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_is_listed() -> None:
    """A folder with an __init__.py that is not in the list would be missing from the wheel."""
    listed = PROJECT["tool"]["setuptools"]["packages"]
    inits = [path.parent.relative_to(ROOT) for path in ROOT.glob("[a-z]*/**/__init__.py")]
    found = {".".join(("longshore", *path.parts)) for path in inits if path.parts[0] != "build"}
    assert set(listed) == found | {"longshore"}


def test_no_stray_module_is_shipped() -> None:
    """Every Python file at the root would be shipped, so there are three."""
    assert {path.name for path in ROOT.glob("*.py")} == {"__init__.py", "__main__.py", "errors.py"}


def test_every_data_file_is_listed() -> None:
    """A data file that no pattern names would be missing from the wheel."""
    patterns = PROJECT["tool"]["setuptools"]["package-data"]
    folders = {package: ROOT.joinpath(*package.split(".")[1:]) for package in patterns}
    named = [(folders[package], one) for package, globs in patterns.items() for one in globs]
    shipped = {path for folder, one in named for path in folder.glob(one)}
    rooms = [folders[name] for name in folders if name != "longshore"]
    data = {path for room in rooms for path in room.rglob("*") if _is_data(path)}
    assert data <= shipped


def test_built_in_providers_are_entry_points() -> None:
    """A provider of ours comes in by the door that a third party's would."""
    assert PROJECT["project"]["entry-points"]["longshore.providers"] == BUILT_IN


def _is_data(path: Path) -> bool:
    return path.is_file() and path.suffix not in (".py", ".pyc")
