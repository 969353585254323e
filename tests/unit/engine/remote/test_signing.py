"""Keys: what is written, what is refused, and that nothing is overwritten."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from muslin.cli import main
from muslin.cli.call import Call
from muslin.engine.remote import errors, signing


def test_a_pair_signs_and_verifies(tmp_path: Path) -> None:
    made = signing.generate(tmp_path / "key", "")
    private, public = signing.private(tmp_path / "key", ""), signing.public(tmp_path / "key.pub")
    assert made.id == private.public.id == public.id
    assert len(public.id) == 64
    signature = private.sign(b"text")
    assert public.has_signed(b"text", signature)
    assert not public.has_signed(b"test", signature)
    assert not public.has_signed(b"text", signature[:-1])
    assert not signing.generate(tmp_path / "other", "").has_signed(b"text", signature)


def test_only_its_owner_reads_the_private_key(tmp_path: Path) -> None:
    signing.generate(tmp_path / "key", "")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    (tmp_path / "key").chmod(0o640)
    with pytest.raises(errors.KeyPublic, match="chmod 600"):
        signing.private(tmp_path / "key", "")


@pytest.mark.parametrize("taken", ["key", "key.pub"])
def test_nothing_is_overwritten(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).symlink_to("nowhere")
    with pytest.raises(errors.KeyExists, match=taken):
        signing.generate(tmp_path / "key", "")
    assert [path.name for path in tmp_path.iterdir()] == [taken]


def test_a_passphrase_encrypts(tmp_path: Path) -> None:
    made = signing.generate(tmp_path / "key", "a phrase")
    assert b"ENCRYPTED" in (tmp_path / "key").read_bytes()
    assert signing.private(tmp_path / "key", "a phrase").public.id == made.id
    for wrong in ("", "another"):
        with pytest.raises(errors.PassphraseWrong, match="MUSLIN_KEY_PASSPHRASE") as caught:
            signing.private(tmp_path / "key", wrong)
        assert "phrase" not in str(caught.value).replace("passphrase", "")


def test_a_passphrase_that_is_not_needed_does_not_disturb(tmp_path: Path) -> None:
    made = signing.generate(tmp_path / "key", "")
    assert signing.private(tmp_path / "key", "a phrase").public.id == made.id


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "PEM form"), (b"\0" * 20_000, "20000 bytes"), (None, "no such file")],
)
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    for read in (signing.public, lambda path: signing.private(path, "")):
        with pytest.raises(errors.KeyUnreadable, match=why):
            read(path)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    key = generate_private_key(SECP256R1())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    with pytest.raises(errors.KeyUnreadable, match="no Ed25519 key"):
        signing.private(path, "")
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    path.write_bytes(key.public_key().public_bytes(pem, form))
    with pytest.raises(errors.KeyUnreadable, match="no Ed25519 key"):
        signing.public(path)


def test_the_session_makes_a_pair_where_it_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MUSLIN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv(errors.PASSPHRASE_VARIABLE, "a phrase")
    here = tmp_path / "here"
    here.mkdir()
    call = Call(name="key", words=["ci.pem"], project=here, caller=here)
    assert main.call(call) == 0
    key = signing.private(here / "ci.pem", "a phrase")
    said = capsys.readouterr().out
    assert key.public.id in said
    assert "a phrase" not in said
    with pytest.raises(main.SessionFailed, match="never overwritten"):
        main.call(call)
    (here / "phrase").write_text("of the file\n")
    words = ["file.pem", "--passphrase-file", "phrase"]
    assert main.call(Call(name="key", words=words, project=here, caller=here)) == 0
    assert signing.private(here / "file.pem", "of the file")
