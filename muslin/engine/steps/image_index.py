"""Join images of several platforms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.formats import oci
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class ImageIndex(Step):
    """Join one-platform images to one OCI layout with an index of all platforms, as a tar."""

    revision: ClassVar[int] = 2
    path: str
    reference: str
    images: tuple[str, ...]

    def perform(self, sandbox: Sandbox) -> None:
        path = sandbox.own(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        images = [sandbox.path(image) for image in self.images]
        oci.write_index(path, reference=self.reference, images=images)
