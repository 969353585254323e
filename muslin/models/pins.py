"""Pins: what is downloaded, each file by version, digest and size, per source set.

`recipes/pins/debian.toml` holds the sources, `recipes/pins/host-<release>-<architecture>.toml` the
programs that run on such a host, `recipes/pins/host.toml` which packages those are, where no
lock for the host's release is at hand, `recipes/pins/kernels.toml` the kernels of boards, and
`recipes/pins/host-root.toml` the system in which stages can run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from muslin.engine import errors as engine_errors
from muslin.engine import inputs
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.atomic import DamagedError
from muslin.engine.source import ArchiveFile, Source
from muslin.models import declaration
from muslin.models import errors as model_errors
from muslin.models.declaration import Declaration

Text = Annotated[str, Field(min_length=1)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Bytes = Annotated[int, Field(gt=0)]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.+~_:%-]*$", max_length=200)]
"""A file's name without folders: downloads lie under it."""


Cve = Annotated[str, Field(pattern=r"^CVE-\d{4}-\d{4,}$")]


class Patches(Declaration):
    """The patches that a Debian package applies to its sources."""

    file: str = ""
    """The archive that has them; empty where they lie in the component's own package."""
    size: Annotated[int, Field(ge=0)] = 0
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    folder: Text = "debian/patches"
    apply: tuple[Text, ...] = ()
    """Names in the order they are applied, where the folder has no `series`."""
    strip: Annotated[int, Field(ge=1)] = 1
    """Leading path components to drop, as in `patch -p1`."""
    left_out: dict[Text, Text] = Field(default_factory=dict)
    """Glob pattern of patches that are not applied -> the reason."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if bool(self.file) != bool(self.sha256) or bool(self.file) != bool(self.size):
            raise ValueError("file, size and sha256 belong together")
        return self


class Pin(Declaration):
    """One component's file in the Debian archive."""

    version: Text
    """Upstream's version."""
    series: Text
    """A prefix of the versions that may take this one's place when the archive has dropped it;
    `*` for any."""
    licence: Text
    """SPDX expression."""
    package: Text
    package_version: Text
    kind: Literal["binary", "source"]
    file: FileName
    suite: str = ""
    """The release that has it, if it is another than the set's."""
    member: str = ""
    """The tarball inside a package, with `{version}` for the version."""
    size: Bytes
    sha256: Digest
    patches: Patches | None = None
    unpatched: str = ""
    """Why no patches of the package are applied, where it has `patches` for none."""
    fixes: tuple[Cve, ...] = ()
    """What the patches fix on top of the release, from the package's changelog."""

    @model_validator(mode="after")
    def _is_patched_or_explained(self) -> Self:
        if (self.patches is None) == (not self.unpatched):
            raise ValueError(
                "`patches` names the package's patches, or `unpatched` says why none are applied"
            )
        return self


class PinSet(Declaration):
    """A source set."""

    suite: Text
    pins: dict[str, Pin]


class Package(Declaration):
    """One package of the host's release."""

    name: Text
    version: Text
    file: FileName
    size: Bytes
    sha256: Digest


def suite_of(ask: tuple[str, ...]) -> str:
    """The release that the words name, or `host` where they name none."""
    return ask[0].partition("/")[2] or "host"


def _of_one_release(ask: tuple[str, ...]) -> tuple[str, ...]:
    if len({word.partition("/")[2] for word in ask}) > 1:
        raise ValueError("the packages of a line must be of one release")
    return ask


Ask = Annotated[tuple[Text, ...], Field(min_length=1), AfterValidator(_of_one_release)]
"""Names of packages; all of them `PACKAGE/RELEASE` where they are of another release."""


class Group(Declaration):
    """Packages that belong together: what was asked for, with all it depends on."""

    ask: Ask
    replaces: str = ""
    """In a run lock: the digest of the repository's group that this one stands in for."""
    packages: Annotated[tuple[Package, ...], Field(min_length=1)]

    @property
    def suite(self) -> str:
        """Whose archive has them: a release's, or `host` for that of the host's own."""
        return suite_of(self.ask)

    @property
    def digest(self) -> str:
        """SHA-256 over its packages' digests."""
        text = "\n".join(package.sha256 for package in self.packages)
        return hashlib.sha256(text.encode()).hexdigest()


HOST_ROOT = "host-root"
"""How groups of the host root begin; behind it is Debian's name of the architecture."""
FIXED = ("kernels", HOST_ROOT)
"""Files of groups that are the same on every host."""


class FixedGroups(Declaration):
    """Packages that are the same whatever the host: kernels of emulated boards, the host root."""

    groups: dict[str, Group]


class HostLock(Declaration):
    """The groups of one release on one architecture."""

    release: Text
    architecture: Text
    groups: dict[str, Group]


class Candidates(Declaration):
    """Package names to try, the first that a release knows, per group."""

    groups: dict[str, tuple[Ask, ...]]


class Moved(Declaration):
    """A pin that took another's place in this cache."""

    replaces: Text
    """The package version that stands in the repository."""
    pin: Pin


RUN_LOCK = 2
"""The form of the run lock. One of another form is forgotten: what it says can be found again."""


VOUCHED = "# SHA-256 of the lines below: "


class RunLock(Declaration):
    """What one cache uses in the place of pins that the archive has dropped."""

    form: int = RUN_LOCK
    moved: dict[str, Moved] = Field(default_factory=dict)
    hosts: dict[str, HostLock] = Field(default_factory=dict)
    """By release and architecture."""


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
