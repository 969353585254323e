"""Crates that cargo compiled, by its messages."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from muslin.engine import errors
from muslin.engine.process.runner import Runner
from muslin.engine.sandbox import Sandbox
from muslin.engine.vocabulary import RecordCrates

TRIPLE = "arm-unknown-linux-musleabihf"
LOCK = Path(__file__).resolve().parents[4] / "services" / "Cargo.lock"
PUBLIC = next(
    package["source"]
    for package in tomllib.loads(LOCK.read_text(encoding="utf-8"))["package"]
    if "source" in package
)
"""How cargo calls its own registry."""


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    work = tmp_path / "work"
    (work / "project").mkdir(parents=True)
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


def message(
    package: str,
    kind: str,
    folder: str,
    *,
    features: tuple[str, ...] = (),
    manifest: str = "/nowhere/Cargo.toml",
) -> dict[str, Any]:
    return {
        "reason": "compiler-artifact",
        "package_id": package,
        "manifest_path": manifest,
        "target": {"kind": [kind], "name": "name"},
        "features": list(features),
        "filenames": [f"/build/{folder}/release/deps/libname.rlib"],
    }


def recorded(sandbox: Sandbox, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [*messages, {"reason": "build-finished", "success": True}]
    text = "".join(f"{json.dumps(one)}\n" for one in lines)
    (sandbox.work / "messages").write_text(text)
    step = RecordCrates(messages="messages", triple=TRIPLE, to="${out}/crates.json")
    step.perform(sandbox)
    rows: list[dict[str, Any]] = json.loads((sandbox.work / "out/crates.json").read_text())
    return rows


def test_what_runs_on_this_machine_is_not_linked(sandbox: Sandbox) -> None:
    rows = recorded(
        sandbox,
        message(f"{PUBLIC}#serde_derive@1.0.229", "proc-macro", "."),
        message(f"{PUBLIC}#syn@3.0.1", "lib", ".", features=("full",)),
        message(f"{PUBLIC}#libc@0.2.187", "custom-build", ".", features=("std",)),
        message(f"{PUBLIC}#libc@0.2.187", "lib", TRIPLE, features=("std",)),
    )
    assert {row["name"]: row["linked"] for row in rows} == {
        "libc": True,
        "serde_derive": False,
        "syn": False,
    }
    libc = rows[0]
    assert (libc["version"], libc["source"], libc["features"]) == ("0.2.187", PUBLIC, ["std"])


def test_the_features_are_those_of_the_target(sandbox: Sandbox) -> None:
    [row] = recorded(
        sandbox,
        message(f"{PUBLIC}#log@0.4.0", "lib", ".", features=("std", "kv")),
        message(f"{PUBLIC}#log@0.4.0", "lib", TRIPLE, features=("std",)),
    )
    assert row["features"] == ["std"]


def test_a_package_of_the_project_has_its_workspaces_licence(sandbox: Sandbox) -> None:
    root = sandbox.work / "project"
    (root / "member").mkdir()
    (root / "Cargo.toml").write_text('[workspace.package]\nlicense = "MIT"\n')
    (root / "member/Cargo.toml").write_text("[package]\nlicense.workspace = true\n")
    manifest = str(root / "member/Cargo.toml")
    [row] = recorded(
        sandbox,
        message(f"path+file://{root}/member#0.1.0", "bin", TRIPLE, manifest=manifest),
    )
    assert (row["name"], row["version"], row["source"]) == ("member", "0.1.0", "path")
    assert (row["licence"], row["program"]) == ("MIT", True)
    assert str(sandbox.work) not in json.dumps(row)


def test_a_crate_of_a_repository_keeps_its_commit(sandbox: Sandbox) -> None:
    package = "git+https://example.org/ring?branch=main#ring@0.17.0"
    [row] = recorded(sandbox, message(package, "lib", TRIPLE))
    assert (row["name"], row["source"]) == ("ring", "git+https://example.org/ring?branch=main")


def test_a_build_without_messages_is_a_fault(sandbox: Sandbox) -> None:
    with pytest.raises(errors.StepFailed, match="cargo reported no crate"):
        recorded(sandbox)
