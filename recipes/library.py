"""What a recipe of a C library offers to the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from muslin.engine.vocabulary import Stage
from muslin.models.pins import Component
from muslin.models.target import Target
from recipes.cross import Kit

Environment = tuple[tuple[str, str], ...]


class Recipe(Protocol):
    """A pure function to the library's stage, which puts it into `usr/` of its output."""

    def __call__(self, target: Target, *, source: Component, kit: Kit) -> Stage:
        """The library for one target; its pin has the library's name."""


class Tests(Protocol):
    """A pure function to a stage that has the project's own tests of a library that was built, and
    whose checks run them."""

    def __call__(
        self, target: Target, *, source: Component, kit: Kit, library: Stage, qemu: Stage
    ) -> Stage:
        """The tests for one target."""


@dataclass(frozen=True, kw_only=True)
class Library:
    """One line of the catalogue."""

    stage: Recipe
    link: tuple[str, ...]
    """What a linker is told, in order, less what `needs` brings."""
    needs: tuple[str, ...] = ()
    """Libraries that it is built with and that a program links behind it."""
    tools: tuple[str, ...] = ()
    """Groups of the host's packages that its build runs programs of."""
    tests: Tests | None = None
    """What must have passed before the library is in an image."""
    header: str = ""
    """A regular expression of its headers' paths, as programs include them."""
    cpe: str = ""
    """`vendor:product` by which vulnerability databases know it, if they do."""
    called: tuple[str, ...] = ()
    """Its names in pkg-config and CMake."""
    environment: Callable[[Target], Environment] = lambda _: ()
    """How a service's build finds it, beyond what pkg-config and the compiler know."""
