"""The pins in force: the repository's (`pin_files`), with a cache's run lock over them."""

# Long: what each of the files with pins says, and how they are laid over one another.
from __future__ import annotations

import dataclasses
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from muslin.engine import errors as engine_errors
from muslin.engine import inputs
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.atomic import DamagedError
from muslin.engine.source import ArchiveFile, IndexFile, Source, Url
from muslin.models import declaration
from muslin.models import errors as model_errors
from muslin.models.pin_files import (
    BUILDER_WHEELS,
    FIXED,
    PIP,
    PROGRAM_WHEELS,
    RUN_LOCK,
    VOUCHED,
    Candidates,
    FixedGroups,
    Group,
    HostLock,
    Package,
    Pin,
    PinSet,
    RunLock,
    WheelFile,
    WheelLock,
    WheelPin,
    WheelPins,
)


@dataclass(frozen=True, kw_only=True)
class Series:
    """Patches in the order they are applied."""

    files: tuple[Source, ...] = ()
    """One archive that holds them in `folder`, or the patches themselves."""
    folder: str = ""
    inside: bool = False
    """`folder` is in the component's own package."""
    names: tuple[str, ...] = ()
    """The order, where the folder has no `series`."""
    omit: tuple[str, ...] = ()
    """Glob patterns of those that are not applied."""
    strip: int = 1


@dataclass(frozen=True, kw_only=True)
class Component:
    """What a recipe builds: sources with their patches."""

    name: str
    version: str
    """With the package's revision where it is a package's: `3.5.7-1~deb13u2`."""
    source: Source
    member: str = ""
    """The tarball inside `source`, where that is a package of sources."""
    series: Series = field(default_factory=Series)
    fixes: tuple[str, ...] = ()
    """CVEs that the patches fix on top of the release."""
    release: str = ""
    """The project's own version: `3.5.7`."""
    licence: str = ""
    """SPDX expression."""
    package: str = ""
    """The package of the Debian archive that it is made from, if it is."""
    kind: Literal["binary", "source"] = "source"
    """Of that package."""

    @property
    def record(self) -> dict[str, object]:
        """What reports and manifests say of it: `component`, `version`, `fixes`."""
        return {"component": self.name, "version": self.version, "fixes": list(self.fixes)}


@dataclass(frozen=True, kw_only=True)
class Pins:
    """The pins in force: the repository's, with the run lock's over them."""

    name: str
    suite: str
    pins: Mapping[str, Pin]
    groups: Mapping[str, Group]
    candidates: Mapping[str, tuple[tuple[str, ...], ...]]
    host: str
    """Release and architecture of this machine, such as `bookworm-amd64`."""
    notes: tuple[str, ...] = ()
    """What differs from the repository."""
    notes_of_host: tuple[str, ...] = ()
    """Those of them that are about the host's own packages."""
    run_lock: Path
    wheels: Mapping[str, WheelPin] = field(default_factory=dict)
    builder_wheels: Mapping[str, tuple[Package, ...]] = field(default_factory=dict)
    """What Muslin depends on in its builder image, by Debian's name of the architecture."""

    def wheel(self, name: str, *, machine: str, mirror: str = "") -> Component:
        """A program that pip fetches, for a machine by the kernel's name. `mirror` is a folder that
        is asked before pip; raises `NotPinned`, `NoWheel`."""
        if name not in self.wheels:
            raise model_errors.NotPinned(name, self.wheels)
        pin = self.wheels[name]
        for one in pin.files:
            if one.machine == machine:
                source = self._wheel(one, pin.project, pin.version, mirror)
                return Component(name=name, version=pin.version, source=source)
        raise model_errors.NoWheel(name, machine, [one.machine for one in pin.files])

    def wheels_for(self, architecture: str, *, mirror: str = "") -> tuple[Source, ...]:
        """What Muslin depends on in its builder image for an architecture. `mirror` is a folder
        that is asked before pip. Raises `Unknown`."""
        known = self.builder_wheels
        if architecture not in known:
            raise model_errors.Unknown(
                f"platform in recipes/pins/{BUILDER_WHEELS}", architecture, known
            )
        return tuple(
            self._wheel(wheel, wheel.name, wheel.version, mirror) for wheel in known[architecture]
        )

    def _wheel(self, file: Package | WheelFile, project: str, version: str, mirror: str) -> Source:
        (pip,) = self.group(PIP)
        mirrored = (Url(address=mirror + file.file),) if mirror else ()
        return Source(
            name=file.file,
            sha256=file.sha256,
            size=file.size,
            origins=(*mirrored, IndexFile(project=project, version=version, pip=pip)),
        )

    def component(
        self,
        name: str,
        *,
        driver: str = "",  # noqa: ARG002  # the packages' series is for none but `builtin`
    ) -> Component:
        """A component by name, less the patches that a driver brings along."""
        pin = self._pin(name)
        return Component(
            name=name,
            version=pin.package_version,
            source=self._file(pin, pin.file, pin.size, pin.sha256),
            member=pin.member.replace("{version}", pin.version),
            series=self._series(pin),
            fixes=pin.fixes,
            release=pin.version,
            licence=pin.licence,
            package=pin.package,
            kind=pin.kind,
        )

    def source(self, name: str) -> Source:
        """A component's file, without its patches."""
        return self.component(name).source

    def _series(self, pin: Pin) -> Series:
        patches = pin.patches
        if patches is None:
            return Series()
        archive = self._file(pin, patches.file, patches.size, patches.sha256)
        return Series(
            files=(archive,) if patches.file else (),
            folder=patches.folder,
            inside=not patches.file,
            names=patches.apply,
            omit=tuple(patches.left_out),
            strip=patches.strip,
        )

    def _file(self, pin: Pin, name: str, size: int, sha256: str) -> Source:
        """A file of a pin's package."""
        origin = ArchiveFile(
            suite=pin.suite or self.suite,
            package=pin.package,
            version=pin.package_version,
            kind=pin.kind,
        )
        return Source(name=name, sha256=sha256, size=size, origins=(origin,))

    def group(self, name: str) -> tuple[Source, ...]:
        """The packages of a group."""
        group = self._group(name)
        return tuple(
            Source(
                name=package.file,
                sha256=package.sha256,
                size=package.size,
                origins=(
                    ArchiveFile(
                        suite=group.suite,
                        package=package.name,
                        version=package.version,
                        kind="binary",
                    ),
                ),
            )
            for package in group.packages
        )

    def _group(self, name: str) -> Group:
        if name not in self.groups:
            raise model_errors.Unknown("group in recipes/pins/host.toml", name, self.groups)
        return self.groups[name]

    def _pin(self, component: str) -> Pin:
        if component not in self.pins:
            raise model_errors.NotPinned(component, self.pins)
        return self.pins[component]


