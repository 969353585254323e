"""Record the crates that cargo compiled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from muslin.engine import errors
from muslin.engine.filesystem import walk
from muslin.engine.formats import documents
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class RecordCrates(Step):
    """Write a JSON document with the crates that `cargo build --message-format=json` compiled.

    A list of `{"name", "version", "source", "features", "linked", "program", "licence"}`, each
    package once: `source` is cargo's name of the registry or repository, `path` for what lies in
    the project; `linked` says whether it was compiled for the target, and not for build scripts and
    procedural macros alone; `program`, whether the program is its own; `licence` is that of what
    lies in the project.
    <https://doc.rust-lang.org/cargo/reference/external-tools.html#json-messages>
    """

    revision: ClassVar[int] = 1
    messages: str
    triple: str
    """rustc's name of the target: the folder of what is compiled for it."""
    to: str

    def perform(self, sandbox: Sandbox) -> None:
        crates = dict[str, dict[str, Any]]()
        with walk.opened(sandbox.path(self.messages)) as messages:
            for message in map(json.loads, messages):
                if message.get("reason") == "compiler-artifact":
                    self._add(crates, message)
        if not crates:
            why = "cargo reported no crate"
            raise errors.StepFailed(sandbox.stage, "record crates", why, sandbox.log)
        rows = sorted(crates.values(), key=lambda row: (row["name"], row["version"], row["source"]))
        to = sandbox.own(self.to)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(json.dumps(rows, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def _add(self, crates: dict[str, dict[str, Any]], message: Mapping[str, Any]) -> None:
        name, version, source = _identity(message["package_id"])
        row = crates.setdefault(
            message["package_id"],
            {
                "name": name,
                "version": version,
                "source": source,
                "features": [],
                "linked": False,
                "program": False,
                "licence": _licence(Path(message["manifest_path"])) if source == "path" else "",
            },
        )
        target = message["target"]
        if any(self.triple in Path(name).parts for name in message["filenames"]):
            row["linked"] = True
            row["features"] = sorted({*row["features"], *message["features"]})
            row["program"] |= "bin" in target["kind"]


def _identity(package: str) -> tuple[str, str, str]:
    """Name, version and source of a package identifier.
    <https://doc.rust-lang.org/cargo/reference/pkgid-spec.html>"""
    address, _, fragment = package.partition("#")
    name, _, version = fragment.rpartition("@")
    name = name or address.partition("?")[0].rstrip("/").rpartition("/")[2]
    return name, version, "path" if address.startswith("path+") else address


def _licence(manifest: Path) -> str:
    """What the manifest of the project's own package says, or that of its workspace."""
    package = documents.toml(manifest).get("package", {})
    match package.get("license"):
        case str() as said:
            return said
        case {"workspace": True}:
            return next(_of_workspaces(manifest.parent), "")
        case _:
            return ""


def _of_workspaces(folder: Path) -> Iterator[str]:
    for above in (folder, *folder.parents):
        if documents.is_file(above / "Cargo.toml"):
            workspace = documents.toml(above / "Cargo.toml").get("workspace", {})
            said = workspace.get("package", {}).get("license")
            if isinstance(said, str):
                yield said
