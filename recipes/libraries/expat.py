"""Expat, an XML parser, static."""

from __future__ import annotations

from muslin.engine.vocabulary import Replace, Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes import static_library as library
from recipes.cross import Kit
from recipes.library import Library

OPTIONS = (
    "-DEXPAT_BUILD_DOCS=OFF",
    "-DEXPAT_BUILD_EXAMPLES=OFF",
    "-DEXPAT_BUILD_PKGCONFIG=ON",
    "-DEXPAT_BUILD_TESTS=OFF",
    "-DEXPAT_BUILD_TOOLS=OFF",
    "-DEXPAT_SHARED_LIBS=OFF",
)


def stage(target: Target, *, source: Component, kit: Kit) -> Stage:
    """`usr/include/expat.h`, `usr/lib/libexpat.a`, `usr/lib/pkgconfig/expat.pc`."""
    # The archive packs the repository, in which it is a folder; the project its release.
    is_packaged = "orig" in source.source.name
    folder = f"{library.SOURCES}/expat" if is_packaged else library.SOURCES
    return library.stage(
        target,
        source=source,
        kit=kit,
        steps=(
            *((_as_by_configure(folder),) if is_packaged else ()),
            *library.by_cmake(*OPTIONS, folder=folder),
        ),
        has=("include/expat.h", "lib/libexpat.a", "lib/pkgconfig/expat.pc"),
        guess=8,
    )


def _as_by_configure(folder: str) -> Replace:
    """Debian builds with configure, whose XML_DTD is 1; its patch for CVE-2024-8176 compares it."""
    old = "#cmakedefine XML_DTD\n"
    new = "#cmakedefine XML_DTD 1\n"
    return Replace(root=folder, pattern="expat_config.h.cmake", old=old, new=new)


LIBRARY = Library(
    stage=stage,
    link=("-lexpat",),
    tools=("cmake",),
    header=r"expat\w*\.h",
    called=("expat", "EXPAT"),
)
