"""Credentials in what is said and written down: they are hidden, and all else of a text stays.

Names and passwords in an address (RFC 3986, 3.2.1), and the values of query parameters that let
somebody in: tokens, keys, signatures of storage services.
"""

from __future__ import annotations

import hashlib
import re

HIDDEN = "***"
USERINFO = re.compile(r"(?<=://)[^/\s\"'<>@]+@")
QUERY = re.compile(
    r"([?&][^=&\s\"'<>]*(?:token|signature|sig|secret|password|passwd|credential|auth|key)"
    r"[^=&\s\"'<>]*=)[^&\s\"'<>,;)]+",
    re.IGNORECASE,
)


def hidden(text: str) -> str:
    """The text without credentials in its addresses."""
    return QUERY.sub(rf"\1{HIDDEN}", USERINFO.sub(f"{HIDDEN}@", text))


def digest(value: str) -> str:
    """What tells whether a value is the same as before, and not what it is: hexadecimal SHA-256."""
    return hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest()