# Long: which of four files holds for a pin.
def load(folder: Path, run_lock: Path, *, host: str) -> Pins:
    """The pins of a folder, with a cache's run lock over them where it still applies."""
    pin_set = declaration.read(folder / "debian.toml", PinSet)
    candidates = dict(declaration.read(folder / "host.toml", Candidates).groups)
    fixed = {
        name: group
        for file in FIXED
        for name, group in declaration.read(folder / f"{file}.toml", FixedGroups).groups.items()
    }
    lock = remembered(run_lock)
    host_lock = folder / f"host-{host}.toml"
    wheels, builder = (inputs.file(folder / name) for name in (PROGRAM_WHEELS, BUILDER_WHEELS))
    of_host: tuple[str, ...] = ()
    locked = declaration.read(host_lock, HostLock).groups if host_lock.exists() else {}
    # A group that has left host.toml has no names to ask the archive for: nothing takes it.
    groups = {name: group for name, group in locked.items() if name in candidates} | fixed
    candidates |= {name: (group.ask,) for name, group in fixed.items()}
    pins = dict(pin_set.pins)
    notes = []
    for name, moved in lock.moved.items():
        if name in pins and pins[name].package_version == moved.replaces:
            pins[name] = moved.pin
            notes.append(
                f"{name}: {moved.replaces} has left the archive; "
                f"this cache uses {moved.pin.package_version}"
            )
    if host in lock.hosts:
        repository = {name: group.digest for name, group in groups.items()}
        held = {
            name: group
            for name, group in lock.hosts[host].groups.items()
            if name in candidates and group.replaces == repository.get(name, "")
        }
        groups |= held
        if held:
            names = ", ".join(sorted(held))
            of_host = (f"{names}: as this cache found them in the archive of {host}",)
    return Pins(
        name="debian",
        suite=pin_set.suite,
        pins=pins,
        groups=groups,
        candidates=candidates,
        host=host,
        notes=(*notes, *of_host),
        notes_of_host=of_host,
        run_lock=run_lock,
        wheels=declaration.read(wheels, WheelPins).wheels if wheels.exists() else {},
        builder_wheels=declaration.read(builder, WheelLock).platforms if builder.exists() else {},
    )


def remembered(path: Path) -> RunLock:
    """A cache's run lock; an empty one where there is none or it has another form.

    Raises `CacheDamaged` where it is not what was written.
    """
    try:
        text = atomic.read(inputs.file(path)).decode()
        head, _, rest = text.partition("\n")
        if head.startswith(VOUCHED) and head != vouching(rest):
            raise engine_errors.CacheDamaged(path, "it was changed after it was written")
        table = tomllib.loads(text)
        known = table.get("form") == RUN_LOCK
        return declaration.parse(path, table, RunLock) if known else RunLock()
    except FileNotFoundError:
        return RunLock()
    except engine_errors.BadDeclaration as error:
        raise engine_errors.CacheDamaged(path, "; ".join(error.faults)) from error
    except (DamagedError, ValueError, RecursionError) as error:
        raise engine_errors.CacheDamaged(path, str(error)) from error


def vouching(text: str) -> str:
    """The comment in the first line of a run lock with this text. One that an older version of
    Muslin wrote has none."""
    return f"{VOUCHED}{hashlib.sha256(text.encode()).hexdigest()}"


def with_pin(pins: Pins, name: str, pin: Pin) -> Pins:
    """The same pins with another in one place."""
    return dataclasses.replace(pins, pins={**pins.pins, name: pin})


def with_group(pins: Pins, name: str, group: Group) -> Pins:
    """The same pins with another group."""
    return dataclasses.replace(pins, groups={**pins.groups, name: group})
