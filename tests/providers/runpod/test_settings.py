"""Whose account it is, and that its key stays a secret."""

from pathlib import Path

import pytest

from longshore.errors import AccountError
from longshore.providers.runpod.settings import DEFAULT_BASE, Account, has_key

KEY = "rpa_SECRET"


def test_the_variables_name_the_account() -> None:
    """RunPod's own variables: the key, and the base URL without a slash at its end."""
    environ = {"RUNPOD_API_KEY": KEY, "RUNPOD_API_BASE_URL": "http://127.0.0.1:8000/"}
    assert Account.of(environ) == Account(KEY, "http://127.0.0.1:8000")
    assert Account.of({"RUNPOD_API_KEY": KEY}).base == DEFAULT_BASE


def test_the_file_of_the_sdk_is_read(tmp_path: Path) -> None:
    """Who has logged in with RunPod's own tools needs no variable; a variable goes before."""
    kept(tmp_path, f'[default]\napi_key = "{KEY}"\n')
    assert Account.of({"HOME": str(tmp_path)}).key == KEY
    assert Account.of({"HOME": str(tmp_path), "RUNPOD_API_KEY": "rpa_OTHER"}).key == "rpa_OTHER"


def test_no_key_says_where_to_get_one(tmp_path: Path) -> None:
    """Without a key one reads what to set and where to make one."""
    with pytest.raises(AccountError, match="no RunPod API key") as caught:
        Account.of({"HOME": str(tmp_path)})
    assert "export RUNPOD_API_KEY=" in caught.value.hint
    assert "https://console.runpod.io/user/settings" in caught.value.hint
    assert not has_key({"HOME": str(tmp_path)})


@pytest.mark.parametrize("key", [f"{KEY} ", f"{KEY}\n", f"{KEY} x", "rpa_é", " "])
def test_a_key_with_odd_characters_is_never_sent(key: str) -> None:
    """A slip in copying is told at once, without showing the key."""
    with pytest.raises(AccountError) as caught:
        Account.of({"RUNPOD_API_KEY": key})
    assert KEY not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize("text", [f'api_key = "{KEY}', f"[default\n{KEY}", "\udcff"])
def test_a_broken_file_shows_nothing_of_itself(tmp_path: Path, text: str) -> None:
    """A damaged file of the SDK is named; what stands in it is not repeated."""
    kept(tmp_path, text)
    with pytest.raises(AccountError, match=r"config\.toml") as caught:
        Account.of({"HOME": str(tmp_path)})
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("url", ["api.runpod.io", "ftp://a", "http://", "http://a b", "http://u@h"])
def test_a_base_that_is_no_url_is_refused(url: str) -> None:
    """The key goes to a URL or nowhere."""
    with pytest.raises(AccountError, match="RUNPOD_API_BASE_URL is no URL"):
        Account.of({"RUNPOD_API_KEY": KEY, "RUNPOD_API_BASE_URL": url})


def test_the_repr_has_no_key() -> None:
    """An account can be shown in a traceback or a log."""
    assert KEY not in repr(Account(KEY))


def kept(home: Path, text: str) -> None:
    folder = home / ".runpod"
    folder.mkdir()
    (folder / "config.toml").write_bytes(text.encode(errors="surrogateescape"))
