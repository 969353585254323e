"""What a run is about: targets, services, source set and driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from muslin.models.service import Service
from muslin.models.target import Target


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Read from a command line and the settings before anything else happens."""

    targets: tuple[Target, ...]
    services: Mapping[str, Service]
    """By name; a service that is not selected is not read, so its faults do not matter."""
    sources: str
    """The name of a source set, or `auto`."""
    driver: str
    """The name of a driver, or `auto`."""
