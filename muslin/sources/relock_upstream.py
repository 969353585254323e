"""Pins of the `upstream` set, moved where a record of the new release is at hand.

Debian's archive has some releases byte for byte as their projects published them: its signed index
is a record of their names, sizes and digests. The file keeps its comments; a second record is still
to be found by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from muslin.engine import errors as engine_errors
from muslin.engine.fetch.archive.client import Archive
from muslin.engine.fetch.archive.located import Located
from muslin.engine.formats import documents
from muslin.models import declaration
from muslin.models import errors as model_errors
from muslin.models.pin_files import Pin, PinSet
from muslin.sources import changelog
from muslin.sources import errors as source_errors
from muslin.sources.upstream import Upstream, WebPin

AS_RELEASED = ("curl", "mpc", "mpfr", "musl", "openssl")
"""Components whose orig tarball in Debian is the project's own file."""


def moved(path: Path, debian: PinSet, archive: Archive, *, names: Iterable[str]) -> list[str]:
    """Move the named pins of a file to the newest of their series in the archive's index; a line
    about each. Raises `NoRecord` for a name that the archive is no record of."""
    text, lines = documents.text(path).replace("\r\n", "\n"), []
    pins = declaration.read(path, Upstream).pins
    for name in names:
        if name not in AS_RELEASED:
            raise source_errors.NoRecord(name, AS_RELEASED)
        for known in (pins, debian.pins):
            if name not in known:
                raise model_errors.NotPinned(name, known)
        old = pins[name]
        new = _newest(archive, debian.pins[name], debian.suite, old.file)
        version = changelog.upstream(new.version)
        if not archive.is_newer(version, old.version):
            lines.append(f"{name} {old.version}: the archive's index has {version}, no newer one")
            continue
        if f"[pins.{name}]\n" not in text:
            fault = f"pins.{name}: it should be written as a table of its own, [pins.{name}]"
            raise engine_errors.BadDeclaration(path, [fault])
        text = _edited(text, name, old, version, new)
        lines.append(f"{name} {old.version} -> {version}: one record, the archive's index")
    path.write_text(text, encoding="utf-8")
    return lines


def _newest(archive: Archive, pin: Pin, suite: str, file: str) -> Located:
    """The orig tarball of the newest version of the pin's series, in the form of a file: of another
    compression, or made anew by Debian, it is not the project's own."""
    form = file[max(file.rfind(".tar."), 0) :]
    suite = pin.suite or suite
    for version in archive.versions(suite, pin.package, "source"):
        if f"{changelog.upstream(version)}.".startswith(f"{pin.series}."):
            for located in archive.files(suite, pin.package, version, "source"):
                plain = f"{pin.package}_{changelog.upstream(version)}.orig{form}"
                if located.name == plain:
                    return located
    raise source_errors.NotInArchive(pin.package, pin.package_version, pin.series, ())


def _edited(text: str, name: str, old: WebPin, version: str, new: Located) -> str:
    """The text with another release in one pin's table; addresses follow the version."""
    start = text.index(f"[pins.{name}]\n")
    end = re.search(r"^\[", text[start + 1 :], re.MULTILINE)
    stop = start + 1 + end.start() if end else len(text)
    table = text[start:stop]
    for before, after in (
        (old.sha256, new.sha256),
        (f"size = {old.size}", f"size = {new.size}"),
        (old.version.replace(".", "_"), version.replace(".", "_")),
        (old.version, version),
    ):
        table = table.replace(before, after)
    table = re.sub(
        r"(\]\n)(?:#.*\n)*",
        r"\1# 1 record, the Debian archive's index; a second is to be found.\n",
        table,
        count=1,
    )
    return text[:start] + table + text[stop:]
