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
from muslin.dist.registry.connection import (
    Answer,
    Connection,
    Method,
    Result,
    insist_on_passing,
    joined,
)
from muslin.dist.registry.credentials import Credential
from muslin.engine.fetch.failures import Fault
from muslin.engine.formats.oci_layout import Descriptor, Section, digest

Outcome = Literal["found", "uploaded", "mounted"]
BYTES = {"Content-Type": "application/octet-stream"}
STORED = (201, 204)
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
        self.name, self._connection = name, connection
        self._sources = tuple(source for source in sources if source != name)
        self.place = f"{connection.registry.name}/{name}"
        self._authorization = Authorization(
            connection,
            place=self.place,
            scopes=(
                f"repository:{name}:pull,push",
                *(f"repository:{source}:pull" for source in self._sources),
            ),
            credential=credential,
        )

    def put_blob(self, blob: Descriptor, content: Callable[[], Section]) -> Outcome:
        """Put up a layer or a configuration, if it is not there."""
        what = f"blob {blob.digest}"
        if self._retried(what, lambda: self._has_blob(blob, what)):
            return "found"
        return self._retried(what, lambda: self._upload(blob, content, what))

    def put_manifest(self, manifest: Descriptor, content: bytes, tag: str = "") -> Outcome:
        """Put up a manifest or an index, under its digest or a tag, if it is not there as it is."""
        what = f"tag {tag}" if tag else f"manifest {manifest.digest}"
        path = f"manifests/{tag or manifest.digest}"
        if self._retried(what, lambda: self._served(path, manifest, what)) == manifest.digest:
            return "found"
        self._retried(what, lambda: self._put(path, manifest, content, what))
        return "uploaded"

    # --- blobs ---

    def _has_blob(self, blob: Descriptor, what: str) -> bool:
        answer = self._ask("HEAD", self._address(f"blobs/{blob.digest}"), what)
        if answer.status == 404:
            return False
        self._insist_on(answer, (200,), what, blob)
        if answer.digest:
            self._insist_on_digest(answer, what, blob)
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
        answer = self._ask("PUT", begun + query, what, BYTES, content)
        if answer.status == UPLOAD_LOST:
            raise Fault("lost the upload before its end")
        if answer.code == DIGEST_REFUSED:
            raise Fault("received other bytes than were sent")
        self._insist_on_stored(answer, what, blob)
        if not answer.digest and not self._has_blob(blob, what):
            raise Fault("does not show what it stored")
        return "uploaded"

    def _begin(self, what: str, blob: Descriptor, query: str) -> str:
        """Begin an upload; its address, which is empty if the blob was mounted instead."""
        answer = self._ask("POST", self._address(f"blobs/uploads/{query}"), what)
        if answer.status == 404:
            self._insist_on_no_page(answer)
            raise errors.NoRepository(self.place)
        if query and answer.status == 201:
            self._insist_on_stored(answer, what, blob)
            return ""
        self._insist_on(answer, (202,), what, blob)
        location = answer.headers.get("Location", "")
        if not location:
            raise errors.NotARegistry(self.place, "an upload has no address")
        address = joined(answer.address, location)
        if not self._connection.may_go_to(address):
            scheme = urlsplit(address).scheme
            why = f"the upload to an address with {scheme!r}, which is not safe"
            raise errors.BadRedirection(self.place, what, why)
        return address

    # --- manifests ---

    def _served(self, path: str, manifest: Descriptor, what: str) -> str:
        """The digest of what is there, as the registry says or by its content; empty if nothing
        is."""
        accept = {"Accept": manifest.media_type}
        answer = self._ask("HEAD", self._address(path), what, accept)
        if answer.status == 200 and not answer.digest:
            answer = self._ask("GET", self._address(path), what, accept)
            self._insist_on(answer, (200,), what, manifest)
            return digest(answer.content)
        if answer.status == 404:
            return ""
        self._insist_on(answer, (200,), what, manifest)
        return answer.digest

    def _put(self, path: str, manifest: Descriptor, content: bytes, what: str) -> None:
        kind = {"Content-Type": manifest.media_type}
        answer = self._ask("PUT", self._address(path), what, kind, lambda: content)
        if answer.status == 404:
            self._insist_on_no_page(answer)
            raise errors.NoRepository(self.place)
        self._insist_on_stored(answer, what, manifest)
        if not answer.digest:
            served = self._served(path, manifest, what)
            if not served:
                raise Fault("does not show what it stored")
            if served != manifest.digest:
                raise errors.WrongAnswer(self.place, what, manifest.digest)

    # --- requests and answers ---

    def _address(self, path: str) -> str:
        return self._connection.address(f"{self.name}/{path}")

    def _retried(self, what: str, action: Callable[[], Result]) -> Result:
        return self._connection.retried(what, self.place, action)

    def _ask(
        self,
        method: Method,
        address: str,
        what: str,
        headers: dict[str, str] | None = None,
        body: Callable[[], Section | bytes] = bytes,
    ) -> Answer:
        """Send a request, with a new authorization if the registry asks for one."""

        def sent() -> Answer:
            return self._connection.ask(
                method,
                address,
                what=what,
                headers=headers,
                authorization=self._authorization.header,
                body=body,
            )

        answer = sent()
        if answer.status == 401:
            self._authorization.renew(answer.headers.get("WWW-Authenticate", ""))
            answer = sent()
        if answer.status == 401:
            raise errors.AccessDenied(self.place, self._authorization.origin)
        insist_on_passing(answer)
        return answer

    def _insist_on_stored(self, answer: Answer, what: str, sent: Descriptor) -> None:
        self._insist_on(answer, STORED, what, sent)
        if answer.digest:
            self._insist_on_digest(answer, what, sent)

    def _insist_on(
        self, answer: Answer, statuses: tuple[int, ...], what: str, sent: Descriptor
    ) -> None:
        if answer.status == 403:
            raise errors.Forbidden(self.place, self._authorization.origin)
        if answer.status == 413:
            raise errors.TooLargeForRegistry(self.place, what, sent.size)
        self._insist_on_no_page(answer)
        if answer.status not in statuses:
            if answer.status < 400:
                why = f"status {answer.status} for {what}"
                raise errors.NotARegistry(self.place, why)
            raise errors.RegistryRefused(self.place, what, answer.status, answer.code)

    def _insist_on_no_page(self, answer: Answer) -> None:
        if answer.is_page:
            raise errors.NotARegistry(self.place, f"status {answer.status} with an HTML page")

    def _insist_on_digest(self, answer: Answer, what: str, wanted: Descriptor) -> None:
        if answer.digest != wanted.digest:
            raise errors.WrongAnswer(self.place, what, wanted.digest)
