"""The settings of a shared store: what the table and the environment say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.models import declaration, errors, shared_store
from muslin.models.settings import Tool
from muslin.models.shared_store import Table, terms

VARIABLES = (
    shared_store.STORE_VARIABLE,
    shared_store.TRUSTED_VARIABLE,
    shared_store.KEY_VARIABLE,
    shared_store.TOKEN_VARIABLE,
)
URL = "https://store.example/cache"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable is set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_without_an_address_there_is_no_store(tmp_path: Path) -> None:
    assert terms(Table(), tmp_path) is None
    assert terms(Table(trusted=("ci.pub",)), tmp_path) is None


def test_what_the_table_says(tmp_path: Path) -> None:
    text = {"store": {"url": f"{URL}/", "trusted": ["ci.pub", "/etc/two.pub"], "threshold": 2}}
    got = terms(declaration.parse(tmp_path / "muslin.toml", text, Tool).store, tmp_path)
    assert got is not None
    assert got.address == URL
    assert got.trusted == (tmp_path / "ci.pub", Path("/etc/two.pub"))
    assert got.threshold == 2
    assert got.key is None
    assert got.token == ""


def test_the_environment_goes_before_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Table(url=URL, trusted=("ci.pub",))
    monkeypatch.setenv("MUSLIN_STORE", "file:///srv/store")
    monkeypatch.setenv("MUSLIN_STORE_TRUSTED", "one.pub:/two.pub")
    monkeypatch.setenv("MUSLIN_STORE_KEY", "key")
    monkeypatch.setenv("MUSLIN_STORE_TOKEN", "abc")
    got = terms(table, tmp_path)
    assert got is not None
    assert got.address == "file:///srv/store"
    assert got.trusted == (tmp_path / "one.pub", Path("/two.pub"))
    assert got.key == tmp_path / "key"
    assert len(got.token) == 3
    monkeypatch.setenv("MUSLIN_STORE", "off")
    assert terms(table, tmp_path) is None


def test_a_key_of_the_table_that_is_absent_signs_nothing(tmp_path: Path) -> None:
    """The file is the project's, and few who build it have the key."""
    table = Table(url=URL, trusted=("ci.pub",), key="key")
    got = terms(table, tmp_path)
    assert got is not None
    assert got.key is None
    (tmp_path / "key").touch()
    got = terms(table, tmp_path)
    assert got is not None
    assert got.key == tmp_path / "key"


@pytest.mark.parametrize(
    "address",
    [
        "https://me:secret@store.example/",
        "https://store.example/?token=secret",
        "https://store.example/#x",
        "ftp://store.example/",
        "file://relative",
        "store.example",
        "https://store.example/\n",
    ],
)
def test_addresses_that_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with pytest.raises(engine_errors.BadDeclaration, match=r"store\.url"):
        declaration.parse(tmp_path / "muslin.toml", {"store": {"url": address}}, Tool)
    monkeypatch.setenv("MUSLIN_STORE", address)
    with pytest.raises(errors.BadVariable, match="without credentials"):
        terms(Table(trusted=("ci.pub",)), tmp_path)


def test_who_only_pushes_trusts_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUSLIN_STORE_KEY", "key")
    got = terms(Table(url=URL), tmp_path)
    assert got is not None
    assert got.trusted == ()


@pytest.mark.parametrize("token", ["told to nobody", "told-to-nobody\n", "t\u00f6ld"])
def test_a_token_that_cannot_be_sent_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("MUSLIN_STORE_TOKEN", token)
    with pytest.raises(errors.BadToken) as caught:
        terms(Table(url=URL, trusted=("ci.pub",)), tmp_path)
    assert token not in str(caught.value)


def test_secrets_are_in_no_text_of_the_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MUSLIN_STORE_TOKEN", "MUSLIN_KEY_PASSPHRASE"):
        monkeypatch.setenv(name, "told-to-nobody")
    got = terms(Table(url=URL, trusted=("ci.pub",)), tmp_path)
    assert got is not None
    assert "nobody" in got.token
    assert "nobody" in got.passphrase
    assert "nobody" not in repr(got)
