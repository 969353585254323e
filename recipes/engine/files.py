"""What steps do to files and folders with no program's help: copy, remove, join, replace, link."""

from __future__ import annotations

import fnmatch
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from recipes import errors
from recipes.engine.manifest import file_digest
from recipes.engine.site import Site
from recipes.engine.stage import Copy, Join, Pick, Rebase, Remove, Replace

SHOWN = 8
"""Installed files that are named where the wanted one is missing."""


def copy(what: Copy, site: Site) -> None:
    """Copy a file to a path or the content of a folder into one; the copies can be written."""
    source, to = site.path(what.source), site.path(what.to)
    if source.is_dir():
        _merge(source, to, what)
    elif not source.exists():
        raise errors.StepFailed(site.stage, "copy", f"there is no {source}", site.log)
    elif to.exists():
        raise errors.StepFailed(site.stage, "copy", f"{to} is there already", site.log)
    else:
        to.parent.mkdir(parents=True, exist_ok=True)
        _copy_file(str(source), str(to))


def pick(what: Pick, site: Site) -> None:
    """Copy a program that was installed; it is looked for by its name."""
    root = site.path(what.root)
    there = sorted(below(root)) if root.is_dir() else []
    named = [path for path in there if path.name == what.name and os.access(path, os.X_OK)]
    different = {file_digest(path): path for path in reversed(named)}
    if len(different) != 1:
        shown = [f"/{path.relative_to(root)}" for path in (named or there)]
        listing = ", ".join(shown[:SHOWN]) + (", …" if len(shown) > SHOWN else "")
        if named:
            why = f"several different programs are called {what.name}: {listing}"
        else:
            why = f"no program {what.name} was installed, but {listing or 'nothing at all'}"
        raise errors.StepFailed(site.stage, "install", f"{why}. {what.hint}", site.log)
    to = site.path(what.to)
    to.parent.mkdir(parents=True, exist_ok=True)
    _copy_file(str(named[0]), str(to))


def _merge(source: Path, to: Path, what: Copy) -> None:
    def omitted(folder: str, names: list[str]) -> set[str]:
        here = Path(folder).relative_to(source)
        left = {name for name in names if _omitted(here / name, what.omit)}
        for name in set(names) - left:  # merging: copytree replaces files, but no links
            if Path(folder, name).is_symlink() and (to / here / name).is_symlink():
                (to / here / name).unlink()
        return left

    first: list[OSError] = []

    def copied(one: str, there: str) -> None:
        try:
            _copy_file(one, there)
        except OSError as error:
            first.append(error)
            raise

    try:
        shutil.copytree(
            source,
            to,
            symlinks=not what.follow,
            dirs_exist_ok=True,
            copy_function=copied,
            ignore=omitted,
        )
    except shutil.Error:  # a list of texts, without what the system said
        if first:
            raise first[0] from None
        raise
    for folder, _, _ in os.walk(to):
        _make_writable(Path(folder))


def _omitted(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(str(path), pattern) for pattern in patterns)


def _copy_file(source: str, to: str) -> None:
    if Path(to).is_symlink():  # merging: what comes later wins
        Path(to).unlink()
    shutil.copy2(source, to)
    _make_writable(Path(to))


def _make_writable(path: Path) -> None:
    path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR)


def remove(what: Remove, site: Site) -> None:
    root = site.path(what.root)
    for pattern in what.patterns:
        for path in list(root.glob(site.expand(pattern))):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def join(what: Join, site: Site) -> None:
    parts = sorted(site.path(what.root).glob(what.pattern))
    if not parts:
        why = f"nothing matches {what.pattern} below {site.path(what.root)}"
        raise errors.StepFailed(site.stage, "join", why, site.log)
    to = site.path(what.to)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text("".join(part.read_text(encoding="utf-8").rstrip("\n") + "\n" for part in parts))


def relink(root: Path) -> None:
    for folder, folders, names in os.walk(root):
        for name in [*folders, *names]:
            path = Path(folder, name)
            if path.is_symlink() and path.readlink().is_absolute():
                meant = root / path.readlink().relative_to("/")
                path.unlink()
                path.symlink_to(os.path.relpath(meant, path.parent))


def replace(what: Replace, site: Site) -> None:
    """Replace a text in the files that a pattern names, and keep their times."""
    root, old, new = site.path(what.root), site.expand(what.old), site.expand(what.new)
    found = 0
    for path in sorted(root.glob(what.pattern)):
        if path.is_file() and not path.is_symlink():
            text = path.read_text(encoding="utf-8")
            found += text.count(old)
            _rewrite(path, text.replace(old, new).encode())
    if not found and not what.may_lack:
        why = f"{old!r} is nowhere in {what.pattern} below {root}"
        raise errors.StepFailed(site.stage, "replace", why, site.log)


def rebase(what: Rebase, site: Site) -> None:
    """Replace a path in every text file below a folder, and keep the files' times."""
    root = site.path(what.root)
    old, new = site.expand(what.old).encode(), site.expand(what.new).encode()
    holds = [path for path in below(root) if old in path.read_bytes()]
    if not holds:
        why = f"{what.old!r} is nowhere below {root}"
        raise errors.StepFailed(site.stage, "rebase", why, site.log)
    programs = [str(path) for path in holds if b"\0" in path.read_bytes()]
    if programs:
        why = f"{what.old!r} is in what is no text and cannot be moved: {', '.join(programs)}"
        raise errors.StepFailed(site.stage, "rebase", why, site.log)
    for path in holds:
        _rewrite(path, path.read_bytes().replace(old, new))


def _rewrite(path: Path, content: bytes) -> None:
    times = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def set_times(root: Path, time: int) -> None:
    """Set the modification time of everything below a folder, links not followed."""
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            os.utime(Path(folder, name), (time, time), follow_symlinks=False)


def below(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def deduplicate(folders: list[Path]) -> None:
    first: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.is_symlink():
                kept = first.setdefault(file_digest(path), path)
                if kept != path:
                    path.unlink()
                    path.symlink_to(os.path.relpath(kept, path.parent))
