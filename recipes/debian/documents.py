"""Texts of a Debian package: its copyright, changelog and what lintian need not report.

Formats: "Machine-readable debian/copyright file" 1.0, deb-changelog(5), the manual of lintian.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from debian.copyright import Header

from muslin.models.licences import Licences
from muslin.models.packaging import Packaging
from muslin.models.pins import Component
from muslin.models.service import Service

COPYRIGHT = Header().format
UNSTATED = "unstated"
"""Name of a licence that no file names."""
OTHERS = "The text is at https://spdx.org/licenses/, under this name."
SYNOPSIS, COLUMNS = 79, 79
"""Characters of the first line of a description, and of the others."""
OVERRIDES = """\
# A static program that can be loaded at any address: no library of the system is in it.
{package}: shared-library-lacks-prerequisites [usr/bin/{binary}]
# It comes without a manual page.
{package}: no-manual-page [usr/bin/{binary}]
"""
FIRST = """\
# It is not uploaded to Debian, where a first version closes a request for it.
{package}: initial-upload-closes-no-bugs [usr/share/doc/{package}/changelog.Debian.gz:1]
"""


def changelog(packaging: Packaging) -> str:
    """One entry: that the version was packaged."""
    return (
        f"{packaging.package} ({packaging.full_version}) unstable; urgency=medium\n\n"
        f"  * Package of version {packaging.version}, built by Muslin.\n\n"
        f" -- {packaging.maintainer}  {packaging.date}\n"
    )


def copyright_file(
    service: Service,
    packaging: Packaging,
    licences: Licences,
    contains: Iterable[Component],
) -> str:
    """Whose work is in the program, and under which licences it is used."""
    parts = list(_parts(service, packaging, licences, contains))
    names = dict.fromkeys(name for _, licence in parts for name in _identifiers(licence))
    holders = "\n ".join(text for text, _ in parts)
    # A comma binds less than the "or" of one part.
    together = ", and ".join(dict.fromkeys(_expression(licence) for _, licence in parts))
    lines = [
        f"Format: {COPYRIGHT}\nUpstream-Name: {service.name}",
        *([f"Source: {packaging.homepage}"] if packaging.homepage else []),
        f"\nFiles: *\nCopyright: {holders}\nLicense: {together}",
        *_of_crates(service),
    ]
    texts = (f"\nLicense: {_dep5(name)}\n{_folded(_text(name, licences))}" for name in names)
    return "\n".join((*lines, *texts)) + "\n"


def overrides(service: Service, packaging: Packaging) -> str:
    """What lintian reports of every package of a static program, with the reason."""
    text = OVERRIDES if packaging.revision > 1 else OVERRIDES + FIRST
    return text.format(package=packaging.package, binary=service.binary)


def synopsis(service: Service) -> str:
    """The first line of `Description`: the summary, as the Debian Policy Manual, 3.4.1, asks for
    it, without article and full stop and of one short line."""
    text = re.sub(r"^(an?|the) (?=.)", "", summary(service), flags=re.IGNORECASE).rstrip(".")
    return textwrap.shorten(text, SYNOPSIS, placeholder=" …") or service.name


def summary(service: Service) -> str:
    """The service in one line, without what no terminal shows."""
    shown = (letter if letter.isprintable() else " " for letter in service.summary)
    return " ".join("".join(shown).split())


def description(packaging: Packaging) -> str:
    """`Description` below its first line."""
    text = packaging.description or (
        "This is a static program, which requires no library of the system. Muslin has\n"
        "compared all of its machine code with the oldest processor of its target."
    )
    lines = (textwrap.wrap(line, COLUMNS) or [""] for line in text.splitlines())
    return _folded("\n".join(line for wrapped in lines for line in wrapped))


def _parts(
    service: Service, packaging: Packaging, licences: Licences, contains: Iterable[Component]
) -> Iterator[tuple[str, str]]:
    """Notice and licence of everything in the program, those with years first: that is how lintian
    knows a notice."""
    own = packaging.copyright or f"the authors of {service.name}"
    rows = [(f"{own} ({service.name})", packaging.license or UNSTATED)]
    if service.build == "cargo":
        rows.append((f"{licences.notices['rust']} (the standard library)", "MIT OR Apache-2.0"))
    for component in contains:
        notice = licences.notices.get(component.name, f"the authors of {component.name}")
        rows.append(
            (f"{notice} ({component.name} {component.version})", component.licence or UNSTATED)
        )
    yield from sorted(rows, key=lambda row: not row[0][:4].isdecimal())


def _of_crates(service: Service) -> Iterator[str]:
    if service.build == "cargo":
        yield "Comment: The program also contains the crates of its Cargo.lock, each under its"
        yield " own licence, which the registry of crates names."


def _identifiers(licence: str) -> list[str]:
    """The licences in an SPDX expression, each with its exception."""
    plain = licence.replace("(", " ").replace(")", " ").replace("/", " OR ")
    return [
        name for part in re.split(r"\s+(?:OR|AND)\s+", plain) if (name := " ".join(part.split()))
    ]


def _expression(licence: str) -> str:
    words = licence.replace("(", "").replace(")", "").replace("/", " OR ")
    return _dep5(re.sub(r"\s+OR\s+", " or ", re.sub(r"\s+AND\s+", " and ", words)))


def _dep5(name: str) -> str:
    """An exception in the words of the format."""
    return re.sub(r"\s+WITH\s+(\S+)", r" with \1 exception", name)


def _text(name: str, licences: Licences) -> str:
    if name == UNSTATED:
        return "No file of the project names its licence."
    return licences.texts.get(name, OTHERS).strip()


def _folded(text: str) -> str:
    """A text as the value of a field: every line indented, empty ones as a full stop."""
    return "\n".join(f" {line.rstrip()}" if line.strip() else " ." for line in text.splitlines())
