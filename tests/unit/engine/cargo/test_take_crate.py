"""The archive of a crate, wherever cargo keeps it, compared with the index."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.process.runner import Runner
from muslin.engine.sandbox import Sandbox
from muslin.engine.vocabulary import TakeCrate


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A stage's place, and a user with a cargo home of no words."""
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "user/.cargo"))
    (tmp_path / "user/.cargo").mkdir(parents=True)
    (tmp_path / "work").mkdir()
    return Sandbox(
        stage="crate",
        work=tmp_path / "work",
        log=tmp_path / "log",
        runner=Runner(1),
        values={},
        environment={},
    )


def archived(folder: Path) -> str:
    """Put the archive of tool 1.0.0 there; its digest."""
    folder.mkdir(parents=True)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        member = tarfile.TarInfo("tool-1.0.0/Cargo.toml")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"\n"))
    (folder / "tool-1.0.0.crate").write_bytes(stream.getvalue())
    return hashlib.sha256(stream.getvalue()).hexdigest()


def take(sha256: str) -> TakeCrate:
    return TakeCrate(home="home", name="tool", version="1.0.0", sha256=sha256, into="out")


def test_out_of_the_cargo_home(sandbox: Sandbox) -> None:
    digest = archived(sandbox.work / "home/registry/cache/some-registry")
    take(digest).perform(sandbox)
    assert (sandbox.work / "out/Cargo.toml").read_text() == "\n"


def test_out_of_a_local_registry_in_the_place_of_the_public_one(sandbox: Sandbox) -> None:
    user = sandbox.work.parent / "user"
    digest = archived(user / "mirror")
    (user / ".cargo/config.toml").write_text('[source.near]\nlocal-registry = "mirror"\n')
    take(digest).perform(sandbox)
    assert (sandbox.work / "out/Cargo.toml").is_file()


def test_another_archive_is_refused(sandbox: Sandbox) -> None:
    archived(sandbox.work / "home/registry/cache/some-registry")
    with pytest.raises(errors.StepFailed, match="the registry's index says 0000"):
        take("0000").perform(sandbox)
    assert not (sandbox.work / "out").exists()


def test_no_archive_at_all(sandbox: Sandbox) -> None:
    with pytest.raises(errors.StepFailed, match="a directory takes the registry's place"):
        take("0000").perform(sandbox)
