"""A repository in a registry: blobs, manifests and tags, put up only where they are not there.

Requests and status codes are those of the OCI distribution specification 1.1. A blob goes up in one
request: not every registry takes pieces, and one that is cut off starts again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Literal
from urllib.parse import quote, urlsplit

from muslin.dist.registry import errors
from muslin.dist.registry.authorization import Authorization
from muslin.dist.registry.connection import Connection
from muslin.dist.registry.credentials import Credential
from muslin.dist.registry.exchange import Exchange
from muslin.engine.fetch.failures import Fault
from muslin.engine.formats.oci_layout import Descriptor, Section, digest

Outcome = Literal["found", "uploaded", "mounted"]
BYTES = {"Content-Type": "application/octet-stream"}
DIGEST_REFUSED = "DIGEST_INVALID"
UPLOAD_LOST = 404
REFUSALS = (errors.AccessDenied, errors.Forbidden, errors.NoRepository, errors.RegistryRefused)


class Repository:
    """One repository. Every method may raise an error of this package, or `Interrupted`."""

    def __init__(
        self,
        connection: Connection,
        name: str,
        *,
        sources: Iterable[str] = (),
        credential: Callable[[], Credential | None],
    ) -> None:
        """`sources` are repositories of the registry that may have a blob already."""
        self.name = name
        self._sources = tuple(source for source in sources if source != name)
        self.place = f"{connection.registry.name}/{name}"
        authorization = Authorization(
            connection,
            place=self.place,
            scopes=(
                f"repository:{name}:pull,push",
                *(f"repository:{source}:pull" for source in self._sources),
            ),
            credential=credential,
        )
        self._exchange = Exchange(connection, name, authorization)

    def put_blob(self, blob: Descriptor, content: Callable[[], Section]) -> Outcome:
        """Put up a layer or a configuration, if it is not there."""
        what = f"blob {blob.digest}"
        if self._exchange.retried(what, lambda: self._has_blob(blob, what)):
            return "found"
        return self._exchange.retried(what, lambda: self._upload(blob, content, what))

    def put_manifest(self, manifest: Descriptor, content: bytes, tag: str = "") -> Outcome:
        """Put up a manifest or an index, under its digest or a tag, if it is not there as it is."""
        what = f"tag {tag}" if tag else f"manifest {manifest.digest}"
        path = f"manifests/{tag or manifest.digest}"
        if (
            self._exchange.retried(what, lambda: self._served(path, manifest, what))
            == manifest.digest
        ):
            return "found"
        self._exchange.retried(what, lambda: self._put(path, manifest, content, what))
        return "uploaded"

    # --- blobs ---

    def _has_blob(self, blob: Descriptor, what: str) -> bool:
        answer = self._exchange.ask("HEAD", self._exchange.address(f"blobs/{blob.digest}"), what)
        if answer.status == 404:
            return False
        self._exchange.insist_on(answer, (200,), what, blob)
        if answer.digest:
            self._exchange.insist_on_digest(answer, what, blob)
            return True
        # From storage behind the registry; a wrong length is a blob that was cut off.
        return answer.headers.get("Content-Length") == str(blob.size)

    def _upload(self, blob: Descriptor, content: Callable[[], Section], what: str) -> Outcome:
        begun = ""
        for source in self._sources:
            # Whatever a registry says to it, it is no reason not to upload.
            with suppress(*REFUSALS):
                mount = f"?mount={blob.digest}&from={quote(source, safe='')}"
                begun = self._begin(what, blob, mount)
                if not begun:
                    return "mounted"
        begun = begun or self._begin(what, blob, "")
        query = f"{'&' if urlsplit(begun).query else '?'}digest={quote(blob.digest)}"
        answer = self._exchange.ask("PUT", begun + query, what, BYTES, content)
        if answer.status == UPLOAD_LOST:
            raise Fault("lost the upload before its end")
        if answer.code == DIGEST_REFUSED:
            raise Fault("received other bytes than were sent")
        self._exchange.insist_on_stored(answer, what, blob)
        if not answer.digest and not self._has_blob(blob, what):
            raise Fault("does not show what it stored")
        return "uploaded"

    def _begin(self, what: str, blob: Descriptor, query: str) -> str:
        """Begin an upload; its address, which is empty if the blob was mounted instead."""
        answer = self._exchange.ask("POST", self._exchange.address(f"blobs/uploads/{query}"), what)
        if answer.status == 404:
            self._exchange.insist_on_no_page(answer)
            raise errors.NoRepository(self.place)
        if query and answer.status == 201:
            self._exchange.insist_on_stored(answer, what, blob)
            return ""
        self._exchange.insist_on(answer, (202,), what, blob)
        return self._exchange.begun_at(answer)

    # --- manifests ---

    def _served(self, path: str, manifest: Descriptor, what: str) -> str:
        """The digest of what is there, as the registry says or by its content; empty if nothing
        is."""
        accept = {"Accept": manifest.media_type}
        answer = self._exchange.ask("HEAD", self._exchange.address(path), what, accept)
        if answer.status == 200 and not answer.digest:
            answer = self._exchange.ask("GET", self._exchange.address(path), what, accept)
            self._exchange.insist_on(answer, (200,), what, manifest)
            return digest(answer.content)
        if answer.status == 404:
            return ""
        self._exchange.insist_on(answer, (200,), what, manifest)
        return answer.digest

    def _put(self, path: str, manifest: Descriptor, content: bytes, what: str) -> None:
        kind = {"Content-Type": manifest.media_type}
        answer = self._exchange.ask(
            "PUT", self._exchange.address(path), what, kind, lambda: content
        )
        if answer.status == 404:
            self._exchange.insist_on_no_page(answer)
            raise errors.NoRepository(self.place)
        self._exchange.insist_on_stored(answer, what, manifest)
        if not answer.digest:
            served = self._served(path, manifest, what)
            if not served:
                raise Fault("does not show what it stored")
            if served != manifest.digest:
                raise errors.WrongAnswer(self.place, what, manifest.digest)
