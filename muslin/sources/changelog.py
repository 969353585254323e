"""Which CVEs the versions of a Debian package fix, by its changelog: deb-changelog(5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

HEAD = re.compile(r"^\S+ \((?P<version>[^()\s]+)\) ", re.MULTILINE)
CVE = re.compile(r"CVE-\d{4}-\d{4,}")
NO_FIX = re.compile(r"\b(revert|not affected|does not affect|drop|remove)", re.IGNORECASE)
"""Words of lines whose CVEs are not fixed by the version."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One version of a package."""

    version: str
    cves: tuple[str, ...]


def entries(text: str) -> list[Entry]:
    """The versions of a changelog, newest first."""
    heads = list(HEAD.finditer(text))
    ends = [*(head.start() for head in heads), len(text)][1:]
    return [
        Entry(version=head["version"], cves=in_order(_fixed(text[head.end() : end])))
        for head, end in zip(heads, ends, strict=True)
    ]


def _fixed(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not NO_FIX.search(line):
            yield from CVE.findall(line)


def upstream(version: str) -> str:
    """`1:2.44-3~deb13u1` -> `2.44`; `6.3.0+dfsg-3` -> `6.3.0`; `1.3+really1.3.1-1` -> `1.3.1`."""
    match = re.match(r"(?:.*\+really|\d+:)?([^-+~]+?)(?:\.dfsg)?(?:[-+~]|$)", version)
    assert match is not None, version
    return match[1]


def on_top(known: Sequence[Entry], version: str) -> tuple[str, ...]:
    """CVEs that a version's patches fix on top of the upstream release it is made from.

    What the first version of a release names is taken for the release's own.
    """
    numbers = [entry.version for entry in known]
    if version not in numbers:
        return ()
    release = upstream(version)
    since = [e for e in known[numbers.index(version) :] if upstream(e.version) == release]
    return in_order(cve for entry in since[:-1] for cve in entry.cves)


def in_order(cves: Iterable[str]) -> tuple[str, ...]:
    """Each CVE once, by year and number."""
    return tuple(sorted(set(cves), key=lambda cve: tuple(map(int, cve.split("-")[1:]))))
