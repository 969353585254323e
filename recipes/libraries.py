"""C libraries by recipe: a line for each."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter

from recipes import errors
from recipes.stages import curl, mimalloc, openssl, sqlite3, zlib
from recipes.stages.library import Library
from recipes.target import Target

LIBRARIES: Mapping[str, Library] = {
    "curl": curl.LIBRARY,
    "mimalloc": mimalloc.LIBRARY,
    "openssl": openssl.LIBRARY,
    "sqlite3": sqlite3.LIBRARY,
    "zlib": zlib.LIBRARY,
}
"""C libraries that a service may name in `needs`."""


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


def environment(names: tuple[str, ...], target: Target) -> tuple[tuple[str, str], ...]:
    """How a service's build finds these and what they need, beyond what pkg-config knows."""
    return tuple(
        pair for name in with_their_needs(names) for pair in LIBRARIES[name].environment(target)
    )
