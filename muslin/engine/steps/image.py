"""Write a container image for one platform."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.formats import oci
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Image(Step):
    """Write a one-platform image: an OCI layout, packed as a tar that `docker load` takes too."""

    revision: ClassVar[int] = 2
    path: str
    root: str
    """Folder whose content is the image's only layer."""
    reference: str
    architecture: str
    variant: str = ""
    entrypoint: tuple[str, ...]
    user: str
    ports: tuple[int, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    directory: str = ""
    """The working directory of its program; `/` by default."""
    modes: tuple[tuple[str, int], ...] = ()
    """Paths of the layer with other modes than 0755 for folders and programs, 0644 for files."""

    def perform(self, sandbox: Sandbox) -> None:
        path = sandbox.own(self.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        program = sandbox.path(self.root) / self.entrypoint[0].lstrip("/")
        if not program.is_file() or not os.access(program, os.X_OK):
            why = f"the image has no program {self.entrypoint[0]}, which is its entry point"
            raise errors.StepFailed(sandbox.stage, "image", why, sandbox.log)
        oci.write_image(
            path,
            root=sandbox.path(self.root),
            reference=self.reference,
            architecture=self.architecture,
            variant=self.variant,
            entrypoint=self.entrypoint,
            user=self.user,
            ports=self.ports,
            env=self.env,
            labels=self.labels,
            directory=self.directory,
            modes=dict(self.modes),
        )
