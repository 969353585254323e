"""The order of a push: layers, configurations, manifests, the index, and its tags last.

So a tag never leads to something that is there in part, and a push that fails moves none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from muslin.dist.registry import credentials
from muslin.dist.registry.connection import Connection
from muslin.dist.registry.credential_helpers import Helpers
from muslin.dist.registry.credentials import Credential
from muslin.dist.registry.reference import Destination
from muslin.dist.registry.repository import Repository
from muslin.dist.registry.retries import Limits
from muslin.dist.verified_images import VerifiedImage
from muslin.engine.console import Report, size
from muslin.engine.formats.oci_layout import Descriptor
from muslin.engine.process.runner import Runner

SHOWN = 19
"""Characters of a digest on a line: `sha256:` and twelve more."""


@dataclass(kw_only=True)
class Push:
    """A push of images to one registry."""

    destination: Destination
    connection: Connection
    helpers: Helpers
    report: Report
    mount_from: tuple[str, ...] = ()
    """Repositories of the registry from which blobs may be taken."""
    _repositories: dict[str, Repository] = field(default_factory=dict)

    def images(self, images: Iterable[VerifiedImage]) -> list[str]:
        """Push images, then tag them; `NAME@DIGEST` of each, in their order.

        Raises the errors of this package, and `Interrupted`.
        """
        images = tuple(images)
        for image in images:
            self._content(image)
        for image in images:
            repository = self._repository(image.service)
            for tag in self.destination.tags:
                index = image.index
                outcome = repository.put_manifest(index.descriptor, index.content, tag)
                self._tell(image.service, f"tag {tag}", index.descriptor, outcome)
        return [
            f"{self._repository(image.service).place}@{image.index.descriptor.digest}"
            for image in images
        ]

    def _content(self, image: VerifiedImage) -> None:
        repository = self._repository(image.service)
        for target, manifest in image.manifests:
            for kind, blobs in (("layer", manifest.layers), ("config", (manifest.config,))):
                for blob in blobs:
                    outcome = repository.put_blob(blob, lambda blob=blob: image.layout.blob(blob))  # type: ignore[misc]  # mypy infers no default of a lambda
                    self._tell(image.service, f"{target.name} {kind}", blob, outcome)
        for target, manifest in image.manifests:
            outcome = repository.put_manifest(manifest.descriptor, manifest.content)
            self._tell(image.service, f"{target.name} manifest", manifest.descriptor, outcome)
        outcome = repository.put_manifest(image.index.descriptor, image.index.content)
        self._tell(image.service, "index", image.index.descriptor, outcome)

    def _repository(self, service: str) -> Repository:
        name = self.destination.repository(service)
        if name not in self._repositories:
            others = [one.name for one in self._repositories.values()]
            self._repositories[name] = Repository(
                self.connection,
                name,
                sources=[*self.mount_from, *others],
                credential=lambda: self._credential(name),
            )
        return self._repositories[name]

    def _credential(self, repository: str) -> Credential | None:
        return credentials.find(
            self.destination.registry.name,
            repository,
            environment=self.helpers.environment,
            helper=self.helpers.ask,
        )

    def _tell(self, service: str, what: str, blob: Descriptor, outcome: str) -> None:
        detail = f" {blob.digest[:SHOWN]} {size(blob.size)}"
        self.report.stage_line(f"{service} {what}", outcome, detail)


@contextmanager
def opened(  # noqa: PLR0913  # named at the call
    destination: Destination,
    *,
    runner: Runner,
    report: Report,
    mount_from: Sequence[str] = (),
    plain_http: bool = False,
    limits: Limits | None = None,
) -> Iterator[Push]:
    """A push that is yet to send something."""
    connection = Connection(
        destination.registry, stopping=runner.stopping, limits=limits, plain_http=plain_http
    )
    try:
        yield Push(
            destination=destination,
            connection=connection,
            helpers=Helpers(runner=runner, environment=dict(os.environ)),
            report=report,
            mount_from=tuple(mount_from),
        )
    finally:
        connection.close()
