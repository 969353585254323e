"""The Debian package of a service: the same program as in its image."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from muslin.engine.vocabulary import (
    Copy,
    DebianPackage,
    Present,
    Stage,
    Step,
    Tree,
    Write,
    WriteGzip,
    escaped,
)
from muslin.models.licences import Licences
from muslin.models.packaging import CONFIGURATION, Packaging
from muslin.models.pins import Component
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import verify
from recipes.debian import documents, systemd

FILE = "package.deb"
"""What the stage leaves."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What goes into a package, and what it says of it."""

    packaging: Packaging
    program: Stage
    files: tuple[tuple[str, Tree], ...]
    """The project's own files, if it has some."""
    components: tuple[Component, ...]
    licences: Licences


def stage(
    service: Service, target: Target, contents: Contents, *, proofs: tuple[tuple[str, Stage], ...]
) -> Stage:
    """`package.deb`. `proofs` are the verifications of the program and of what it was linked with:
    it is not handed out before they pass."""
    packaging = contents.packaging
    return Stage(
        name=f"deb-{service.name}-{target.name}",
        target=target.name,
        summary="Debian package",
        trees=contents.files,
        needs=(("program", contents.program),),
        steps=(
            *_root(service, target, contents),
            DebianPackage(
                path=f"${{out}}/{FILE}",
                root="${work}/root",
                fields=_fields(service, target, packaging),
                scripts=systemd.scripts(packaging, target),
                conffiles=tuple(_conffiles(contents)),
                time=packaging.time,
            ),
        ),
        runs_on="target",
        judges=proofs,
        checks=(*verify.passed(proofs), Present(paths=(FILE,))),
        guess=3,
    )


def _root(service: Service, target: Target, contents: Contents) -> Iterator[Step]:
    packaging, root = contents.packaging, "${work}/root"
    name, doc = packaging.package, f"{root}/usr/share/doc/{packaging.package}"
    about = documents.copyright_file(service, packaging, contents.licences, contents.components)
    yield Copy(
        source=f"${{need.program}}/bin/{service.binary}", to=f"{root}/usr/bin/{service.binary}"
    )
    yield Write(path=f"{doc}/copyright", text=escaped(about))
    yield WriteGzip(path=f"{doc}/changelog.Debian.gz", text=escaped(documents.changelog(packaging)))
    yield Write(
        path=f"{root}/usr/share/lintian/overrides/{name}",
        text=escaped(documents.overrides(service, packaging)),
    )
    if packaging.unit:
        unit, account = (
            systemd.unit(service, packaging, target),
            systemd.account(service, packaging),
        )
        yield Write(path=f"{root}/usr/lib/systemd/system/{name}.service", text=escaped(unit))
        yield Write(path=f"{root}/usr/lib/sysusers.d/{name}.conf", text=escaped(account))
    for path, source in sorted(packaging.files.items()):
        yield Copy(source=f"${{tree.files}}/{escaped(source)}", to=f"{root}{path}")


def _fields(service: Service, target: Target, packaging: Packaging) -> tuple[tuple[str, str], ...]:
    """Fields of the control file, in the order of dpkg's own; deb-control(5)."""
    depends = (
        *([systemd.SYSUSERS] if packaging.unit else []),
        *(["ca-certificates"] if service.image.ca_bundle else []),
        *packaging.depends,
    )
    return (
        ("Package", packaging.package),
        ("Version", packaging.full_version),
        ("Architecture", target.debian.architecture),
        ("Multi-Arch", "foreign"),
        ("Maintainer", packaging.maintainer),
        ("Depends", ", ".join(depends)),
        ("Section", packaging.section),
        ("Priority", "optional"),
        ("Homepage", packaging.homepage),
        ("Description", f"{documents.synopsis(service)}\n{documents.description(packaging)}"),
    )


def _conffiles(contents: Contents) -> Iterator[str]:
    """Every file below /etc, as it is called once it is installed."""
    for path, source in sorted(contents.packaging.files.items()):
        if not path.startswith(CONFIGURATION):
            continue
        name = posixpath.normpath(source)
        for file in (file for _, tree in contents.files for file in tree.files):
            if file.path == name:
                yield path
            elif file.path.startswith(f"{name}/"):
                yield f"{path}{file.path.removeprefix(name)}"
