"""Whether any of several addresses answers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from muslin.engine.fetch.failures import Fault, of_status


def lacks(addresses: Iterable[str], seconds: float) -> str:
    """Return why none of the addresses answers, each asked once; empty as soon as one does.

    Raises `UnsafeAddress`.
    """
    from muslin.engine.fetch.request import Exchange  # noqa: PLC0415  # not in a run that finds all

    faults = []
    for address in addresses:
        ends = time.monotonic() + seconds

        def check(ends: float = ends) -> None:
            if time.monotonic() > ends:
                raise Fault("timed out")

        try:
            with Exchange("HEAD", address, {}, timeout=(seconds, seconds), check=check) as exchange:
                status = exchange.head().status
            if status // 100 != 2:
                raise of_status(status)
        except Fault as fault:
            faults.append(f"{urlsplit(address).hostname} {fault}")
        else:
            return ""
    return ", ".join(faults)
