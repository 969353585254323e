"""What a service's files say of its Debian package where its declaration says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from muslin.engine import errors
from muslin.models import cargo_manifest, project_paths
from muslin.models.packaging import PLACES, Packaging
from muslin.models.service import Service

NOBODY = "unknown maintainer <unknown@example.invalid>"
"""Where no file names one; a domain that cannot be (RFC 2606)."""
LABELS = {
    "license": "org.opencontainers.image.licenses",
    "homepage": "org.opencontainers.image.url",
}
"""Labels of the image that say what a package says too."""
PERSON = re.compile(r"[^<>]+ <[^<>@\s]+@[^<>@\s]+>")
SHORTEST = 2
"""Characters of a package's name."""


def resolved(service: Service) -> Packaging:
    """What a service's package is, nothing left out.

    Raises `BadDeclaration` for a service whose name no package can have, and for files of its image
    that have no place on a Debian system.
    """
    declared = service.package
    inferred = _from_cargo(service.root) if service.build == "cargo" else {}
    inferred |= {
        key: service.image.labels[label]
        for key, label in LABELS.items()
        if fits(key, service.image.labels.get(label, "")) and service.image.labels.get(label)
    }
    name = declared.package or service.name.replace("_", "-")
    if faults := list(_faults(service, name)):
        raise errors.BadDeclaration(service.declared, faults)
    return declared.model_copy(
        update={
            "package": name,
            "version": declared.version or inferred.get("version", "0"),
            "maintainer": declared.maintainer or inferred.get("maintainer", NOBODY),
            "homepage": declared.homepage or inferred.get("homepage", ""),
            "license": declared.license or inferred.get("license", ""),
            "unit": service.image.port is not None if declared.unit is None else declared.unit,
            "files": declared.files or dict(service.image.files),
        }
    )


def _faults(service: Service, name: str) -> Iterator[str]:
    if len(name) < SHORTEST:
        yield f"package.package: {name!r} is too short for a package's name; say another"
    if service.package.files:
        own = own_files(service.binary, name)
        files = service.package.files
        yield from project_paths.faults_of_files(
            service.root, files, own, key="package.files", whole="the package"
        )
        return
    for path in service.image.files:
        if path.split("/")[1] not in PLACES:
            yield (
                f"package.files: the image has {path}, which has no place on a Debian system; say "
                'where it goes: files = { "/usr/share/…" = "…" }'
            )


def own_files(binary: str, package: str) -> tuple[str, ...]:
    """Paths of a package's files that no declaration names."""
    return (
        f"/usr/bin/{binary}",
        f"/usr/lib/systemd/system/{package}.service",
        f"/usr/lib/sysusers.d/{package}.conf",
        f"/usr/share/doc/{package}/changelog.Debian.gz",
        f"/usr/share/doc/{package}/copyright",
        f"/usr/share/lintian/overrides/{package}",
    )


def _from_cargo(folder: Path) -> dict[str, str]:
    """What the manifest says, or the workspace that it inherits from."""
    own = cargo_manifest.manifest(folder)
    root = cargo_manifest.manifest(cargo_manifest.locked(folder) or folder)
    shared = root.workspace.package if root.workspace else cargo_manifest.Shared()
    if own.package is None:
        return {}
    facts = dict[str, str]()
    for key in ("version", "license", "homepage", "repository"):
        value: cargo_manifest.Inheritable = getattr(own.package, key)
        facts[key] = str(getattr(shared, key)) if value.workspace else value.text
    authors = own.package.authors
    people = shared.authors if isinstance(authors, dict) else authors
    if not isinstance(people, list):
        people = []
    named = [person for person in people if isinstance(person, str) and PERSON.fullmatch(person)]
    repository = facts.pop("repository")
    facts["homepage"] = facts["homepage"] or repository
    facts["version"] = _debian_version(facts["version"])
    facts["maintainer"] = named[0] if named else ""
    return {key: value for key, value in facts.items() if value and fits(key, value)}


def fits(key: str, value: str) -> bool:
    """Whether a text of another tool's file can be what a declaration says under this key."""
    try:
        Packaging.model_validate({key: value})
    except ValidationError:
        return False
    return True


def _debian_version(version: str) -> str:
    """A version of cargo's in Debian's order: what comes before a release sorts before it."""
    release, dash, early = version.partition("-")
    early = re.sub(r"[^A-Za-z0-9.+]", ".", early)
    return f"{release}~{early}" if dash else release
