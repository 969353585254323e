"""Which addresses may be asked, and whether one answers."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from recipes import errors

if TYPE_CHECKING:
    import requests


def lacks(addresses: Iterable[str], seconds: float) -> str:
    """Why none of some addresses answers, each asked once; empty as soon as one does."""
    import requests  # noqa: PLC0415  # a run that finds everything needs no HTTP client

    logging.getLogger("urllib3").setLevel(logging.INFO)
    faults = []
    for address in addresses:
        insist_on_tls(address)
        try:
            requests.head(
                address,
                timeout=seconds,
                allow_redirects=True,
                hooks={"response": look_ahead},
            ).raise_for_status()
        except requests.RequestException as error:
            faults.append(f"{urlsplit(address).hostname} {_in_short(error)}")
        else:
            return ""
    return ", ".join(faults)


def _in_short(error: requests.RequestException) -> str:
    import requests  # noqa: PLC0415  # as above

    match error:
        case requests.HTTPError(response=answer):
            return f"answers {answer.status_code}"
        case requests.Timeout():
            return "does not answer"
        case requests.exceptions.SSLError():
            return "is not trusted"
        case _:
            return "cannot be reached"


def insist_on_tls(address: str) -> None:
    """HTTPS everywhere, plain HTTP only to this machine itself."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not _is_loopback(parts.hostname or ""):
        raise errors.UnsafeAddress(address)


def look_ahead(answer: requests.Response, *_: object, **__: object) -> None:
    """A redirection is looked at before it is followed."""
    if answer.is_redirect:
        try:
            insist_on_tls(urljoin(answer.url, answer.headers["Location"]))
        except errors.UnsafeAddress:
            answer.close()  # nobody else has it yet
            raise


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
