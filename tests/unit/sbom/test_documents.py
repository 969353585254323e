"""Bills and licences as texts; outside judges agree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packageurl import PackageURL

from muslin.models import source_trees
from muslin.sbom import cyclonedx, licences
from muslin.sbom.part import BY_CARGO, BY_MAP, Part, Patch, Text, cpe, purl
from recipes import sbom
from tests.archive import PROJECT
from tests.bills import valid

OPENSSL = Part(
    name="openssl",
    version="3.5.7",
    purl="pkg:generic/openssl@3.5.7",
    known_by=BY_MAP,
    component="openssl",
    licence="Apache-2.0",
    cpe=cpe("openssl:openssl", "3.5.7"),
    source="openssl_3.5.7.orig.tar.gz",
    sha256="a" * 64,
    origin="pkg:deb/debian/openssl@3.5.7-1~deb13u2?arch=source",
    objects=("usr/lib/libssl.a(ssl_lib.o)",),
    size=1000,
    patches=(Patch(name="CVE-2026-1.patch", sha256="b" * 64, fixes=("CVE-2026-1",)),),
    fixes=("CVE-2026-1", "CVE-2026-2"),
    texts=(Text(name="LICENSE.txt", text="Apache\n"),),
)
AXUM = Part(
    name="axum",
    version="0.8.9",
    purl="pkg:cargo/axum@0.8.9",
    known_by=BY_CARGO,
    licence="MIT",
    features=("http1",),
    texts=(Text(name="LICENSE", text="MIT of axum\n"),),
)
TOWER = replace(AXUM, name="tower", version="0.5.3", purl="pkg:cargo/tower@0.5.3")
BARE = replace(AXUM, name="bare", purl="pkg:cargo/bare@0.8.9", licence="", texts=())


def program(sha256: str = "0" * 64) -> dict[str, Any]:
    return {
        "name": "hello-tls",
        "version": "0.1.0",
        "licence": "MIT",
        "sha256": sha256,
        "target": "armv6",
        "tool": {"name": "muslin"},
        "properties": {"target": "armv6"},
    }


def bill(*parts: Part, sha256: str = "0" * 64, complete: bool = True) -> dict[str, Any]:
    text = cyclonedx.document(program(sha256), parts, (OPENSSL,), complete=complete)
    document: dict[str, Any] = json.loads(text)
    return document


@pytest.mark.parametrize("parts", [(), (OPENSSL,), (OPENSSL, AXUM, TOWER, BARE)])
def test_a_bill_is_valid(parts: tuple[Part, ...]) -> None:
    valid(bill(*parts))
    valid(bill(*parts, complete=False))


def test_the_judge_can_refuse() -> None:
    broken = bill(OPENSSL)
    broken["components"][0]["type"] = "archive"
    with pytest.raises(AssertionError):
        valid(broken)


def test_what_a_patch_fixes_is_said_of_it_and_the_rest_of_all() -> None:
    [row] = bill(OPENSSL)["components"]
    [patch] = row["pedigree"]["patches"]
    assert patch["resolves"] == [{"type": "security", "id": "CVE-2026-1"}]
    assert "CVE-2026-2" in row["pedigree"]["notes"]
    assert row["pedigree"]["ancestors"][0]["purl"] == OPENSSL.origin


def test_the_serial_number_is_that_of_the_content() -> None:
    assert bill(OPENSSL) == bill(OPENSSL)
    numbers = {
        bill(OPENSSL)["serialNumber"],
        bill(AXUM)["serialNumber"],
        bill(OPENSSL, sha256="1" * 64)["serialNumber"],
    }
    assert len(numbers) == 3
    assert "timestamp" not in bill(OPENSSL)["metadata"]


def test_the_identity_is_one_object_which_older_readers_want() -> None:
    [row] = bill(OPENSSL)["components"]
    assert row["evidence"]["identity"]["methods"][0]["value"] == BY_MAP


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (
            purl("deb", "debian", "zlib", version="1:1.3.dfsg+really1.3.1-1", arch="source"),
            "pkg:deb/debian/zlib@1:1.3.dfsg%2Breally1.3.1-1?arch=source",
        ),
        (purl("generic", "libstdc++", version="14.2.0"), "pkg:generic/libstdc%2B%2B@14.2.0"),
        (purl("generic", "program", version=""), "pkg:generic/program"),
    ],
)
def test_package_urls_are_those_of_the_specification(made: str, text: str) -> None:
    assert made == text == PackageURL.from_string(made).to_string()


def test_cpe_has_what_vendors_are_known_by() -> None:
    assert OPENSSL.cpe == "cpe:2.3:a:openssl:openssl:3.5.7:*:*:*:*:*:*:*"
    assert cpe("", "1.0") == ""


def test_each_text_is_there_once_below_all_that_have_it() -> None:
    text = licences.document("hello-tls", "armv6", [OPENSSL, AXUM, TOWER, BARE])
    assert text.count("MIT of axum") == 1
    assert "axum 0.8.9: LICENSE\ntower 0.5.3: LICENSE\n" in text
    assert "bare 0.8.9     its source names no licence  (no text)" in text


def test_its_own_files_are_enough(tmp_path: Path) -> None:
    for file in source_trees.tree(PROJECT, sbom.CODE).files:
        to = tmp_path / file.path
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / file.path, to)
    done = subprocess.run(
        [sys.executable, "-c", "import muslin.sbom.__main__ as it; print(it.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
