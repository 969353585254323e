"""Write a container image for one platform."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

from muslin.engine import errors
from muslin.engine.formats import oci
from muslin.engine.formats.oci import Health
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step


@dataclass(frozen=True, kw_only=True)
class Image(Step):
    """Write a one-platform image: an OCI layout, packed as a tar that `docker load` takes too.

    What the configuration says is no template: `${A}` in it is for the program.
    """

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
    modes: tuple[tuple[str, int], ...] = ()
    """Paths of the layer with other modes than 0755 for folders and programs, 0644 for files."""
    owners: tuple[tuple[str, int, int], ...] = ()
    """Paths of the layer with the user and group that they belong to, if it is not root."""
    working_directory: str = ""
    volumes: tuple[str, ...] = ()
    health: Health | None = None

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
            modes=dict(self.modes),
            owners={path: (user, group) for path, user, group in self.owners},
            working_directory=self.working_directory,
            volumes=self.volumes,
            health=self.health,
        )
