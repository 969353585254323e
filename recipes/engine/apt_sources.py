"""Where this machine gets Debian's packages from: its own apt files, both formats.

Addresses are read when the program runs and stand nowhere in the repository. Only the archive's own
entries count: another vendor's may not answer, and one that fails makes apt fail as a whole.
Formats: sources.list(5).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$"
)
ARCHIVE_KEYRING = "debian-archive"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One archive of one release."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""


def entries(etc: Path) -> Iterator[Entry]:
    """Every enabled binary entry in `sources.list` and `sources.list.d`."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for path in files:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".sources":
            yield from _deb822(text)
        elif path.suffix == ".list":
            yield from _one_line(text)


def archive_of(etc: Path, codename: str) -> dict[str, Entry]:
    """`main` and, where there is one, `security`: the archive's own entries for this release."""
    found: dict[str, Entry] = {}
    for entry in entries(etc):
        foreign = entry.signed_by and ARCHIVE_KEYRING not in entry.signed_by
        if foreign or "main" not in entry.components:
            continue
        if entry.suite == codename:
            found.setdefault("main", entry)
        elif entry.suite in (f"{codename}-security", f"{codename}/updates"):
            found.setdefault("security", entry)
    return found


def _one_line(text: str) -> Iterator[Entry]:
    for line in text.splitlines():
        match = ONE_LINE.match(line.split("#")[0].strip())
        if match is None:
            continue
        options = dict(
            option.split("=", 1) for option in shlex.split(match["options"] or "") if "=" in option
        )
        yield Entry(
            uri=match["uri"],
            suite=match["suite"],
            components=tuple(match["components"].split()),
            signed_by=options.get("signed-by", ""),
        )


def _deb822(text: str) -> Iterator[Entry]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if fields.get("enabled", "yes").lower() in ("no", "false", "off", "0"):
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Entry(
                    uri=uri,
                    suite=suite,
                    components=tuple(fields.get("components", "").split()),
                    signed_by=fields.get("signed-by", ""),
                )


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t"):
            fields[name] = f"{fields.get(name, '')}\n{line.strip()}"
        elif ":" in line:
            name, value = line.split(":", 1)
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields
