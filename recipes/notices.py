"""Texts of licences and lists of patches, taken from the sources that something is built from.

A stage for each component and not for each program: a large archive is read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from muslin.engine.vocabulary import Notices, Source, Stage, Step, Unpack
from muslin.models.pins import Component
from recipes import component as recipe

NAMES = ("copying*", "copyright*", "licen[cs]e*", "notice*", "unlicense*")
"""What files with licences are called, in small letters."""
NAMES_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"gcc": ("copying3", "copying.runtime")}  # of its libraries; the others are of other parts
)
DOCUMENTS = "usr/share/doc"
"""Where a Debian package has its file `copyright`."""


def stage(component: Component) -> Stage | None:
    """`texts/` and `patches.json` of a component; none of a single file of data."""
    if not _is_archive(component.source):
        return None
    names, top = NAMES_OF.get(component.name, NAMES), "${work}/top"
    if _is_package(component):
        return of_package(component.name, component.source)
    return _stage(
        component.name,
        sources=recipe.sources(component),
        steps=(
            *recipe.top(component, into=top),
            Notices(root=top, names=names, to="${out}/texts"),
            *recipe.listed(component, to="${out}/patches.json"),
        ),
    )


def of_package(name: str, source: Source) -> Stage:
    """`texts/` of a Debian package, or of an archive in the place of one."""
    archive = f"${{source.{name}}}"
    if source.name.endswith(".deb"):
        root = f"${{work}}/{DOCUMENTS}/{source.name.partition('_')[0]}"
        taken = Unpack(archive=archive, only=(DOCUMENTS,))
    else:
        root = "${work}/top"
        taken = Unpack(archive=archive, into=root, strip=1, omit=("*/*/*",))
    steps = (taken, Notices(root=root, names=NAMES, to="${out}/texts"))
    return _stage(name, sources=((name, source),), steps=steps)


def _stage(name: str, *, sources: tuple[tuple[str, Source], ...], steps: tuple[Step, ...]) -> Stage:
    return Stage(
        name=f"notices-{name}",
        summary="licences and patches, out of the sources",
        sources=sources,
        steps=steps,
        runs_on="nowhere",
        guess=3,
        kept=200_000,
    )


def _is_package(component: Component) -> bool:
    """Whether a component is taken as it lies in a package, and not out of a tarball in there."""
    return component.source.name.endswith(".deb") and not component.member


def _is_archive(source: Source) -> bool:
    return ".tar" in source.name or source.name.endswith((".deb", ".tgz"))
