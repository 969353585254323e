"""A component's sources on their way into a stage: downloaded, unpacked and patched.

A recipe takes a `Component`, gives `sources()` to its stage and starts its steps with `unpacked()`:
no recipe can forget the patches.
"""

from __future__ import annotations

from muslin.engine.vocabulary import (
    Copy,
    ListPatches,
    Patch,
    SameTime,
    Source,
    Step,
    Unpack,
    Write,
)
from muslin.models.pins import Component

LONG_AGO = 946684800
"""2000-01-01: older than whatever a build makes."""


def sources(*components: Component) -> tuple[tuple[str, Source], ...]:
    """The files of components with their aliases: the sources, and their patches."""
    return tuple(
        pair
        for component in components
        for pair in ((component.name, component.source), *_patches(component))
    )


def unpacked(component: Component, *, into: str) -> tuple[Step, ...]:
    """Unpack a component's sources into a folder and apply its patches."""
    steps, archive = _opened(component)
    return (*steps, Unpack(archive=archive, into=into, strip=1), *_patched(component, into))


def top(component: Component, *, into: str) -> tuple[Step, ...]:
    """Unpack what lies at the top of a component's sources, without patches."""
    steps, archive = _opened(component)
    return (*steps, Unpack(archive=archive, into=into, strip=1, omit=("*/*/*",)))


def listed(component: Component, *, to: str) -> tuple[Step, ...]:
    """List the patches that `unpacked()` applies, after `top()`; nothing where there are none."""
    steps, folder = _series(component)
    series = component.series
    if not folder:
        return ()
    return (*steps, ListPatches(folder=folder, names=series.names, omit=series.omit, to=to))


def placed(component: Component, folder: str) -> tuple[Copy, ...]:
    """Copy a component's single patches into a folder under their names."""
    return tuple(
        Copy(source=f"${{source.{alias}}}", to=f"{folder}/{patch.name}")
        for alias, patch in _patches(component)
    )


def _patches(component: Component) -> tuple[tuple[str, Source], ...]:
    series = component.series
    if series.folder:
        return tuple((f"{component.name}-patches", archive) for archive in series.files)
    return tuple((f"{component.name}-patch-{at}", one) for at, one in enumerate(series.files))


def _package(component: Component) -> str:
    return f"${{work}}/{component.name}-package"


def _opened(component: Component) -> tuple[tuple[Step, ...], str]:
    """The steps after which there is an archive of the sources, and its path."""
    archive = f"${{source.{component.name}}}"
    if not component.member:
        return (), archive
    inside = (component.series.folder,) if component.series.inside else ()
    package = _package(component)
    steps = (Unpack(archive=archive, into=package, only=(component.member, *inside)),)
    return steps, f"{package}/{component.member}"


def _series(component: Component) -> tuple[tuple[Step, ...], str]:
    """The steps after which a folder has the patches and their series, and the folder; it is empty
    where there are none."""
    series, folder = component.series, f"${{work}}/{component.name}-patches"
    if series.inside:
        return (), f"{_package(component)}/{series.folder}"
    if series.folder:
        steps = (Unpack(archive=f"${{source.{component.name}-patches}}", into=folder),)
        return steps, f"{folder}/{series.folder}"
    if series.files:
        names = "".join(f"{patch.name}\n" for patch in series.files)
        return (*placed(component, folder), Write(path=f"{folder}/series", text=names)), folder
    return (), ""


def _patched(component: Component, into: str) -> tuple[Step, ...]:
    series = component.series
    steps, folder = _series(component)
    if not folder:
        return ()
    return (
        *steps,
        Patch(folder=folder, into=into, names=series.names, omit=series.omit, strip=series.strip),
        SameTime(root=into, time=LONG_AGO),
    )
