"""The files of pins.

In `recipes/pins/`, `debian.toml` has the sources, `host-<release>-<architecture>.toml` the programs
that run on such a host, `host.toml` which packages those are where no lock for the host is at hand,
`kernels.toml` the kernels of boards, `zig.toml` the wheels of a driver, `host-root.toml` the system
in which stages can run, and `builder.toml` and `builder-wheels.toml` what the builder image has
beyond it. The run lock of a cache stands in for what the archive has dropped.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

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
    presumed: tuple[Text, ...] | None = None
    """Packages that are there already, with all they depend on; where it is left out, what every
    builder's host has."""
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
BUILDER = "builder"
"""How groups of the builder image begin: what it has beyond the host root."""
PIP = "pip"
"""The group with the package that has pip, which fetches wheels."""
FIXED = ("kernels", HOST_ROOT, BUILDER)
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


class WheelFile(Declaration):
    """A project's wheel for one kind of machine."""

    machine: Text
    """By the kernel's name."""
    file: FileName
    size: Bytes
    sha256: Digest


class WheelPin(Declaration):
    """One release of a project of a Python package index."""

    version: Text
    licence: Text
    """SPDX expression."""
    project: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    files: Annotated[tuple[WheelFile, ...], Field(min_length=1)]


class WheelPins(Declaration):
    """Programs that pip fetches, the same with every source set."""

    wheels: dict[str, WheelPin]


class WheelLock(Declaration):
    """What Muslin itself depends on in its builder image, as wheels."""

    python: Annotated[str, Field(pattern=r"^3\.\d+$")]
    """The version of CPython in the image."""
    glibc: Annotated[int, Field(ge=17)]
    """The minor version of the image's glibc 2."""
    platforms: dict[str, tuple[Package, ...]]
    """By Debian's name of the architecture."""


PROGRAM_WHEELS = "zig.toml"
"""The file of the `WheelPins`."""
BUILDER_WHEELS = f"{BUILDER}-wheels.toml"
"""The file of the `WheelLock`."""
