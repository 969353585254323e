"""`dist/apt/`: the packages in `dist/` as an archive that apt installs from.

    apt/dists/stable/Release                    what apt reads first: the digests of all indexes
    apt/dists/stable/InRelease, Release.gpg     the same, signed, where a key was given
    apt/dists/stable/main/binary-<architecture>/Packages, Packages.xz, by-hash/SHA256/<digest>
    apt/pool/main/<letter>/<package>/<package>_<version>_<architecture>.deb
    apt/key.asc                                 the certificate of the key

Format: "DebianRepository/Format" in the wiki of Debian. It is made of nothing but the packages, so
the same packages give the same bytes; a signature alone has the time at which it was made.
"""

from __future__ import annotations

import datetime
import email.utils
import hashlib
import lzma
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from debian import deb822, debfile
from debian.debian_support import Version

from muslin.dist import apt_signature
from muslin.dist.apt_signature import Key
from muslin.dist.artifacts import APT, PACKAGES
from muslin.dist.publish import Listed
from muslin.engine.filesystem import atomic, walk
from muslin.engine.filesystem.content import file_digest
from muslin.invocation import spelled
from muslin.models.target import Target

SUITE = "stable"
COMPONENT = "main"
SUITE_FOLDER = f"dists/{SUITE}"
RELEASE = f"{SUITE_FOLDER}/Release"
SIGNED, DETACHED, CERTIFICATE = f"{SUITE_FOLDER}/InRelease", f"{RELEASE}.gpg", "key.asc"
DATE = "Date"
Files = dict[str, bytes]
"""Contents by paths below `apt/`."""


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package in `dist/`."""

    listed: Listed
    fields: deb822.Deb822
    """Of its control file."""
    time: int
    """Of its files, in seconds since 1970."""
    everywhere: bool
    """Whether every machine of its architecture has what its target's baseline asks for."""

    @property
    def place(self) -> tuple[str, str]:
        """What an archive has one of: a name and an architecture."""
        return self.fields["Package"], self.fields["Architecture"]

    @property
    def pool(self) -> str:
        """Its path in the archive."""
        name, architecture = self.place
        file = f"{name}_{self.fields['Version']}_{architecture}.deb"
        return f"pool/{COMPONENT}/{name[0]}/{name}/{file}"

    @property
    def stanza(self) -> str:
        """What the index says of it."""
        rows = {
            **self.fields,
            "Filename": self.pool,
            "Size": str(self.listed.bytes),
            "SHA256": self.listed.sha256,
        }
        rows["Description"] = rows.pop("Description")
        return "".join(f"{name}: {value}\n" for name, value in rows.items())


def write(
    dist: Path, listed: Iterable[Listed], targets: Mapping[str, Target], key: Key | None
) -> tuple[list[Path], list[str]]:
    """Make `dist/apt/` of the packages that `manifest.json` lists and that still have the digest it
    gives; the paths of its files, and what a user should know of it.

    What is there already stays as it is, signatures too unless `key` is another one.
    """
    folder, notes = dist / APT, list[str]()
    packages = list(_chosen(_packages(dist, listed, targets, notes), notes))
    files = {package.pool: (dist / package.listed.path).read_bytes() for package in packages}
    indexes = _indexes(packages)
    files |= _by_hash(indexes)
    time = max((package.time for package in packages), default=0)
    release = _release(packages, indexes)
    for path, content in files.items():
        _place(folder / path, content)
    _place_release(folder, release, time, key)
    signatures = [SIGNED, DETACHED, CERTIFICATE]
    kept = {*files, RELEASE, *(name for name in signatures if (folder / name).exists())}
    _remove_others(folder, kept)
    return [folder / path for path in sorted(kept)], notes


def _packages(
    dist: Path, listed: Iterable[Listed], targets: Mapping[str, Target], notes: list[str]
) -> Iterator[Package]:
    for row in listed:
        if not row.path.startswith(f"{PACKAGES}/") or not row.path.endswith(".deb"):
            continue
        path = dist / row.path
        if file_digest(path) != row.sha256:
            notes.append(
                f"apt/ leaves out {row.path}: it has not the digest that manifest.json gives; "
                f"`{spelled('packages', row.target)}` makes it again"
            )
            continue
        with debfile.DebFile(filename=str(path)) as opened:
            fields = opened.debcontrol()
            time = opened.control.tgz().getmembers()[0].mtime
        target = targets.get(row.target)
        yield Package(
            listed=row,
            fields=fields,
            time=int(time),
            everywhere=target is not None and not target.debian.unfit,
        )


