"""Bills of what the pipeline built: they name what is in the programs, and nothing else."""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import Any

import pytest

from tests.bills import valid
from tests.product.conftest import PROJECT, Product

SERVICES = ("hello-c", "hello-cpp", "hello-fetch", "hello-http", "hello-sqlite", "hello-tls")


def bill(product: Product, service: str) -> dict[str, Any]:
    path = PROJECT / "dist/sbom" / product.target.name / f"{service}.cdx.json"
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def names(document: dict[str, Any]) -> set[str]:
    return {row["name"] for row in document["components"]}


@pytest.mark.parametrize("service", SERVICES)
def test_a_bill_is_valid_complete_and_of_the_program(product: Product, service: str) -> None:
    document = bill(product, service)
    valid(document)
    assert document["compositions"][0]["aggregate"] == "complete", document["metadata"]
    digest = hashlib.sha256(product.program(service).read_bytes()).hexdigest()
    assert document["metadata"]["component"]["hashes"][0]["content"] == digest
    assert {"musl", "libgcc"} <= names(document)
    assert "linux-headers" not in names(document)


def test_c_programs_have_no_part_of_the_others(product: Product) -> None:
    assert names(bill(product, "hello-c")) <= {"musl", "libgcc", "libatomic"}
    assert "libstdc++" in names(bill(product, "hello-cpp"))
    assert names(bill(product, "hello-sqlite")) & {"sqlite3", "openssl"} == {"sqlite3"}


def test_openssl_is_known_by_its_objects_with_its_patches(product: Product) -> None:
    # A crate is called openssl, too.
    rows = {row["purl"].partition("@")[0]: row for row in bill(product, "hello-tls")["components"]}
    openssl = rows["pkg:generic/openssl"]
    places = {one["location"] for one in openssl["evidence"]["occurrences"]}
    assert any(place.startswith("usr/lib/libssl.a(") for place in places)
    assert any(place.startswith("usr/lib/libcrypto.a(") for place in places)
    assert openssl["cpe"].startswith("cpe:2.3:a:openssl:openssl:3.5.")
    assert openssl["pedigree"]["patches"]
    assert "pkg:generic/zlib" not in rows  # OpenSSL is built without compression


def test_every_crate_of_a_service_is_named(product: Product) -> None:
    """Those that its manifest names are there, in the version of the lock."""
    lock = tomllib.loads((PROJECT / "services/Cargo.lock").read_text())
    versions = {(one["name"], one["version"]) for one in lock["package"]}
    rows = [row for row in bill(product, "hello-tls")["components"] if "cargo" in row["purl"]]
    found = {(row["name"], row["version"]) for row in rows}
    asked = {"axum", "openssl", "openssl-sys", "serde", "socket2", "tokio", "tokio-openssl"}
    assert asked <= {name for name, _ in found & versions}
    assert not {"syn", "quote", "serde_derive", "ureq"} & {name for name, _ in found}
    assert "rust-std" in names(bill(product, "hello-tls"))


@pytest.mark.parametrize("service", SERVICES)
def test_licences_have_their_texts(product: Product, service: str) -> None:
    path = PROJECT / "dist/licenses" / product.target.name / f"{service}.txt"
    text = path.read_text()
    assert "GCC RUNTIME LIBRARY EXCEPTION" in text
    assert "musl as a whole is licensed under" in text
    if service == "hello-tls":
        assert "Apache License" in text
