"""Images of `dist/` that may leave it: unchanged since they were built, and verified.

`manifest.json` and `SHA256SUMS` have to agree, each file with them, with what the cache has of its
stage, and every program in an image with a report in `dist/reports/`. Somebody who changes all of
that, and whose cache no longer has the stage, is not noticed: nothing in `dist/` is signed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from muslin.dist import artifacts, errors, publish, reports
from muslin.dist.publish import Listed
from muslin.engine import errors as engine_errors
from muslin.engine.cache.store import Store
from muslin.engine.filesystem.content import file_digest
from muslin.engine.formats.oci_layout import Index, Layout, Manifest
from muslin.models.target import Target

KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class VerifiedImage:
    """The image of a service, in an open file of `dist/`."""

    service: str
    index: Index
    manifests: tuple[tuple[Target, Manifest], ...]
    layout: Layout


class Shelf:
    """A `dist/` whose lists agree."""

    def __init__(self, folder: Path, store: Store, note: Callable[[str], None]) -> None:
        """Read the lists. Raises `NothingBuilt`, `ChangedByHand`."""
        self._folder, self._store, self._note = folder, store, note
        self._listed = {one.path: one for one in _lists(folder)}

    @contextmanager
    def opened(self, service: str, targets: Sequence[Target]) -> Iterator[VerifiedImage]:
        """The image of a service for these targets, of which no two are of one platform.

        Raises `NothingBuilt`, `ChangedByHand`, `PlatformsMissing`, `NotVerified`.
        """
        path = f"{artifacts.IMAGES}/{service}.oci.tar"
        listed = self._listed_as(path, service)
        with (self._folder / path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            self._insist_on(listed, digest, "image.oci.tar")
            layout = Layout(self._folder / path, file)
            index = layout.index()
            at = {one.platform: one for one in index.manifests}
            wanted = {one: (one.image.architecture, one.image.variant) for one in targets}
            if missing := [one.name for one, platform in wanted.items() if platform not in at]:
                raise errors.PlatformsMissing(self._folder / path, service, missing)
            manifests = tuple((one, layout.manifest(at[wanted[one]])) for one in targets)
            for target, manifest in manifests:
                self._insist_on_verified(service, target, manifest, layout)
            digests = frozenset(manifest.descriptor.digest for _, manifest in manifests)
            yield VerifiedImage(
                service=service, index=index.only(digests), manifests=manifests, layout=layout
            )

    def _insist_on_verified(
        self, service: str, target: Target, manifest: Manifest, layout: Layout
    ) -> None:
        path = f"{artifacts.REPORTS}/{target.name}/{service}.json"
        listed = self._listed.get(path)
        if listed is None or not (self._folder / path).is_file():
            raise errors.NotVerified(service, target.name, "dist/ has no report of it")
        self._insist_on(listed, file_digest(self._folder / path), "report.json")
        verdict = reports.read(self._folder / path)
        for layer in manifest.layers:
            for name, digest in layout.programs(layer):
                if verdict is None or not verdict.fits or verdict.shipped != digest:
                    why = f"dist/{path} is about another program than its {name}"
                    raise errors.NotVerified(service, target.name, why)

    def _listed_as(self, path: str, service: str) -> Listed:
        if (found := self._listed.get(path)) is None or not (self._folder / path).is_file():
            raise errors.NothingBuilt(self._folder / path, service)
        return found

    def _insist_on(self, listed: Listed, digest: str, file: str) -> None:
        """Raise `ChangedByHand` if a file is not what was placed there."""
        path = self._folder / listed.path
        if digest != listed.sha256 or not KEY.fullmatch(listed.stage_key):
            raise errors.ChangedByHand(path, f"its digest is not that in {publish.LISTING}")
        entry = self._store.find(listed.stage_key)
        if entry is None:
            self._note(f"{path}: the cache no longer has its stage; the lists of dist/ vouch alone")
        elif publish.digest_in(entry, file) != digest:
            raise errors.ChangedByHand(path, "the cache has another file of the same stage")


def _lists(folder: Path) -> list[Listed]:
    path = folder / publish.LISTING
    if not path.exists():
        raise errors.NothingBuilt(path)
    try:
        listed = publish.listing(folder)
        sums = (folder / publish.SUMS).read_text(encoding="utf-8")
    except engine_errors.BadDeclaration as error:
        raise errors.ChangedByHand(path, "it cannot be read") from error
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ChangedByHand(folder / publish.SUMS, "it cannot be read") from error
    if sums != publish.sums(listed):
        raise errors.ChangedByHand(folder / publish.SUMS, f"it differs from {publish.LISTING}")
    return listed
