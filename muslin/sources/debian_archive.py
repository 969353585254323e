"""The Debian archive as a run asks it: whose keys may have signed, and where it is requested."""

from __future__ import annotations

import threading
from pathlib import Path

from muslin import installation
from muslin.engine.cache import layout
from muslin.engine.fetch.archive import mirrors
from muslin.engine.fetch.archive.client import Archive
from muslin.models.settings import Settings

CERTIFICATES = Path("recipes/pins/archive-keys")
"""Below Muslin's root; each file is named by the fingerprint of the certificate in it."""
PUBLIC = (
    ("https://mirrors.ocf.berkeley.edu/debian", "https://mirrors.ocf.berkeley.edu/debian-security"),
    (
        "https://mirror.csclub.uwaterloo.ca/debian",
        "https://mirror.csclub.uwaterloo.ca/debian-security",
    ),
    (
        "https://ftp.halifax.rwth-aachen.de/debian",
        "https://ftp.halifax.rwth-aachen.de/debian-security",
    ),
)
"""Requested where the machine is not Debian's or its apt files name no archive. Their addresses are
by their own public lists; no build here has used them."""


def opened(settings: Settings, *, cancelled: threading.Event) -> Archive:
    """The archive for a project and its cache. `MUSLIN_MIRROR` comes before the public mirrors."""
    own = settings.mirror.rstrip("/")
    mine = ((f"{own}/debian", f"{own}/debian-security"),) if own else ()
    return Archive(
        settings.cache / layout.ARCHIVE,
        certificates=installation.ROOT / CERTIFICATES,
        public=mirrors.public((*mine, *PUBLIC)),
        cancelled=cancelled,
    )
