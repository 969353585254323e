"""What is said of a vulnerability, by what is linked into a program."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from muslin.dist import vex
from muslin.dist.publish import Listed
from muslin.dist.vex import Linked, Program
from muslin.sources.advisories import Advisory, Found, Located
from muslin.sources.changelog_index import Pinned

CVE = "CVE-2026-1000"
ZLIB = Linked(purls=("pkg:generic/zlib@1.3.1",), objects=("inflate.o", "adler32.o"))
PROGRAM = Program(
    name="program", version="1.0.0", sha256="0" * 64, complete=True, components={"zlib": ZLIB}
)

BILL = {
    "metadata": {"component": {"name": "program", "hashes": [{"content": "0" * 64}]}},
    "compositions": [{"aggregate": "complete"}],
    "components": [
        {
            "purl": "pkg:generic/zlib@1.3.1",
            "properties": [{"name": "muslin:component", "value": "zlib"}],
            "evidence": {"occurrences": [{"location": "usr/lib/libz.a(inflate.o)"}]},
        },
        {
            "purl": "pkg:generic/musl@1.2.5",
            "properties": [{"name": "muslin:component", "value": "musl"}],
            "evidence": {"occurrences": [{"location": "arm/lib/crt1.o"}]},
        },
        {"purl": "pkg:cargo/axum@0.8.9", "evidence": {}},
    ],
}


def pinned(component: str, *fixes: str) -> Pinned:
    return Pinned(
        component=component,
        package=component,
        kind="source",
        suite="trixie",
        version="1-1",
        patched=True,
        fixes=fixes,
    )


def lacking(*components: str, reason: str = "") -> Found:
    rows = [
        Advisory(component=name, cve=CVE, pinned="1-1", fixed_in="1-2", reason=reason)
        for name in components
    ]
    return Found(asked=0.0, pinned=[pinned(name) for name in components], lacking=rows, ended=[])


def located(*objects: str) -> Located:
    return Located(component="zlib", cves=(CVE,), objects=objects, source="the fix")


def statements(program: Program, found: Found, *where: Located) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(vex.document(program, found, where))["statements"]
    return made


def status(program: Program, found: Found, *where: Located) -> tuple[str, str]:
    [said] = statements(program, found, *where)
    return said["status"], said.get("justification", "")


def test_a_component_that_is_linked_and_one_that_is_not_are_told_apart() -> None:
    linked, absent = statements(PROGRAM, lacking("zlib", "openssl"))
    assert linked["status"] == "under_investigation"
    assert linked["products"][0]["subcomponents"] == [{"@id": "pkg:generic/zlib@1.3.1"}]
    assert absent["status"] == "not_affected"
    assert absent["justification"] == "component_not_present"
    assert "subcomponents" not in absent["products"][0]


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        (("inflate.o",), ("affected", "")),
        (("gz*.o", "inf*.o"), ("affected", "")),
        (("gz*.o",), ("not_affected", "vulnerable_code_not_present")),
    ],
)
def test_an_object_that_is_linked_and_one_that_is_not_are_told_apart(
    objects: tuple[str, ...], said: tuple[str, str]
) -> None:
    assert status(PROGRAM, lacking("zlib"), located(*objects)) == said


def test_what_is_not_known_to_be_absent_is_not_called_so() -> None:
    incomplete = replace(PROGRAM, complete=False)
    assert status(incomplete, lacking("openssl"))[0] == "under_investigation"
    without_map = replace(
        PROGRAM, components={"zlib": Linked(purls=ZLIB.purls, objects=())}, complete=False
    )
    assert status(without_map, lacking("zlib"), located("gz*.o"))[0] == "under_investigation"


def test_a_fix_by_a_patch_concerns_what_is_linked_alone() -> None:
    found = Found(
        asked=0.0,
        pinned=[pinned("zlib", "CVE-2025-1"), pinned("openssl", "CVE-2025-2")],
        lacking=[],
        ended=[],
    )
    assert [one["status"] for one in statements(PROGRAM, found)] == ["fixed", "not_affected"]


def test_an_affected_program_is_told_what_to_do_and_why_it_was_accepted() -> None:
    [said] = statements(PROGRAM, lacking("zlib", reason="no mirror has it"), located("inflate.o"))
    assert said["action_statement"] == "rebuild with zlib 1-2 or later"
    assert "no mirror has it" in said["status_notes"]


def test_the_same_answer_gives_the_same_document() -> None:
    first, second = (vex.document(PROGRAM, lacking("zlib"), ()) for _ in range(2))
    assert first == second
    other = vex.document(replace(PROGRAM, sha256="1" * 64), lacking("zlib"), ())
    assert json.loads(first)["@id"] != json.loads(other)["@id"]
    assert json.loads(first)["timestamp"] == "1970-01-01T00:00:00Z"


def test_a_bill_is_read_back() -> None:
    program = vex.read(BILL)
    assert {name: one.objects for name, one in program.components.items()} == {
        "zlib": ("inflate.o",),
        "musl": ("crt1.o",),
    }


def listed(dist: Path, *paths: str) -> None:
    """A `dist/` with the bill at these paths."""
    rows = []
    for path in paths:
        file = dist / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(BILL))
        row = Listed(
            path=path, sha256="0" * 64, bytes=1, target="armv6", stage_key="", source_set="debian"
        )
        rows.append(asdict(row))
    (dist / "manifest.json").write_text(json.dumps({"artefacts": rows}))


def test_it_comes_to_lie_beside_each_bill_of_a_declared_service(tmp_path: Path) -> None:
    listed(tmp_path, "sbom/armv6/one.cdx.json", "sbom/armv6/gone.cdx.json", "armv6/one")
    found = lacking("zlib", "openssl", "curl")
    [path] = vex.write(tmp_path, found, (), {"one": {"zlib", "openssl"}})
    assert path == tmp_path / "sbom/armv6/one.openvex.json"
    said = json.loads(path.read_text())["statements"]
    # curl is none of what this service is built with.
    assert [one["status"] for one in said] == ["under_investigation", "not_affected"]


def test_without_bills_nothing_is_written(tmp_path: Path) -> None:
    assert vex.write(tmp_path / "none", lacking("zlib"), (), {"one": {"zlib"}}) == []
