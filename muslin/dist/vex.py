"""Whether known vulnerabilities concern the programs in `dist/`: OpenVEX beside each bill.

A program has a component's fault only if the object with the fault was linked into it, which the
bill knows. <https://github.com/openvex/spec>, version 0.2.0.
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from muslin.dist import publish
from muslin.dist.artifacts import BILLS
from muslin.engine.filesystem import atomic
from muslin.engine.formats import documents
from muslin.sources.advisories import Advisory, Found, Located

SUFFIX = ".cdx.json"
CONTEXT = "https://openvex.dev/ns/v0.2.0"
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Linked:
    """What the bill of a program says of a component."""

    purls: tuple[str, ...]
    objects: tuple[str, ...]
    """Names of members and start files; empty where the linker left no map."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program, as its bill describes it."""

    name: str
    version: str
    sha256: str
    complete: bool
    """Whether what the bill does not name is not in the program."""
    components: Mapping[str, Linked]


def write(
    folder: Path,
    found: Found,
    located: Iterable[Located],
    declared: Mapping[str, Collection[str]],
) -> list[Path]:
    """Write `sbom/<target>/<service>.openvex.json` for each bill that is listed in `dist/`; the
    paths. `declared` has the components that each service is built with."""
    located, written = tuple(located), []
    for listed in publish.listed(folder):
        service = Path(listed.path).name.removesuffix(SUFFIX)
        is_bill = listed.path.startswith(f"{BILLS}/") and listed.path.endswith(SUFFIX)
        if is_bill and service in declared:
            program = read(documents.json_table(folder / listed.path))
            text = document(program, found.among(declared[service]), located)
            path = folder / f"{listed.path.removesuffix(SUFFIX)}.openvex.json"
            atomic.write(path, text)
            written.append(path)
    return written


def read(bill: Json) -> Program:
    """What a bill of this pipeline says."""
    components: dict[str, Linked] = {}
    for row in bill["components"]:
        properties = {one["name"]: one["value"] for one in row.get("properties", ())}
        if name := properties.get("muslin:component"):
            places = [one["location"] for one in row["evidence"].get("occurrences", ())]
            known = components.get(name, Linked(purls=(), objects=()))
            components[name] = Linked(
                purls=(*known.purls, row["purl"]),
                objects=(*known.objects, *map(_object, places)),
            )
    subject = bill["metadata"]["component"]
    return Program(
        name=subject["name"],
        version=subject.get("version", ""),
        sha256=subject["hashes"][0]["content"],
        complete=bill["compositions"][0]["aggregate"] == "complete",
        components=components,
    )


def document(program: Program, found: Found, located: Iterable[Located]) -> str:
    """The document about one program; the same for the same bill and the same answer of the
    archive."""
    statements = list(_statements(program, found, tuple(located)))
    asked = datetime.datetime.fromtimestamp(found.asked, datetime.UTC)
    made: Json = {
        "@context": CONTEXT,
        "author": "muslin",
        "timestamp": asked.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "version": 1,
        "statements": statements,
    }
    number = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(made, sort_keys=True))
    return json.dumps({"@id": f"urn:uuid:{number}", **made}, indent=1) + "\n"


def _object(location: str) -> str:
    """`usr/lib/libz.a(inflate.o)` -> `inflate.o`."""
    return location.rpartition("(")[2].removesuffix(")").rpartition("/")[2]


def _statements(program: Program, found: Found, located: tuple[Located, ...]) -> Iterator[Json]:
    for pinned in found.pinned:
        for cve in pinned.fixes:
            said = _absent(program, pinned.component) or {"status": "fixed"}
            yield _statement(program, pinned.component, cve, said)
    for row in found.lacking:
        yield _statement(program, row.component, row.cve, _status(program, row, located))


def _statement(program: Program, component: str, cve: str, said: Json) -> Json:
    product: Json = {
        "@id": f"pkg:generic/{program.name}" + (f"@{program.version}" * bool(program.version)),
        "hashes": {"sha-256": program.sha256},
    }
    if linked := program.components.get(component):
        product["subcomponents"] = [{"@id": purl} for purl in linked.purls]
    return {"vulnerability": {"name": cve}, "products": [product], **said}


def _absent(program: Program, component: str) -> Json:
    """What is said of a component that is not in the program; nothing if it is or may be."""
    if component in program.components or not program.complete:
        return {}
    return {
        "status": "not_affected",
        "justification": "component_not_present",
        "impact_statement": f"no object of {component} is linked into the program",
    }


def _status(program: Program, row: Advisory, located: tuple[Located, ...]) -> Json:
    """What is said of a fix that the build lacks."""
    if said := _absent(program, row.component):
        return said
    notes = f"fixed in {row.fixed_in}" + (f"; accepted: {row.reason}" if row.reason else "")
    linked = program.components.get(row.component)
    where = next((o for o in located if o.component == row.component and row.cve in o.cves), None)
    if where is None or linked is None or not linked.objects:
        return {"status": "under_investigation", "status_notes": notes}
    hit = sorted({o for o in linked.objects if any(fnmatchcase(o, p) for p in where.objects)})
    if hit:
        return {
            "status": "affected",
            "status_notes": f"{', '.join(hit)} is linked; {notes}",
            "action_statement": f"rebuild with {row.component} {row.fixed_in} or later",
        }
    return {
        "status": "not_affected",
        "justification": "vulnerable_code_not_present",
        "impact_statement": f"no object that {', '.join(where.objects)} names is linked "
        f"({where.source})",
    }
