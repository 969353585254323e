"""What a declaration says of a service's Debian package."""

from __future__ import annotations

import datetime
import email.utils
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from muslin.models.declaration import Declaration
from muslin.models.project_paths import ProjectPath, is_short

LONGEST = 100
"""Characters of a name."""
EARLIEST = 1984
"""Year; archives refuse packages with older files."""
PLACES = ("etc", "opt", "srv", "usr", "var")
"""Directories of a Debian system in which a package may have files."""
CONFIGURATION = "/etc/"
"""Where files belong to the administrator, who keeps changes when a package is upgraded."""


def _day(text: str) -> str:
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"it should be a day, such as 2026-11-30, not {text!r:.60}") from None
    if day.year <= EARLIEST:
        raise ValueError(f"it should be after {EARLIEST}")
    return text


def _installed(path: str) -> str:
    parts = path.split("/")
    if {".", ".."} & set(parts) or parts[1] not in PLACES or not is_short(path):
        raise ValueError(
            f"it should be a path in /{', /'.join(PLACES)}, such as /usr/share/my-app/page.html, "
            "without . and .."
        )
    return path


Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]
Text = Annotated[str, Field(pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$", max_length=4000)]
Version = Annotated[str, Field(pattern=r"^([0-9][A-Za-z0-9.+~]*)?$", max_length=60)]
Maintainer = Annotated[str, Field(pattern=r"^([^<>\x00-\x1f\x7f]+ <[^<>@\s]+@[^<>@\s]+>)?$")]
Relation = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.|():<>=~ -]+$")]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_day)]
InstalledPath = Annotated[
    str, Field(pattern=r"^(/[A-Za-z0-9._+@-]+){2,}$"), AfterValidator(_installed)
]


class Packaging(Declaration):
    """The Debian package of a service."""

    package: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9+.-]+)?$", max_length=LONGEST)] = ""
    """Name of the package; the service's by default, with `-` for `_`."""
    version: Version = ""
    """Version of the program; by default that of its `Cargo.toml`, or 0."""
    revision: Annotated[int, Field(gt=0, lt=10**6)] = 1
    """Revision of the package: raise it to deliver other files of the same version."""
    released: Day = "2000-01-01"
    """Date of the changelog and of all files."""
    maintainer: Maintainer = ""
    """Name and address, such as `Ada Lovelace <ada@example.org>`; by default the first author of
    its `Cargo.toml`."""
    homepage: Annotated[str, Field(pattern=r"^(https?://[!-~]+)?$")] = ""
    """Address on the web; by default that of its `Cargo.toml`."""
    section: Annotated[str, Field(pattern=r"^[a-z0-9/-]+$")] = "misc"
    """Section of the archive, such as `net` or `web`."""
    license: Line = ""
    """SPDX expression; by default the image's label `org.opencontainers.image.licenses`, or that of
    its `Cargo.toml`."""
    copyright: Line = ""
    """Years and holder, such as `2026 Ada Lovelace`."""
    description: Text = ""
    """Longer text for people, below `summary`."""
    depends: tuple[Relation, ...] = ()
    """Other packages that the program requires, such as `tzdata`."""
    unit: bool | None = None
    """Whether systemd starts it as a service; by default, if the image has a port."""
    state: bool = False
    """Whether the service has a directory in `/var/lib`, the only one that it may write."""
    files: dict[InstalledPath, ProjectPath] = Field(default_factory=dict)
    """Files and directories of the project, by their paths on the system; by default the image's,
    as far as they are in `/etc`, `/opt`, `/srv`, `/usr` or `/var`. Those in `/etc` are
    configuration."""

    @property
    def full_version(self) -> str:
        """With the revision."""
        return f"{self.version}-{self.revision}"

    @property
    def time(self) -> int:
        """Seconds from 1970 to noon of the day of its release, UTC."""
        return int(self._noon.timestamp())

    @property
    def date(self) -> str:
        """The same moment, as RFC 5322 writes it."""
        return email.utils.format_datetime(self._noon)

    @property
    def _noon(self) -> datetime.datetime:
        day = datetime.date.fromisoformat(self.released)
        return datetime.datetime.combine(day, datetime.time(12), datetime.UTC)

    @property
    def user(self) -> str:
        """The account that the service runs as; no account of a person begins like this."""
        return f"_{re.sub('[^a-z0-9-]', '-', self.package)[:30]}"
