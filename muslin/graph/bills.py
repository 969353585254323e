"""Bills of materials: what each service's program is made of, and what made it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from muslin import installation
from muslin.engine.source import ArchiveFile, Source, Tree
from muslin.engine.stage import Stage
from muslin.graph import libraries
from muslin.graph.memoised import Memory, memoised
from muslin.graph.programs import Programs
from muslin.models import cargo_workspaces, source_trees
from muslin.models.pins import Component, Pins
from muslin.models.service import Service
from muslin.models.settings import Driver
from muslin.models.target import Target
from recipes import notices, sbom
from recipes.sbom import Ingredient, Rust

LICENCE_OF_RUST = "MIT OR Apache-2.0"
VERSION = re.compile(r"[_-](\d+\.\d+\.\d+)")
"""A release of Rust in the name of a package or archive."""


@dataclass(frozen=True, kw_only=True)
class Bills(Memory):
    """The stages that say what is in programs."""

    programs: Programs
    pins: Pins
    driver: Driver

    @memoised
    def bill(self, service: Service, target: Target) -> Stage:
        """Bill and licences of a program."""
        is_rust = service.build == "cargo"
        return sbom.stage(
            service,
            target,
            generator=self._generator,
            program=self.programs.program(service, target),
            ingredients=self._ingredients(service),
            rust=self._rust(service, target) if is_rust else None,
            tools=self._tools(rust=is_rust),
        )

    def _ingredients(self, service: Service) -> tuple[Ingredient, ...]:
        """What can be in the program: what it needs, whether it is linked in the end or not."""
        names = libraries.with_their_needs(service.libraries)
        cpes = {"musl": sbom.CPE_OF_MUSL}
        cpes |= {name: libraries.LIBRARIES[name].cpe for name in names}
        found = tuple(
            Ingredient(
                component=self.pins.component(name),
                notices=self._notices(name),
                cpe=cpes.get(name, ""),
            )
            for name in (*names, *(one.name for one in self.programs.libraries.toolchains.runtime))
        )
        if not service.image.ca_bundle:
            return found
        bundle = self.pins.component("ca-certificates")
        return (
            *found,
            Ingredient(component=bundle, notices=self._notices(bundle.name), in_image=True),
        )

    @memoised
    def _notices(self, component: str) -> Stage | None:
        return notices.stage(self.pins.component(component))

    def _rust(self, service: Service, target: Target) -> Rust:
        rust = self.programs.rust
        source = self._source_of_rust
        return Rust(
            compiler=rust.tools.rust(),
            std=rust.std(target),
            crates=rust.crates(cargo_workspaces.root_of(service)),
            version=_release(source),
            source=source,
            notices=self._notices_of_rust(),
        )

    @memoised
    def _notices_of_rust(self) -> Stage:
        return notices.of_package("rust", self._source_of_rust)

    @property
    def _source_of_rust(self) -> Source:
        """The package or archive with the sources of std."""
        group = self.pins.group("rust")
        return next(one for one in group if re.match(r"rust(-web)?-src[_-]", one.name))

    def _tools(self, *, rust: bool) -> tuple[dict[str, str], ...]:
        """What programs are built with."""
        names = ["gcc", "binutils", "linux-headers"]
        if self.driver == "musl-cross-make":
            names.append("musl-cross-make")
        components: list[Component] = [self.pins.component(name) for name in names]
        compiler = [one for one in self.pins.group("rust") if _is_compiler(one)] if rust else []
        return (
            *(sbom.tool(one) for one in components),
            *(
                sbom.package(one, version=_version(one), licence=LICENCE_OF_RUST)
                for one in compiler
            ),
        )

    @cached_property
    def _generator(self) -> Tree:
        return source_trees.tree(installation.ROOT, sbom.CODE)


def _is_compiler(source: Source) -> bool:
    return re.match(r"(rustc|cargo)(-web)?[_-]", source.name) is not None


def _release(source: Source) -> str:
    found = VERSION.search(source.name)
    assert found is not None, source.name
    return found[1]


def _version(source: Source) -> str:
    """A package's own version, or that of a release."""
    archive = [one.version for one in source.origins if isinstance(one, ArchiveFile)]
    return archive[0] if archive else _release(source)
