"""Where this machine gets its release's packages from: its own apt files, both formats.

Addresses are read when the program runs and stand nowhere in the repository. Only the archive's own
entries count: another vendor's may not answer, and one that fails makes apt fail as a whole.
Formats: sources.list(5).
"""

from __future__ import annotations

import dataclasses
import re
import shlex
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$"
)
MIRROR_LIST = "mirror+file:"
OFF = ("no", "false", "without", "off", "disable", "0")
"""What apt takes for a no."""
ALIASES = ("stable", "oldstable", "oldoldstable", "testing", "unstable")
"""Names that move from release to release; an archive that has one has the others too."""


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """Whose release it is, and what its archive is known by."""

    keyring: str
    components: tuple[str, ...]
    """Those that have what is wanted."""

    @property
    def keyring_file(self) -> Path:
        """Where the vendor's packages put the archive's keys."""
        return Path("/usr/share/keyrings") / f"{self.keyring}-keyring.gpg"


DEBIAN = Vendor(keyring="debian-archive", components=("main",))
UBUNTU = Vendor(keyring="ubuntu-archive", components=("main", "universe"))
VENDORS = {"debian": DEBIAN, "ubuntu": UBUNTU}
"""By `ID` of os-release(5)."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One archive of one release."""

    uri: str
    """Without a name and password: those are in `login`."""
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""
    login: tuple[str, str] | None = field(default=None, repr=False)
    """Name and password that the machine's file has in the address."""


def entries(etc: Path) -> Iterator[Entry]:
    """Every enabled binary entry in `sources.list` and `sources.list.d`."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for path in files:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".sources":
            yield from map(_bare, map(_of_list, _deb822(text)))
        elif path.suffix == ".list":
            yield from map(_bare, map(_of_list, _one_line(text)))


def _of_list(entry: Entry) -> Entry:
    """The entry with the first address of its list of mirrors in the place of the list: a single
    file is not fetched by way of a list (apt-transport-mirror(1))."""
    if not entry.uri.startswith(MIRROR_LIST):
        return entry
    path = Path(entry.uri.removeprefix(MIRROR_LIST))
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    first = next(
        (line.split()[0] for line in lines if line.strip()[:1] not in ("", "#")), entry.uri
    )
    return dataclasses.replace(entry, uri=first.rstrip("/"))


def _bare(entry: Entry) -> Entry:
    """The entry with its credentials apart from its address."""
    scheme, separator, rest = entry.uri.partition("://")
    userinfo, at, host = rest.rpartition("@")
    if not at or "/" in userinfo:
        return entry
    name, _, password = map(urllib.parse.unquote, userinfo.partition(":"))
    return dataclasses.replace(entry, uri=f"{scheme}{separator}{host}", login=(name, password))


def netrc(found: dict[str, Entry]) -> str:
    """The credentials of archives in the form of apt_auth.conf(5)."""
    return "".join(
        f"machine {entry.uri} login {entry.login[0]} password {entry.login[1]}\n"
        for entry in found.values()
        if entry.login is not None
    )


def archive_of(etc: Path, codename: str, vendor: Vendor = DEBIAN) -> dict[str, Entry]:
    """`main` and, where there is one, `security`: the archive's own entries for this release."""
    own = [
        entry for entry in entries(etc) if "main" in entry.components and _may_be_own(entry, vendor)
    ]
    there = {(entry.uri, entry.suite) for entry in own}
    found: dict[str, Entry] = {}
    for name in (codename, *ALIASES):
        main = [entry for entry in own if entry.suite == name]
        # Another vendor's unsigned entry may bear a release's name; the archive's has `-updates`.
        main.sort(key=lambda entry: not _is_own(entry, there))
        if name in ALIASES:
            main = [entry for entry in main if _is_own(entry, there)]
        spelled = (f"{name}-security", f"{name}/updates")
        security = [entry for entry in own if entry.suite in spelled]
        for role, some in (("main", main), ("security", security)):
            for entry in some:
                found.setdefault(role, entry)
    return found


def places(uri: str, found: dict[str, Entry]) -> list[str]:
    """Where a file of the pool may be: its own address, then that in the other archive's pool.

    A security update is copied to the main archive with the next point release, and indexes of
    both name it; `pool/updates/main/` there is `pool/main/` here.
    """
    addresses = [uri]
    for role, other, here, there in (
        ("main", "security", "/pool/", "/pool/updates/"),
        ("security", "main", "/pool/updates/", "/pool/"),
    ):
        if role in found and other in found and uri.startswith(f"{found[role].uri}{here}"):
            path = uri.removeprefix(f"{found[role].uri}{here}")
            if not path.startswith("updates/"):
                addresses.append(f"{found[other].uri}{there}{path}")
    return addresses


def stanzas(found: dict[str, Entry], release: str, keyring: Path, vendor: Vendor = DEBIAN) -> str:
    """The same archive's sources for a release, in the deb822 format."""
    suites = {"main": f"{release} {release}-updates", "security": f"{release}-security"}
    return "\n".join(
        _stanza(entry, "deb deb-src", suites[role], keyring, vendor)
        for role, entry in found.items()
    )


def release_alone(
    found: dict[str, Entry], release: str, keyring: Path, vendor: Vendor = DEBIAN
) -> str:
    """The packages of the release itself and none that came later: a third of the indexes."""
    return _stanza(found["main"], "deb", release, keyring, vendor)


def _stanza(entry: Entry, types: str, suites: str, keyring: Path, vendor: Vendor) -> str:
    return (
        f"Types: {types}\nURIs: {entry.uri}\nSuites: {suites}\n"
        f"Components: {' '.join(vendor.components)}\n"
        + _signed_by(entry.signed_by or (str(keyring) if keyring.exists() else ""))
    )


def _signed_by(keyring: str) -> str:
    return f"Signed-By: {keyring}\n" if keyring else ""


def _may_be_own(entry: Entry, vendor: Vendor) -> bool:
    return not entry.signed_by or vendor.keyring in entry.signed_by


def _is_own(entry: Entry, there: set[tuple[str, str]]) -> bool:
    return bool(entry.signed_by) or (entry.uri, f"{entry.suite}-updates") in there


def _one_line(text: str) -> Iterator[Entry]:
    for line in text.splitlines():
        match = ONE_LINE.match(line.split("#")[0].strip())
        if match is None:
            continue
        options = dict(
            option.split("=", 1) for option in shlex.split(match["options"] or "") if "=" in option
        )
        yield Entry(
            uri=match["uri"].rstrip("/"),
            suite=match["suite"],
            components=tuple(match["components"].split()),
            signed_by=options.get("signed-by", ""),
        )


def _deb822(text: str) -> Iterator[Entry]:
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if fields.get("enabled", "yes").lower() in OFF:
            continue
        if "deb" not in fields.get("types", "").split():
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Entry(
                    uri=uri.rstrip("/"),
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
