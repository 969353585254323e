"""CycloneDX 1.6 as JSON; <https://cyclonedx.org/docs/1.6/json/>.

Written here and not by cyclonedx-python-lib, which has no `formulation` (11.12); it judges the
documents in the tests. Nothing in a document depends on when or where it was written.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from muslin.sbom.part import BY_CARGO, BY_DECLARATION, BY_MAP, BY_SYMBOLS, Part

Json = dict[str, Any]
SCHEMA = "http://cyclonedx.org/schema/bom-1.6.schema.json"
CONFIDENCE: Mapping[str, tuple[str, float]] = {
    BY_MAP: ("binary-analysis", 1.0),
    BY_SYMBOLS: ("binary-analysis", 0.9),
    BY_CARGO: ("manifest-analysis", 1.0),
    BY_DECLARATION: ("other", 0.3),
}
"""CycloneDX's technique and how sure it is, by how a part is known to be there."""


def document(
    program: Mapping[str, Any], parts: Sequence[Part], tools: Sequence[Part], *, complete: bool
) -> str:
    """A bill. `program` has `name`, `version`, `licence`, `sha256`, `target` and `properties`;
    `complete` says whether all that is in it is among the parts."""
    subject = f"{program['name']}:{program['target']}"
    bill: Json = {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": _metadata(program, subject),
        "components": [_component(part) for part in parts],
        "dependencies": [
            {"ref": subject, "dependsOn": [part.ref for part in parts]},
            *({"ref": part.ref} for part in parts),
        ],
        "compositions": [
            {"aggregate": "complete" if complete else "incomplete", "assemblies": [subject]}
        ],
        "formulation": [
            {"bom-ref": "formula", "components": [_component(tool, "tool:") for tool in tools]}
        ],
    }
    digest = hashlib.sha256(json.dumps(bill, sort_keys=True).encode()).hexdigest()
    # Of the content, which names the program's digest: the same bill has the same number anywhere.
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}"
    return json.dumps(bill, indent=1, ensure_ascii=False) + "\n"


def _metadata(program: Mapping[str, Any], subject: str) -> Json:
    component: Json = {"type": "application", "bom-ref": subject, "name": program["name"]}
    if program["version"]:
        component["version"] = program["version"]
    component["hashes"] = [{"alg": "SHA-256", "content": program["sha256"]}]
    if program["licence"]:
        component["licenses"] = [{"expression": program["licence"]}]
    properties: Iterable[tuple[str, str]] = program["properties"].items()
    return {
        "lifecycles": [{"phase": "build"}],
        "tools": {"components": [{"type": "application", **program["tool"]}]},
        "component": component,
        "properties": [{"name": f"muslin:{name}", "value": value} for name, value in properties],
    }


def _component(part: Part, prefix: str = "") -> Json:
    """A part; optional keys are left out where nothing is known."""
    made: Json = {
        "type": part.kind,
        "bom-ref": f"{prefix}{part.ref}",
        "name": part.name,
        "version": part.version,
    }
    if part.licence:
        made["licenses"] = [{"expression": part.licence}]
    if part.cpe:
        made["cpe"] = part.cpe
    made["purl"] = part.purl
    if part.sha256:
        digest = {"alg": "SHA-256", "content": part.sha256}
        made["externalReferences"] = [
            {"type": "source-distribution", "url": part.source, "hashes": [digest]}
        ]
    if pedigree := _pedigree(part):
        made["pedigree"] = pedigree
    if not prefix:
        made["evidence"] = _evidence(part)
    if properties := list(_properties(part)):
        made["properties"] = [{"name": name, "value": value} for name, value in properties]
    return made


def _pedigree(part: Part) -> Json:
    made: Json = {}
    if part.origin:
        ancestor = {"type": "library", "name": part.name, "purl": part.origin}
        made["ancestors"] = [ancestor]
    if part.patches:
        made["patches"] = [_patch(patch.name, patch.sha256, patch.fixes) for patch in part.patches]
    if part.fixes:
        made["notes"] = f"Patches fix, on top of the release: {', '.join(part.fixes)}"
    return made


def _patch(name: str, sha256: str, fixes: Sequence[str]) -> Json:
    made: Json = {
        "type": "backport" if fixes else "unofficial",
        "diff": {"url": f"{name}#sha256:{sha256}"},
    }
    if fixes:
        made["resolves"] = [{"type": "security", "id": cve} for cve in fixes]
    return made


def _evidence(part: Part) -> Json:
    technique, confidence = CONFIDENCE[part.known_by]
    method = {"technique": technique, "confidence": confidence, "value": part.known_by}
    # One object as in 1.5, which 1.6 takes as well as a list: syft 1.18 refuses the list.
    made: Json = {"identity": {"field": "purl", "confidence": confidence, "methods": [method]}}
    if part.objects:
        made["occurrences"] = [{"location": name} for name in part.objects]
    return made


def _properties(part: Part) -> Iterator[tuple[str, str]]:
    if part.component:
        yield "muslin:component", part.component
    if part.size:
        yield "muslin:bytes", str(part.size)
    for feature in part.features:
        yield "cargo:feature", feature
