"""C libraries by recipe, and what follows from their needs."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Mapping
from graphlib import TopologicalSorter
from types import MappingProxyType

from muslin.models import errors
from muslin.models.service import Service
from muslin.models.target import Target
from recipes import libraries as package
from recipes.library import Library

LIBRARIES: Mapping[str, Library] = MappingProxyType(
    {
        module.name: importlib.import_module(f"{package.__name__}.{module.name}").LIBRARY
        for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name)
    }
)
"""C libraries that a service may name in `needs`: a module in `recipes/libraries/` is a library."""


def known(name: str) -> Library:
    if name not in LIBRARIES:
        raise errors.Unknown("C library", name, LIBRARIES)
    return LIBRARIES[name]


def with_their_needs(names: tuple[str, ...]) -> tuple[str, ...]:
    """Libraries and all that they need, each before what it needs: the order of linking."""
    graph = {name: set(known(name).needs) for name in (*names, *LIBRARIES)}
    wanted, left = set[str](), list(names)
    while left:
        if (name := left.pop()) not in wanted:
            wanted.add(name)
            left += graph[name]
    order = TopologicalSorter({name: sorted(graph[name]) for name in sorted(wanted)})
    return tuple(reversed(tuple(order.static_order())))


def remedies(service: Service) -> tuple[tuple[str, str], ...]:
    """What to do where a service asks for a library that it has not declared; see `Run`."""
    had = with_their_needs(service.needs)
    return tuple(
        (_missed(library), f"If it is {name} that it lacks: {_needing(service, name)}")
        for name, library in LIBRARIES.items()
        if library.called and name not in had
    )


def _missed(library: Library) -> str:
    """What compilers, linkers, pkg-config, CMake, meson and build scripts say without it."""
    linked = "|".join(word.removeprefix("-l") for word in library.link)
    called = "|".join(map(re.escape, library.called))
    return (
        rf"(?<!\w){library.header}: No such file|(?<!\w){library.header}' file not found|"
        rf"cannot find -l({linked})\b|"
        rf"(?i:not find|package|dependency|library|requirements)\W+(?i:{called})\b"
    )


def _needing(service: Service, name: str) -> str:
    names = ", ".join(f'"{one}"' for one in (*service.needs, name))
    return f"`needs = [{names}]` in {service.declared}"


def environment(names: tuple[str, ...], target: Target) -> tuple[tuple[str, str], ...]:
    """How a service's build finds these and what they need, beyond what pkg-config knows."""
    return tuple(
        pair for name in with_their_needs(names) for pair in LIBRARIES[name].environment(target)
    )
