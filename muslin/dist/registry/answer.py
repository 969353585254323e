"""What registries answer, and what that says of another attempt."""

from __future__ import annotations

import email.utils
import json
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urljoin

from muslin.engine.fetch import failures
from muslin.engine.fetch.failures import Fault

CODES = frozenset(
    {
        *("BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID"),
        *("MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID"),
        *("NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED", "DENIED", "UNSUPPORTED"),
        *("TOOMANYREQUESTS", "TAG_INVALID", "MANIFEST_UNVERIFIED"),
    }
)
"""Of the specification; no other word of a registry is repeated."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a registry answers."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    address: str = field(repr=False)
    """After redirections."""

    @property
    def is_page(self) -> bool:
        """Whether it is for people: a login or an error of a proxy."""
        return self.headers.get("Content-Type", "").lower().startswith("text/html")

    @property
    def digest(self) -> str:
        """The digest of what it is about, if the registry says it."""
        return self.headers.get("Docker-Content-Digest", "")

    @property
    def code(self) -> str:
        """The error's code, if it is one of the specification's."""
        try:
            code = json.loads(self.content)["errors"][0]["code"]
        except (ValueError, LookupError, TypeError):
            return ""
        return code if isinstance(code, str) and code in CODES else ""


class Busy(Fault):
    """A registry that asks to come back later."""

    def __init__(self, why: str, after: float) -> None:
        super().__init__(why)
        self.after = after
        """Seconds."""


def joined(address: str, location: str) -> str:
    """Where a `Location` leads from an address; empty if it is no address."""
    try:
        return urljoin(address, location)
    except ValueError:
        return ""


def insist_on_passing(answer: Answer) -> None:
    """Raise `Fault` for an answer that may be another a moment later."""
    if answer.status not in failures.PASSING:
        return
    fault = failures.of_status(answer.status)
    raise Busy(str(fault), _after(answer.headers.get("Retry-After", "")))


def _after(text: str) -> float:
    """Seconds of `Retry-After`, which has a number or a date; 0 for anything else."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    with suppress(ValueError, TypeError, OverflowError):
        wanted = email.utils.parsedate_to_datetime(text).timestamp()
        return max(0.0, math.ceil(wanted - time.time()))
    return 0.0
