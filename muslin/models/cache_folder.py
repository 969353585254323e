"""Where the cache lies, and what may not lie in or around it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import platformdirs

from muslin.engine import errors as engine_errors
from muslin.engine.cache import layout
from muslin.engine.formats import documents

VARIABLE = "MUSLIN_CACHE"
MEANT = frozenset(":$\"'#\\`;&|<>*?[]()!%")
"""Characters that mean something to a shell, a makefile or a list of folders."""
SHOWN = 4
BROUGHT = (layout.DOWNLOADS, "lost+found")
"""What may lie there before: files for a machine without a network, and a disk's own."""


def chosen() -> Path:
    """The user's, made if it is missing; raises `CacheUnusable`."""
    said = os.environ.get(VARIABLE)
    cache = Path(said) if said else platformdirs.user_cache_path("muslin")
    try:
        cache = cache.expanduser()
    except RuntimeError as error:
        raise engine_errors.CacheUnusable(
            cache, "it is in the home of a user who has none"
        ) from error
    if not cache.is_absolute():
        raise engine_errors.CacheUnusable(cache, "its path is not absolute")
    cache = documents.real(cache)  # a link may lead to a path with white space
    if any(character.isspace() for character in str(cache)):
        raise engine_errors.CacheUnusable(
            cache, "its path has white space, which configure cannot bear"
        )
    if odd := sorted(set(str(cache)) & MEANT):
        why = f"its path has {' '.join(odd)}, which shells, make or search paths take otherwise"
        raise engine_errors.CacheUnusable(cache, why)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        there = list(cache.iterdir())
    except OSError as error:
        raise engine_errors.CacheUnusable(cache, error.strerror or str(error)) from error
    for folder in (cache, *filter(documents.is_folder, there)):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise engine_errors.CacheUnusable(folder, "it cannot be written")
    # A first run that is at work beside this one writes `.format.<pid>` before `format`.
    names = (path.name for path in there if not path.name.startswith(f".{layout.FORMAT}."))
    others = sorted(name for name in names if name not in BROUGHT)
    if others and not os.path.lexists(cache / layout.FORMAT):
        shown = ", ".join(others[:SHOWN]) + (", …" if others[SHOWN:] else "")
        why = f"it holds {shown} and no `format`, by which Muslin knows a cache of its own"
        raise engine_errors.CacheUnusable(cache, why)
    return cache


def insist_apart(cache: Path, project: Path, services: Iterable[Path]) -> None:
    """Refuse a cache that has somebody's files in it, which a clean-up could remove, or that lies
    among what is built from or handed out."""
    for folder in (project, *services):
        if cache == folder or cache in folder.parents:
            raise engine_errors.CacheUnusable(
                cache, f"{folder} lies in it, which is no part of a cache"
            )
    for folder in (project / "dist", *services):
        if folder in cache.parents or folder == cache:
            why = f"it lies in {folder}, whose files are copied and compared"
            raise engine_errors.CacheUnusable(cache, why)
