"""Canonical JSON: one text for one document, whatever the order of its names."""

from __future__ import annotations

import hashlib
import json
from typing import Any

Document = dict[str, Any]


def digest(document: Document) -> str:
    """SHA-256 of the document's canonical JSON."""
    return hashlib.sha256(written(document)).hexdigest()


def written(document: Document) -> bytes:
    """The document's canonical JSON."""
    return _canonical(document).encode()


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode
