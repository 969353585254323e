"""Debian packages of services."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from muslin import installation
from muslin.engine.stage import Stage
from muslin.graph import images
from muslin.graph.memoised import Memory, memoised
from muslin.graph.programs import Programs
from muslin.graph.verifications import Verifications
from muslin.models import declaration, package_defaults
from muslin.models.licences import Licences
from muslin.models.packaging import Packaging
from muslin.models.service import Service
from muslin.models.target import Target
from recipes.debian import package
from recipes.debian.package import Contents

LICENCES = "recipes/licences.toml"
"""Below Muslin's own files."""


@dataclass(frozen=True, kw_only=True)
class Packages(Memory):
    """The stages that make packages of what was built and verified."""

    programs: Programs
    verifications: Verifications

    @memoised
    def package(self, service: Service, target: Target) -> Stage:
        """The package of one target, which has an architecture of Debian's. Raises
        `BadDeclaration` for a service that can have none."""
        packaging = self._packaging(service)
        contents = Contents(
            packaging=packaging,
            program=self.programs.program(service, target),
            files=images.own_files(service, packaging.files.values(), "package.files"),
            components=self.verifications.linked(service),
            licences=self._licences,
        )
        proofs = tuple(self.verifications.of_service(service, target).items())
        return package.stage(service, target, contents, proofs=proofs)

    @memoised
    def _packaging(self, service: Service) -> Packaging:
        return package_defaults.resolved(service)

    @cached_property
    def _licences(self) -> Licences:
        return declaration.read(installation.ROOT / LICENCES, Licences)
