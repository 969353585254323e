"""Signed files of `dist/`: beside each file of the list, and beside the list, `NAME.sigstore.json`.

The statement is an in-toto Statement v1 with a SLSA provenance v1 predicate; its subject has the
file's path in `dist/` for a name, so that one signed file cannot take the place of another.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from muslin.dist import publish
from muslin.dist.publish import Listed
from muslin.engine.filesystem import atomic
from muslin.engine.filesystem.atomic import DamagedError
from muslin.engine.filesystem.content import file_digest
from muslin.engine.formats import canonical_json
from muslin.engine.remote import envelope
from muslin.engine.remote.statement import BUILDER_URI, KEY_URI, Builder, Details, Digest, Part
from muslin.engine.remote.statement import Resource as File

if TYPE_CHECKING:
    from muslin.engine.remote.signing import PrivateKey, PublicKey

SUFFIX = ".sigstore.json"
LISTS = (publish.LISTING, publish.SUMS)


class Component(Part):
    """A component in a file, by name and version."""

    component: str
    version: str


class Request(Part):
    """The external parameters: what was asked for."""

    target: str
    source_set: str


class Contents(Part):
    """The internal parameters: what is in the file."""

    contains: tuple[Component, ...]


class Definition(Part):
    """A buildDefinition of SLSA."""

    build_type: Literal["urn:x-muslin:artifact:1"] = "urn:x-muslin:artifact:1"
    external_parameters: Request
    internal_parameters: Contents
    resolved_dependencies: tuple[File, ...]
    """The stage that made it, by its key."""


class Provenance(Part):
    """The predicate."""

    build_definition: Definition
    run_details: Details


class Statement(Part):
    """The signed text."""

    kind: Annotated[Literal["https://in-toto.io/Statement/v1"], Field(alias="_type")] = (
        "https://in-toto.io/Statement/v1"
    )
    subject: Annotated[tuple[File, ...], Field(min_length=1, max_length=1)]
    predicate_type: Literal["https://slsa.dev/provenance/v1"] = "https://slsa.dev/provenance/v1"
    predicate: Provenance


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What is wrong with a file; nothing if `fault` is empty."""

    path: str
    """In the directory."""
    fault: str = ""


def sign(folder: Path, key: PrivateKey, version: str) -> list[Path]:
    """Sign every file that a `dist/` lists, and the lists; the bundles' paths.

    A file that is no longer what the list says is left out: its digest would be signed unseen.
    """
    whole = (one for one in publish.listed(folder) if file_digest(folder / one.path) == one.sha256)
    lists = (_list(folder / name) for name in LISTS if (folder / name).is_file())
    return [_signed(folder, one, key, version) for one in (*whole, *lists)]


def _list(path: Path) -> Listed:
    size, digest = path.stat().st_size, file_digest(path)
    return Listed(path=path.name, sha256=digest, bytes=size, target="", stage_key="", source_set="")


def _signed(folder: Path, one: Listed, key: PrivateKey, version: str) -> Path:
    made_by = (File(name="stage", uri=KEY_URI.format(one.stage_key)),) if one.stage_key else ()
    builder = Builder(id=BUILDER_URI.format(key.public.id), version={"muslin": version})
    contains = tuple(
        Component(component=each["component"], version=each["version"]) for each in one.contains
    )
    said = Statement(
        subject=(File(name=one.path, digest=Digest(sha256=one.sha256)),),
        predicate=Provenance(
            build_definition=Definition(
                external_parameters=Request(target=one.target, source_set=one.source_set),
                internal_parameters=Contents(contains=contains),
                resolved_dependencies=made_by,
            ),
            run_details=Details(builder=builder),
        ),
    )
    document = said.model_dump(mode="json", by_alias=True, exclude_none=True)
    path = folder / f"{one.path}{SUFFIX}"
    atomic.write(path, envelope.sealed(canonical_json.written(document), key).decode())
    return path


def findings(folder: Path, trusted: Mapping[str, PublicKey]) -> Iterator[Finding]:
    """Every file below a directory, and what its list names and is not there. Links are not
    followed."""
    there = set[str]()
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(above, name)
            if path.is_symlink() or name.endswith(SUFFIX):
                continue
            shown = str(path.relative_to(folder))
            there.add(shown)
            yield Finding(path=shown, fault=fault(path, trusted, name=shown))
    for named in _named(folder / publish.SUMS):
        if named not in there:
            yield Finding(path=named, fault=f"{publish.SUMS} names it, and it is missing")


def _named(sums: Path) -> list[str]:
    try:
        lines = sums.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    return [line.partition("  ")[2] for line in lines]


def fault(path: Path, trusted: Mapping[str, PublicKey], *, name: str = "") -> str:
    """What is wrong with a file and its bundle; empty if nothing. `name` is its path in the
    directory; without one, the last part of the signed name has to be the file's."""
    aside = path.with_name(f"{path.name}{SUFFIX}")
    try:
        said = Statement.model_validate_json(envelope.opened(atomic.read(aside), trusted).payload)
    except FileNotFoundError:
        return f"it is not signed: there is no {aside.name}"
    except (DamagedError, OSError) as error:
        return str(error)
    except envelope.Unsigned as error:
        return str(error).replace("the record", aside.name)
    except ValueError:
        return "what was signed is no statement about a file of dist/"
    (subject,) = said.subject
    if subject.digest is None or subject.digest.sha256 != file_digest(path):
        return "its content is not what was signed"
    fits = subject.name == name if name else subject.name.rpartition("/")[2] == path.name
    return "" if fits else f"it was signed as {subject.name}"
