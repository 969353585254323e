"""Requests about one repository, with authorization, and what other answers than wanted mean."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from muslin.dist.registry import errors
from muslin.dist.registry.answer import Answer, insist_on_passing, joined
from muslin.dist.registry.authorization import Authorization
from muslin.dist.registry.connection import Connection, Method
from muslin.dist.registry.retries import Result
from muslin.engine.formats.oci_layout import Descriptor, Section

STORED = (201, 204)


class Exchange:
    """What a repository says and is told."""

    def __init__(self, connection: Connection, name: str, authorization: Authorization) -> None:
        self._connection, self._name, self._authorization = connection, name, authorization
        self.place = f"{connection.registry.name}/{name}"

    def address(self, path: str) -> str:
        """The address of something in the repository."""
        return self._connection.address(f"{self._name}/{path}")

    def retried(self, what: str, action: Callable[[], Result]) -> Result:
        """Do something until it works; raises as `Retries.run`."""
        return self._connection.retries.run(what, self.place, action)

    def ask(
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

    def begun_at(self, answer: Answer) -> str:
        """Where an upload that a registry began goes. Raises `NotARegistry`, `BadRedirection`."""
        location = answer.headers.get("Location", "")
        if not location:
            raise errors.NotARegistry(self.place, "an upload has no address")
        address = joined(answer.address, location)
        if not self._connection.may_go_to(address):
            scheme = urlsplit(address).scheme
            why = f"the upload to an address with {scheme!r}, which is not safe"
            raise errors.BadRedirection(self.place, "an upload", why)
        return address

    def insist_on_stored(self, answer: Answer, what: str, sent: Descriptor) -> None:
        """Raise unless a registry stored what was sent: `WrongAnswer`, and as `insist_on`."""
        self.insist_on(answer, STORED, what, sent)
        if answer.digest:
            self.insist_on_digest(answer, what, sent)

    def insist_on(
        self, answer: Answer, statuses: tuple[int, ...], what: str, sent: Descriptor
    ) -> None:
        """Raise what an answer with another status means."""
        if answer.status == 403:
            raise errors.Forbidden(self.place, self._authorization.origin)
        if answer.status == 413:
            raise errors.TooLargeForRegistry(self.place, what, sent.size)
        self.insist_on_no_page(answer)
        if answer.status not in statuses:
            if answer.status < 400:
                why = f"status {answer.status} for {what}"
                raise errors.NotARegistry(self.place, why)
            raise errors.RegistryRefused(self.place, what, answer.status, answer.code)

    def insist_on_no_page(self, answer: Answer) -> None:
        """Raise `NotARegistry` for a page."""
        if answer.is_page:
            raise errors.NotARegistry(self.place, f"status {answer.status} with an HTML page")

    def insist_on_digest(self, answer: Answer, what: str, wanted: Descriptor) -> None:
        """Raise `WrongAnswer` for another digest."""
        if answer.digest != wanted.digest:
            raise errors.WrongAnswer(self.place, what, wanted.digest)
