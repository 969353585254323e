"""The source set `upstream`: each component from its own project's site, or a mirror of it.

`recipes/pins/upstream.toml` holds the files. The programs that run here still come from the host's
own release, all but Rust.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from muslin.engine.source import Source, Url
from muslin.models import declaration
from muslin.models import errors as model_errors
from muslin.models import pins as source
from muslin.models.declaration import Declaration
from muslin.models.pin_files import Bytes, Digest, FileName, Text
from muslin.models.pins import Component, Pins, Series
from muslin.sources import errors as source_errors

NAME = "upstream"
Address = Annotated[str, Field(pattern=r"^https://[^\s]+$")]
Folder = Annotated[str, Field(pattern=r"^https://[^\s]+/$")]
"""An address that a file's name is put behind."""


class File(Declaration):
    """One file on the web."""

    file: FileName
    size: Bytes | None = None
    """Bytes; left out where no public record of it was found."""
    sha256: Digest
    folders: tuple[Folder, ...] = ()
    """Where it lies under its name: its own project's folder, then mirrors, in the order they are
    tried."""
    addresses: tuple[Address, ...] = ()
    """Where it lies under another name; tried before the folders."""

    @model_validator(mode="after")
    def _lies_somewhere(self) -> Self:
        if not self.folders and not self.addresses:
            raise ValueError(f"{self.file} has neither folders nor addresses")
        return self


class Patch(File):
    """A patch that the release has not yet."""

    fixes: Text
    """What it is for, such as the number of a CVE."""
    brought_by: tuple[Text, ...] = ()
    """Drivers that apply it by themselves."""


class WebPin(File):
    """One component's release."""

    version: Text
    licence: Text
    """SPDX expression."""
    patches: tuple[Patch, ...] = ()
    """Applied in this order, with `patch -p1`."""


class RustFile(Declaration):
    """One archive of a release of Rust."""

    file: FileName
    size: Bytes | None = None
    sha256: Digest
    machine: str = ""
    """The machine it runs on, by the kernel's name; for every machine where it is not said."""


class Rust(Declaration):
    """A release of Rust: rustc, cargo and the host's std per machine, and the sources of std."""

    version: Text
    licence: Text
    folders: Annotated[tuple[Folder, ...], Field(min_length=1)]
    files: tuple[RustFile, ...]


class Upstream(Declaration):
    """The source set."""

    pins: dict[str, WebPin]
    rust: Rust


@dataclass(frozen=True, kw_only=True)
class UpstreamPins(Pins):
    """The pins in force where sources come from upstream."""

    upstream: Upstream
    machine: str
    """This machine, by the kernel's name: which Rust it wants."""
    mirror: str = ""
    """A folder that is asked before all others; it has the files under their own names."""

    def component(self, name: str, *, driver: str = "") -> Component:
        """A component's release, with the patches that a driver does not bring along."""
        pin = self._web(name)
        patches = [patch for patch in pin.patches if driver not in patch.brought_by]
        return Component(
            name=name,
            version=pin.version,
            source=self._source(pin),
            series=Series(files=tuple(map(self._source, patches))),
            fixes=tuple(dict.fromkeys(patch.fixes for patch in pin.patches)),
            release=pin.version,
            licence=pin.licence,
        )

    def group(self, name: str) -> tuple[Source, ...]:
        """The packages of a group of host programs; Rust's own archives for `rust`."""
        if name != "rust":
            return super().group(name)
        rust = self.upstream.rust
        files = [one for one in rust.files if one.machine in ("", self.machine)]
        if not any(one.machine for one in files):
            raise source_errors.NoRust(
                rust.version, self.machine, {one.machine for one in rust.files}
            )
        return tuple(
            self._source(
                File.model_validate(
                    {
                        "file": one.file,
                        "size": one.size,
                        "sha256": one.sha256,
                        "folders": rust.folders,
                    }
                )
            )
            for one in files
        )

    def _source(self, file: File) -> Source:
        mirror = (self.mirror + file.file,) if self.mirror else ()
        folders = tuple(folder + file.file for folder in file.folders)
        return Source(
            name=file.file,
            sha256=file.sha256,
            size=file.size or 0,
            origins=tuple(Url(address=one) for one in (*mirror, *file.addresses, *folders)),
        )

    def _web(self, component: str) -> WebPin:
        if component not in self.upstream.pins:
            raise model_errors.NotPinned(component, self.upstream.pins)
        return self.upstream.pins[component]


def load(
    folder: Path, run_lock: Path, *, host: str, machine: str, mirror: str = ""
) -> UpstreamPins:
    """The upstream set of a folder of pins, with the host's groups beside it."""
    base = source.load(folder, run_lock, host=host)
    values = {field.name: getattr(base, field.name) for field in fields(base)}
    values |= {
        "name": NAME,
        "pins": {},  # none that the Debian archive could drop
        # Rust is not the host's here, and moves with no archive.
        "candidates": {name: asks for name, asks in base.candidates.items() if name != "rust"},
        "groups": {name: group for name, group in base.groups.items() if name != "rust"},
        "notes": base.notes_of_host,
    }
    return UpstreamPins(
        **values,
        upstream=declaration.read(folder / "upstream.toml", Upstream),
        machine=machine,
        mirror=mirror,
    )
