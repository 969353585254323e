"""`python -m muslin.sbom RULES PROGRAM TO [NAME=FOLDER]...`: write what a program is made of.

RULES is a file of JSON: `program`, `components`, `tools`, `std` (empty for C), `notices` (patterns
of licences' names) and `triple`. PROGRAM is the output of the service's stage. FOLDERs are
`crates`, `rust`, `rust-std` and those that the rules call `notices`. `sbom.cdx.json` and
`licences.txt` come to lie in TO.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from muslin.sbom import crates, cyclonedx, licences, linked
from muslin.sbom.part import BY_MAP, BY_SYMBOLS, Part, purl

BILL, TEXTS = "sbom.cdx.json", "licences.txt"


def main(rules: Path, program: Path, to: Path, folders: Mapping[str, Path]) -> None:
    """Write both documents."""
    said = _read(rules)
    link = _read(program / "evidence" / "link.json")
    rows = said["components"]
    match link["known_by"]:
        case "map":
            parts = linked.parts(rows, link["objects"], folders, BY_MAP)
            unexplained = linked.unexplained(rows, link["objects"])
        case "symbols":
            parts = linked.parts(rows, link["objects"], folders, BY_SYMBOLS)
            parts += linked.declared(rows, folders, prefix="toolchain/")
            unexplained = ["the linker left no map; libraries are known by symbols"]
        case _:
            parts = linked.declared(rows, folders)
            unexplained = ["the linker left no map, and the program has no symbols"]
    parts += linked.in_image(rows, folders)
    subject = said["program"]
    if said["std"]:
        parts += _rust(said, program, folders, subject)
    subject["sha256"] = hashlib.sha256((program / subject["file"]).read_bytes()).hexdigest()
    if unexplained:
        subject["properties"]["unexplained"] = ", ".join(unexplained)
    tools = [_tool(row) for row in said["tools"]]
    bill = cyclonedx.document(subject, parts, tools, complete=not unexplained)
    (to / BILL).write_text(bill, encoding="utf-8")
    text = licences.document(subject["name"], subject["target"], parts)
    (to / TEXTS).write_text(text, encoding="utf-8")


def _rust(
    said: dict[str, Any], program: Path, folders: Mapping[str, Path], subject: dict[str, Any]
) -> list[Part]:
    """Crates and std; the project's own package gives the program its version."""
    rows = _read(program / "evidence" / "crates.json")
    for row in rows:
        if row["program"]:
            subject["version"], subject["licence"] = row["version"], row["licence"]
    libraries = [row for row in rows if not row["program"]]
    found = crates.parts(libraries, folders["crates"], said["notices"])
    sysroot = folders["rust-std"] / "lib/rustlib" / said["triple"] / "lib"
    std = crates.std(said["std"], folders)
    of_std = crates.of_std(folders["rust"], sysroot, said["notices"], std)
    known = {part.ref for part in found}
    return [
        *found,
        std,
        *(part for part in of_std if part.ref not in known),
    ]


def _tool(row: Mapping[str, Any]) -> Part:
    return Part(
        name=row["name"],
        version=row["version"],
        purl=row["purl"] or purl("generic", row["name"], version=row["version"]),
        known_by="",
        kind="application",
        licence=row["licence"],
        source=row["file"],
        sha256=row["sha256"],
    )


def _read(path: Path) -> Any:  # noqa: ANN401  # JSON has no better name in typing
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    rules_file, output, into = map(Path, sys.argv[1:4])
    named = (word.split("=", 1) for word in sys.argv[4:])
    main(rules_file, output, into, {name: Path(folder) for name, folder in named})
