"""Credentials in what is said and written down: they are hidden, and all else of a text stays.

Names and passwords in an address (RFC 3986, 3.2.1), and the values of query parameters that let
somebody in: tokens, keys, signatures of storage services.
"""

from __future__ import annotations

import hashlib
import re

HIDDEN = "***"
USERINFO = re.compile(r"(?<=://)[^/?#\s\"<>]+@")
QUERY = re.compile(
    r"([?&#][^=&\s\"'<>]*"
    r"(?:token|signature|sig|secret|passw|credential|auth|key|jwt|policy|hmac|session)"
    r"[^=&\s\"'<>]*=)(?:[^&#\s\"'<>,;)]|[,;)](?=\w))+",
    re.IGNORECASE,
)
ADDRESS = re.compile(
    r"([\w.+-]+://)([^/?#]*@)?((?:[\w.-]*|\[[\w:.]+\])(?::\d+)?(?:/[^?#\s]*)?)([?#].*)?",
    re.DOTALL,
)


def hidden(text: str) -> str:
    """The text without credentials in its addresses."""
    return QUERY.sub(rf"\1{HIDDEN}", USERINFO.sub(f"{HIDDEN}@", text))


def place(address: str) -> str:
    """Return an address without user, password, query and fragment."""
    parts = ADDRESS.fullmatch(address)
    if parts is None:
        return f"{address.partition('://')[0]}://{HIDDEN}" if "://" in address else HIDDEN
    scheme, user, host_and_path, query = parts.groups("")
    return scheme + (f"{HIDDEN}@" if user else "") + host_and_path + (f"?{HIDDEN}" if query else "")


def digest(value: str) -> str:
    """What tells whether a value is the same as before, and not what it is: hexadecimal SHA-256."""
    return hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest()
