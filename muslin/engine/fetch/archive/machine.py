"""Where this machine gets its release's packages from: its own apt files, as far as there are any.

Addresses are read when the program runs and stand nowhere in the repository. Only the archive's own
entries count. Formats: sources.list(5), apt_auth.conf(5), apt.conf(5).
"""

from __future__ import annotations

import dataclasses
import re
import shlex
import urllib.parse
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from muslin.engine.fetch.archive.located import Role

KEYRING = "debian-archive"
"""What the file names of the archive's keys have in common."""
ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$"
)
PROXY = re.compile(r'^\s*Acquire::(https?)::Proxy\s+"([^"]*)"\s*;', re.IGNORECASE | re.MULTILINE)
MIRROR_LIST = "mirror+file:"
OFF = ("no", "false", "without", "off", "disable", "0")
"""What apt takes for a no."""
ALIASES = ("stable", "oldstable", "oldoldstable", "testing", "unstable")
"""Names that move from release to release; an archive that has one has the others too."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One archive of one release."""

    uri: str
    """Without a name and password: those are in `login`."""
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""
    login: tuple[str, str] | None = field(default=None, repr=False)
    """Name and password, from the address or from `auth.conf`."""


def entries(etc: Path) -> Iterator[Entry]:
    """Every enabled binary entry in `sources.list` and `sources.list.d`."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    for path in files:
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".sources":
            found = _deb822(text)
        elif path.suffix == ".list":
            found = _one_line(text)
        else:
            continue
        for entry in found:
            bare = _bare(_of_list(entry))
            yield bare if bare.login else dataclasses.replace(bare, login=_login(etc, bare.uri))


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


def archive_of(etc: Path, codename: str) -> dict[Role, tuple[Entry, ...]]:
    """`main` and, where there is one, `security`: the archive's own entries for this release, one
    for each address."""
    own = [entry for entry in entries(etc) if "main" in entry.components and _may_be_own(entry)]
    there = {(entry.uri, entry.suite) for entry in own}
    found: dict[Role, tuple[Entry, ...]] = {}
    for name in (codename, *ALIASES):
        main = [entry for entry in own if entry.suite == name]
        # Another vendor's unsigned entry may bear a release's name; the archive's has `-updates`.
        main.sort(key=lambda entry: not _is_own(entry, there))
        if name in ALIASES or any(_is_own(entry, there) for entry in main):
            main = [entry for entry in main if _is_own(entry, there)]
        spelled = (f"{name}-security", f"{name}/updates")
        security = [entry for entry in own if entry.suite in spelled]
        if main:
            found.setdefault("main", _by_address(main))
        if security:
            found.setdefault("security", _by_address(security))
    return found


def _by_address(some: Iterable[Entry]) -> tuple[Entry, ...]:
    first: dict[str, Entry] = {}
    for entry in some:
        first.setdefault(entry.uri, entry)
    return tuple(first.values())


def _may_be_own(entry: Entry) -> bool:
    return not entry.signed_by or KEYRING in entry.signed_by


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


def _login(etc: Path, address: str) -> tuple[str, str] | None:
    """Name and password that `auth.conf` has for an address; those that only root may read are
    there for root alone."""
    for path in (etc / "auth.conf", *sorted((etc / "auth.conf.d").glob("*.conf"))):
        with suppress(OSError):
            text = re.sub(r"^\s*#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            words = text.split()
            for begin in (place for place, word in enumerate(words) if word == "machine"):
                some = dict(
                    zip(
                        words[begin : begin + 6 : 2], words[begin + 1 : begin + 6 : 2], strict=False
                    )
                )
                if _is_for(some.get("machine", ""), address) and "login" in some:
                    return some["login"], some.get("password", "")
    return None


def _is_for(machine: str, address: str) -> bool:
    """Whether a machine of auth.conf covers an address: without a scheme it stands for https."""
    wanted = machine if "://" in machine else f"https://{machine}"
    return bool(machine) and f"{address}/".startswith(f"{wanted.rstrip('/')}/")


def proxies(etc: Path) -> dict[str, str]:
    """The proxies of apt.conf by scheme, written as `Acquire::http::Proxy "ADDRESS";`."""
    found: dict[str, str] = {}
    for path in (*sorted((etc / "apt.conf.d").glob("*")), etc / "apt.conf"):
        with suppress(OSError):
            text = path.read_text(encoding="utf-8", errors="replace")
            for scheme, address in PROXY.findall(text):
                found[scheme.lower()] = "" if address == "DIRECT" else address
    return found
