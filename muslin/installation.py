"""Where Muslin's own files are: in a checkout, or in an installed package."""

from __future__ import annotations

import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent
ROOT = _PACKAGE.parent
"""The directory with the packages `muslin` and `recipes`."""
BUILT_IN = _PACKAGE / "built_in"
"""The declarations of an installed package."""
IS_CHECKOUT = not BUILT_IN.is_dir()
PINS = Path("recipes/pins")
"""Below the root, and below a project that has pins of its own."""


def declarations(kind: str) -> Path:
    """The directory of declarations that come with Muslin: `toolchains`, `boards`,
    `schemas`."""
    return ROOT / kind if IS_CHECKOUT else BUILT_IN / kind


def pins(project: Path) -> Path:
    """The directory of the pins: a project's own, or those that come with Muslin."""
    return project / PINS if (project / PINS).is_dir() else ROOT / PINS


def overlay(project: Path, kind: str) -> tuple[Path, ...]:
    """The directories of a kind of declarations, later ones over earlier ones: what comes with
    Muslin, and the project's own. A checkout of Muslin has all of them."""
    if (project / PINS).is_dir():
        return (project / kind,)
    return (declarations(kind), project / kind)


def version() -> str:
    """Muslin's version."""
    return _project()["version"] if IS_CHECKOUT else metadata.version("muslin")


def requirements() -> tuple[str, ...]:
    """What Muslin depends on, with limits of versions and markers (PEP 508)."""
    if IS_CHECKOUT:
        return tuple(_project()["dependencies"])
    return tuple(one for one in metadata.requires("muslin") or () if "extra ==" not in one)


def _project() -> dict[str, Any]:
    """The table `project` of a checkout's `pyproject.toml`."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project: dict[str, Any] = table["project"]
    return project
