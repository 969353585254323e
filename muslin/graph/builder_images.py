"""The images of Muslin itself, with the system that it builds in."""

from __future__ import annotations

from dataclasses import dataclass

from muslin import installation
from muslin.engine.source import Tree
from muslin.engine.stage import Stage
from muslin.graph.memoised import Memory, memoised
from muslin.models import source_trees
from muslin.models.pin_files import BUILDER, HOST_ROOT
from muslin.models.pins import Pins
from recipes import builder_image, image

DECLARED = ("boards", "schemas", "toolchains")


@dataclass(frozen=True, kw_only=True)
class BuilderImages(Memory):
    """The stages of the builder image."""

    pins: Pins
    mirror: str = ""
    """Address of a folder that is asked for wheels before pip is, or nothing."""

    @memoised
    def image(self, architecture: str) -> Stage:
        """The image of one platform, by Debian's name of its architecture."""
        groups = (f"{HOST_ROOT}-{architecture}", f"{BUILDER}-{architecture}")
        return builder_image.stage(
            architecture,
            packages=tuple(source for group in groups for source in self.pins.group(group)),
            wheels=self.pins.wheels_for(architecture, mirror=self.mirror),
            trees=trees(),
            bundle=image.ca_bundle(self.pins.component("ca-certificates")),
            version=installation.version(),
            requirements=installation.requirements(),
        )

    @memoised
    def index(self) -> Stage:
        """The image of all platforms."""
        return builder_image.index({name: self.image(name) for name in builder_image.VARIANTS})


def trees() -> tuple[tuple[str, Tree], ...]:
    """Muslin's own packages, and the declarations that come with it: the same of a checkout and of
    an installed Muslin."""
    modules = source_trees.tree(installation.ROOT, ("muslin/**/*", "recipes/**/*"))
    built_in = f"{installation.BUILT_IN.relative_to(installation.ROOT)}/"
    return (
        (
            "modules",
            Tree(
                root=modules.root,
                files=tuple(one for one in modules.files if not one.path.startswith(built_in)),
            ),
        ),
        (
            "declarations",
            source_trees.tree(
                installation.declarations(DECLARED[0]).parent,
                tuple(f"{name}/**/*" for name in DECLARED),
            ),
        ),
    )
