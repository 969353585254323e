"""Credentials: what is hidden of a text, and what is left as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from muslin import installation
from muslin.cli.up_to_date import Found, Unchanged
from muslin.engine import inputs, redaction
from muslin.engine.cache import layout
from muslin.engine.cargo import config as cargo_config
from muslin.engine.fetch.archive import machine, mirrors

PLANTED = "hunter2-do-not-tell"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"https://me:{PLANTED}@mirror.example/x", "https://***@mirror.example/x"),
        (f"http://{PLANTED}@mirror.example", "http://***@mirror.example"),
        (f"note: a.tar.xz: https://h.example/a?token={PLANTED}, gone", "/a?token=***, gone"),
        (f"https://h.example/a?x=1&X-Amz-Signature={PLANTED}&y=2", "&X-Amz-Signature=***&y=2"),
        (f"https://h.example/a?api_key={PLANTED}#part", "?api_key=***"),
        (f"https://me:a@{PLANTED}@h.example/x", "https://***@h.example/x"),
        (f"https://me:it's{PLANTED}@h.example/x", "https://***@h.example/x"),
        (f"https://h.example/x?token=a,{PLANTED};{PLANTED}) and", "x?token=***) and"),
        (f"https://h.example/x?jwt={PLANTED}&Policy={PLANTED}", "?jwt=***&Policy=***"),
        (f"https://h.example/x#access_token={PLANTED}", "#access_token=***"),
    ],
)
def test_what_lets_somebody_in_is_hidden(text: str, left: str) -> None:
    said = redaction.hidden(text)
    assert PLANTED not in said
    assert left in said


@pytest.mark.parametrize(
    "text",
    [
        "https://mirror.example/pool/main/libs/a_1.0@b.tar.xz",
        "ssh user@host, a@b.example",
        "https://h.example/?page=2&monkey_business",
        "cargo build --config=/x --target=armv6",
    ],
)
def test_all_else_stays(text: str) -> None:
    assert redaction.hidden(text) == text


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://h.example:8443/a/b@c.tar", "https://h.example:8443/a/b@c.tar"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        (f"https://me:{PLANTED}@h.example/a", "https://***@h.example/a"),
        (f"https://me:a@{PLANTED}@h.example/a", "https://***@h.example/a"),
        (f"https://h.example/a?x={PLANTED}", "https://h.example/a?***"),
        (f"https://h.example/a#x={PLANTED}", "https://h.example/a?***"),
        (f"https://h.example?x={PLANTED}/a@b", "https://h.example?***"),
        (f"https://me:{PLANTED}/{PLANTED}@h.example/a", "https://***"),
        (f"https://h.example\\{PLANTED}@h.example/a", "https://***@h.example/a"),
        (f"https://h.example/a\n{PLANTED}", "https://***"),
        (PLANTED, "***"),
        ("", "***"),
    ],
)
def test_an_address_is_shown_without_what_lets_somebody_in(address: str, place: str) -> None:
    assert redaction.place(address) == place


def test_the_record_of_a_run_has_no_values_of_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CARGO_REGISTRIES_CORP_TOKEN", PLANTED)
    for name in ("_files", "_folders", "_patterns"):  # what other tests read, and removed
        monkeypatch.setattr(inputs, name, {})
    monkeypatch.setattr(installation, "ROOT", tmp_path)  # in the real one other tests are at work
    records = tmp_path / "cache" / layout.UNCHANGED
    records.mkdir(parents=True)
    old = records / "old.json"
    old.write_text(json.dumps({"environment": {"CARGO_REGISTRIES_CORP_TOKEN": PLANTED}}))
    known = Unchanged(tmp_path, "build-all", [])
    known.keep(Found(lines=[], entries=[], asked=[]))
    (record,) = records.iterdir()
    assert PLANTED not in record.read_text()
    assert record.stat().st_mode & 0o777 == 0o600


def test_registries_come_to_a_build_without_their_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "user"))
    said = f'[registries.corp]\nindex = "sparse+https://h.example/"\ntoken = "{PLANTED}"\n'
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "config.toml").write_text(said)
    cargo_config.write_registry_settings(tmp_path / "build", ("registries",))
    assert "h.example" in (tmp_path / "build").read_text()
    assert PLANTED not in (tmp_path / "build").read_text()


def test_an_address_of_the_systems_archive_is_told_without_its_password(tmp_path: Path) -> None:
    line = f"deb https://me:{PLANTED}%40@h.example/debian bookworm main\n"
    (tmp_path / "sources.list").write_text(line)
    found = mirrors.of_machine(tmp_path, "bookworm")
    assert found is not None
    (address,) = found.addresses["main"]
    assert PLANTED in address, "requests takes name and password from there"
    assert redaction.place(address) == "https://***@h.example/debian"
    assert PLANTED not in repr(found) + repr(machine.archive_of(tmp_path, "bookworm"))
