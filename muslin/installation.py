"""Where Muslin's own files are: in a checkout, or in an installed package."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
ROOT = _PACKAGE.parent
"""The directory with the packages `muslin` and `recipes`."""
IS_CHECKOUT = not (_PACKAGE / "built_in").is_dir()
PINS = Path("recipes/pins")
"""Below the root, and below a project that has pins of its own."""


def version() -> str:
    """The version that is installed; where none is, of a checkout, that of its code."""
    try:
        return metadata.version("muslin")
    except metadata.PackageNotFoundError:
        return "checkout"


def declarations(kind: str) -> Path:
    """The directory of declarations that come with Muslin: `toolchains`, `boards`."""
    return ROOT / kind if IS_CHECKOUT else _PACKAGE / "built_in" / kind


def pins(project: Path) -> Path:
    """The directory of the pins: a project's own, or those that come with Muslin."""
    return project / PINS if (project / PINS).is_dir() else ROOT / PINS


def overlay(project: Path, kind: str) -> tuple[Path, ...]:
    """The directories of a kind of declarations, later ones over earlier ones: what comes with
    Muslin, and the project's own. A checkout of Muslin has all of them."""
    if (project / PINS).is_dir():
        return (project / kind,)
    return (declarations(kind), project / kind)
