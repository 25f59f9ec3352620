"""The rule for what stays behind is the same for images and syncs."""

from pathlib import Path, PurePosixPath

import pytest

from longshore.configs.exclude import included, is_excluded

CASES = [
    (".git", ".git/config", True),
    (".git", "sub/.git/config", True),
    (".git", ".github/config", False),
    ("build/", "build/x", True),
    ("a/b", "a/b/c", True),
    ("a/b", "x/a/b", False),
    ("/top", "top", True),
    ("/top", "sub/top", False),
    ("*.pyc", "deep/down/x.pyc", True),
    ("*.pyc", "x.pyc.txt", False),
    ("data/*.csv", "data/x.csv", True),
    ("data/*.csv", "data/sub/x.csv", False),
    ("data/**/x.csv", "data/x.csv", True),
    ("data/**/x.csv", "data/a/b/x.csv", True),
    ("data/**", "data/a/b", True),
    ("data/**", "database", False),
    ("?.log", "a.log", True),
    ("?.log", "ab.log", False),
    ("[ab].txt", "sub/a.txt", True),
    ("[!ab].txt", "a.txt", False),
    ("[!ab].txt", "c.txt", True),
    ("[z-a", "[z-a", True),
    ("[z-a]", "[z-a]", True),
    ("[^a]", "b", False),
    ("[a||b]", "|", True),
    ("a.b", "axb", False),
    ("", "anything", False),
]


@pytest.mark.parametrize(("pattern", "path", "left_out"), CASES)
def test_patterns(pattern: str, path: str, left_out: bool) -> None:
    """Names match at any depth, paths from the top, and a folder takes all it holds with it."""
    assert is_excluded(PurePosixPath(path), (pattern,)) is left_out


def test_included_walks_in_order_and_stays_out_of_links(tmp_path: Path) -> None:
    """Excluded folders are not listed, links are entries of their own, the order is fixed."""
    for name in ("b.py", "a.py", ".git/config", "sub/c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "sub")
    found = [str(path) for path in included(tmp_path, (".git",))]
    assert found == ["a.py", "b.py", "link", "sub/c.py"]
