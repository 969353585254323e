"""Where credentials go, and where not."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from muslin.engine.remote.http_remote import HttpRemote
from muslin.engine.remote.patience import Patience

WORD = "told-to-nobody"
NETRC = f"machine store.example login me password {WORD}\n"


@pytest.fixture(autouse=True)
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with credentials for the server."""
    path = tmp_path / "netrc"
    path.write_text(NETRC)
    monkeypatch.setenv("NETRC", str(path))
    return path


def sent(address: str, token: str) -> str | None:
    """The credentials of a request; the library's own look into netrc(5) included."""
    remote = HttpRemote(address=address, token=token, patience=Patience())
    question = requests.Request("GET", f"{address}/ac/0", auth=remote._authorization())
    found = requests.Session().prepare_request(question).headers.get("Authorization")
    assert remote.has_credentials == (found is not None)
    return None if found is None else str(found)


def test_over_https() -> None:
    assert sent("https://store.example", WORD) == f"Bearer {WORD}"
    assert str(sent("https://store.example", "")).startswith("Basic ")
    assert sent("https://other.example", "") is None


@pytest.mark.parametrize("token", [WORD, ""])
def test_over_plain_http_none_are_sent(token: str) -> None:
    assert sent("http://store.example", token) is None


def test_to_this_machine() -> None:
    assert sent("http://127.0.0.1:8080/cache", WORD) == f"Bearer {WORD}"


def test_a_token_is_in_no_text() -> None:
    remote = HttpRemote(address="https://store.example", token=WORD, patience=Patience())
    assert WORD not in repr(remote)