def _chosen(packages: Iterable[Package], notes: list[str]) -> Iterator[Package]:
    """One package for each name and architecture: that which every machine runs, if one does."""
    by_place = dict[tuple[str, str], list[Package]]()
    for package in packages:
        by_place.setdefault(package.place, []).append(package)
    for _, alike in sorted(by_place.items()):
        first, *others = sorted(
            alike,
            key=lambda package: (package.everywhere, Version(package.fields["Version"])),
            reverse=True,
        )
        yield first
        notes.extend(
            f"apt/ leaves out {other.listed.path}: {first.listed.path} is for "
            f"{first.fields['Architecture']} too"
            + (", and runs on more machines" if first.everywhere > other.everywhere else "")
            for other in others
        )


def _indexes(packages: Iterable[Package]) -> Files:
    texts = dict[str, list[str]]()
    for package in packages:
        texts.setdefault(package.fields["Architecture"], []).append(package.stanza)
    indexes: Files = {}
    for architecture, stanzas in sorted(texts.items()):
        text = "\n".join(stanzas).encode()
        path = f"{COMPONENT}/binary-{architecture}/Packages"
        indexes |= {path: text, f"{path}.xz": lzma.compress(text)}
    return indexes


def _by_hash(indexes: Files) -> Files:
    """The indexes by their names, and by their digests for who read the Release file earlier."""
    files: Files = {}
    for path, content in indexes.items():
        above = path.rpartition("/")[0]
        files[f"{SUITE_FOLDER}/{path}"] = content
        files[f"{SUITE_FOLDER}/{above}/by-hash/SHA256/{_digest(content)}"] = content
    return files


def _release(packages: Iterable[Package], indexes: Files) -> dict[str, str]:
    """The fields of the Release file, without its date."""
    architectures = {package.fields["Architecture"] for package in packages}
    table = "".join(
        f"\n {_digest(content)} {len(content)} {path}" for path, content in sorted(indexes.items())
    )
    return {
        "Origin": "Muslin",
        "Label": "Muslin",
        "Suite": SUITE,
        "Codename": SUITE,
        DATE: "",
        "Architectures": " ".join(sorted(architectures)),
        "Components": COMPONENT,
        "Description": "Static programs, verified before they were packaged",
        "Acquire-By-Hash": "yes",
        "SHA256": table,
    }


def _place_release(folder: Path, fields: dict[str, str], time: int, key: Key | None) -> None:
    """The Release file and its signatures. Without a key its date is that of the newest package;
    with one it is that of the signature, so that nobody can hand out an older archive again."""
    if _is_signed(folder, fields, key):
        return
    if key is None:
        for path in (SIGNED, DETACHED, CERTIFICATE):
            (folder / path).unlink(missing_ok=True)
        _place(folder / RELEASE, _text(fields, time).encode())
        return
    now = int(datetime.datetime.now(datetime.UTC).timestamp())
    text = _text(fields, now).encode()
    _place(folder / CERTIFICATE, key.certificate)
    _place(folder / DETACHED, key.detached(text))
    _place(folder / RELEASE, text)
    _place(folder / SIGNED, key.inline(text))


def _is_signed(folder: Path, fields: dict[str, str], key: Key | None) -> bool:
    """Whether a valid signature, and by this key if one is given, is there for these fields."""
    signed = apt_signature.signed_text(folder / SIGNED, folder / CERTIFICATE)
    release = folder / RELEASE
    return (
        signed is not None
        and release.is_file()
        and (folder / DETACHED).is_file()
        and signed.splitlines() == release.read_text(encoding="utf-8").splitlines()
        and _undated(signed) == _undated(_text(fields, 0))
        and (key is None or key.owns(folder / CERTIFICATE))
    )


def _text(fields: Mapping[str, str], time: int) -> str:
    moment = datetime.datetime.fromtimestamp(time, datetime.UTC)
    dated = {**fields, DATE: email.utils.format_datetime(moment, usegmt=True)}
    return "".join(
        f"{name}:{value}\n" if value.startswith("\n") else f"{name}: {value}\n"
        for name, value in dated.items()
    )


def _undated(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(f"{DATE}:")]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _place(path: Path, content: bytes) -> None:
    """A file of the archive; one with this content stays as it is."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(path) as aside:
        aside.write_bytes(content)


def _remove_others(folder: Path, kept: set[str]) -> None:
    """Remove what earlier packages left. The folder holds nothing of anybody else's."""
    for name in ("dists", "pool"):
        for path in list(walk.files(folder / name)):
            if str(path.relative_to(folder)) not in kept:
                path.unlink()
