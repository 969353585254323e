"""Signed files of dist/, by the sessions that sign and verify: what was changed is named."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from muslin.cli import main
from muslin.cli.call import Call

FILES = {"armv6/hello": "six", "armv7/hello": "seven", "images/hello.tar": "image"}


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A signed `dist/`, and a pair of keys beside the project."""
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MUSLIN_KEY_PASSPHRASE", raising=False)
    folder = tmp_path / "dist"
    rows, sums = [], ""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        contains = [{"component": "musl", "version": "1.2.5", "fixes": []}]
        rows.append(
            {
                "path": name,
                "sha256": digest,
                "bytes": len(text),
                "target": name.partition("/")[0],
                "stage_key": "0" * 64,
                "source_set": "debian",
                "contains": contains,
            }
        )
        sums += f"{digest}  {name}\n"
    (folder / "manifest.json").write_text(json.dumps({"artefacts": rows}))
    (folder / "SHA256SUMS").write_text(sums)
    session(tmp_path, "key", "key")
    session(tmp_path, "sign-dist", "--key", "key")
    return folder


def session(place: Path, name: str, *words: str) -> None:
    assert main.call(Call(name=name, words=words, project=place, caller=place)) == 0


def verify(dist: Path, path: str = "dist", key: str = "key.pub") -> None:
    session(dist.parent, "verify-dist", "--key", key, path)


def test_what_was_signed_is_verified(dist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify(dist)
    assert "5 file(s) are as" in capsys.readouterr().out
    verify(dist, "dist/armv6/hello")
    shutil.copytree(dist, dist.parent / "elsewhere")
    verify(dist, "elsewhere")


def change(dist: Path) -> str:
    (dist / "armv6/hello").write_text("siX")
    return "armv6/hello: its content is not what was signed"


def change_the_list_too(dist: Path) -> str:
    text = (dist / "SHA256SUMS").read_text().replace("armv6", "armv5")
    (dist / "SHA256SUMS").write_text(text)
    return "SHA256SUMS: its content is not what was signed"


def swap(dist: Path) -> str:
    for suffix in ("", ".sigstore.json"):
        one, two = (dist / f"{target}/hello{suffix}" for target in ("armv6", "armv7"))
        text = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(text)
    return "armv6/hello: it was signed as armv7/hello"


def remove(dist: Path) -> str:
    for suffix in ("", ".sigstore.json"):
        (dist / f"armv6/hello{suffix}").unlink()
    return "armv6/hello: SHA256SUMS names it, and it is missing"


def add(dist: Path) -> str:
    (dist / "armv6/more").write_text("more")
    return "armv6/more: it is not signed"


def strip(dist: Path) -> str:
    (dist / "armv6/hello.sigstore.json").unlink()
    return "armv6/hello: it is not signed"


def damage(dist: Path) -> str:
    path = dist / "armv6/hello.sigstore.json"
    path.write_bytes(path.read_bytes().replace(b'"sig":"', b'"sig":"AAAA'))
    return "armv6/hello: hello.sigstore.json's signature does not fit"


@pytest.mark.parametrize(
    "how", [change, change_the_list_too, swap, remove, add, strip, damage], ids=lambda f: f.__name__
)
def test_what_was_changed_is_named(dist: Path, how: Callable[[Path], str]) -> None:
    said = how(dist)
    with pytest.raises(main.SessionFailed) as caught:
        verify(dist)
    assert said in str(caught.value)


def test_another_key(dist: Path) -> None:
    session(dist.parent, "key", "other")
    with pytest.raises(main.SessionFailed, match="not trusted"):
        verify(dist, key="other.pub")


def test_a_file_that_changed_since_it_was_listed_is_not_signed(dist: Path) -> None:
    for path in dist.rglob("*.sigstore.json"):
        path.unlink()
    change(dist)
    session(dist.parent, "sign-dist", "--key", "key")
    assert not (dist / "armv6/hello.sigstore.json").exists()
    assert (dist / "armv7/hello.sigstore.json").exists()
    with pytest.raises(main.SessionFailed, match="armv6/hello: it is not signed"):
        verify(dist)


def test_nothing_to_sign(tmp_path: Path, dist: Path) -> None:
    shutil.rmtree(dist)
    (tmp_path / "empty").mkdir()
    for words in (("sign-dist", "--key", "key"), ("verify-dist", "--key", "key.pub", "empty")):
        with pytest.raises(main.SessionFailed, match="no file to sign or to verify"):
            session(tmp_path, *words)
