"""Judges of bills of materials that are not ours."""

from __future__ import annotations

import json
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL


def valid(document: dict[str, Any]) -> None:
    """CycloneDX's own validator agrees, and every package URL is one."""
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    assert fault is None, fault
    for row in document["components"]:
        assert PackageURL.from_string(row["purl"]).to_string() == row["purl"]
    refs = [row["bom-ref"] for row in document["components"]]
    assert len(refs) == len(set(refs))
