"""A component's sources on their way into a stage: downloaded, unpacked and patched.

A recipe takes a `Component`, gives `sources()` to its stage and starts its steps with `unpacked()`:
no recipe can forget the patches.
"""

from __future__ import annotations

from muslin.engine.vocabulary import Copy, Patch, SameTime, Source, Step, Unpack, Write
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
    archive, steps = f"${{source.{component.name}}}", tuple[Step, ...]()
    if component.member:
        inside = (component.series.folder,) if component.series.inside else ()
        package = _package(component)
        steps = (Unpack(archive=archive, into=package, only=(component.member, *inside)),)
        archive = f"{package}/{component.member}"
    return (*steps, Unpack(archive=archive, into=into, strip=1), *_patched(component, into))


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


def _patched(component: Component, into: str) -> tuple[Step, ...]:
    series, folder = component.series, f"${{work}}/{component.name}-patches"
    if series.inside:
        folder, steps = f"{_package(component)}/{series.folder}", tuple[Step, ...]()
    elif series.folder:
        steps = (Unpack(archive=f"${{source.{component.name}-patches}}", into=folder),)
        folder = f"{folder}/{series.folder}"
    elif series.files:
        names = "".join(f"{patch.name}\n" for patch in series.files)
        steps = (*placed(component, folder), Write(path=f"{folder}/series", text=names))
    else:
        return ()
    return (
        *steps,
        Patch(folder=folder, into=into, names=series.names, omit=series.omit, strip=series.strip),
        SameTime(root=into, time=LONG_AGO),
    )
