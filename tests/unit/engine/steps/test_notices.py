"""Licences and patches, taken out of folders of sources."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.process.runner import Runner
from muslin.engine.sandbox import Sandbox
from muslin.engine.vocabulary import ListPatches, Notices
from recipes.notices import NAMES


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    work = tmp_path / "work"
    (work / "in/LICENSES").mkdir(parents=True)
    starter = Runner(1)
    yield Sandbox(
        stage="stage",
        work=work,
        log=tmp_path / "log",
        runner=starter,
        values={"out": str(work / "out"), "work": str(work)},
        environment={},
    )
    starter.close()


def test_licences_are_known_by_their_names(sandbox: Sandbox) -> None:
    files = ("COPYING", "LICENSE.txt", "Licence-MIT", "NOTICE", "README", "configure", "license.md")
    for name in files:
        (sandbox.work / "in" / name).write_text(name)
    (sandbox.work / "in/LICENSE-link").symlink_to("/etc/passwd")
    Notices(root="in", names=NAMES, to="${out}/texts").perform(sandbox)
    taken = {path.name for path in (sandbox.work / "out/texts").iterdir()}
    assert taken == {"COPYING", "LICENSE.txt", "Licence-MIT", "NOTICE", "license.md"}


def test_sources_without_a_licence_leave_an_empty_folder(sandbox: Sandbox) -> None:
    Notices(root="in", names=NAMES, to="${out}/texts").perform(sandbox)
    assert list((sandbox.work / "out/texts").iterdir()) == []


def listed(sandbox: Sandbox, *omit: str) -> list[dict[str, object]]:
    ListPatches(folder="in", omit=omit, to="${out}/patches.json").perform(sandbox)
    rows: list[dict[str, object]] = json.loads((sandbox.work / "out/patches.json").read_text())
    return rows


def test_patches_are_listed_as_they_are_applied(sandbox: Sandbox) -> None:
    texts = {"b.patch": "fixes CVE-2026-1234 and CVE-2025-9999\n", "a.patch": "", "left.patch": ""}
    for name, text in texts.items():
        (sandbox.work / "in" / name).write_text(text)
    (sandbox.work / "in/series").write_text("b.patch\nleft.patch\na.patch\n")
    rows = listed(sandbox, "left*")
    assert [row["name"] for row in rows] == ["b.patch", "a.patch"]
    assert rows[0]["cves"] == ["CVE-2025-9999", "CVE-2026-1234"]
    assert rows[0]["sha256"] == hashlib.sha256(texts["b.patch"].encode()).hexdigest()


def test_a_pattern_that_leaves_out_nothing_is_a_fault(sandbox: Sandbox) -> None:
    (sandbox.work / "in/series").write_text("")
    with pytest.raises(errors.StepFailed, match="there is no patch gone"):
        listed(sandbox, "gone*")
