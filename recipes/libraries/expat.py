"""Expat, an XML parser, static."""

from __future__ import annotations

from muslin.engine.vocabulary import Stage
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
    folder = library.SOURCES if "orig" not in source.source.name else f"{library.SOURCES}/expat"
    return library.stage(
        target,
        source=source,
        kit=kit,
        steps=library.by_cmake(*OPTIONS, folder=folder),
        has=("include/expat.h", "lib/libexpat.a", "lib/pkgconfig/expat.pc"),
        guess=8,
    )


LIBRARY = Library(
    stage=stage,
    link=("-lexpat",),
    tools=("cmake",),
    header=r"expat\w*\.h",
    called=("expat", "EXPAT"),
)
