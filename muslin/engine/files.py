"""What steps do to files and folders with no program's help: copy, remove, join, replace, link."""

from __future__ import annotations

import fnmatch
import os
import shutil
import stat
from pathlib import Path

from muslin import errors
from muslin.engine.cache.manifest import file_digest
from muslin.engine.filesystem import removal, walk
from muslin.engine.sandbox import Site
from muslin.engine.stage import Copy, Join, Pick, Rebase, Remove, Replace

SHOWN = 8
"""Installed files that are named where the wanted one is missing."""
CHUNK = 1 << 22


def copy(what: Copy, site: Site) -> None:
    """Copy a file to a path or the content of a folder into one; the copies can be written."""
    source, to = site.path(what.source), site.path(what.to)
    if source.is_dir():
        _merge(source, to, what, site)
    elif not source.exists():
        raise errors.StepFailed(site.stage, "copy", f"there is no {source}", site.log)
    elif to.exists():
        raise errors.StepFailed(site.stage, "copy", f"{to} is there already", site.log)
    else:
        site.insist_own(to.parent)
        to.parent.mkdir(parents=True, exist_ok=True)
        _copy_file(str(source), str(to))


def pick(what: Pick, site: Site) -> None:
    """Copy a program that was installed; it is looked for by its name. Where there is none, a link
    of that name is taken for what it leads to."""
    root = site.path(what.root)
    there = sorted(walk.files(root))
    named = [path for path in there if path.name == what.name and os.access(path, os.X_OK)]
    named = named or _linked(root, what.name, site)
    different = {file_digest(path): path for path in reversed(named)}
    if len(different) != 1:
        shown = [f"/{path.relative_to(root)}" for path in (named or there)]
        listing = ", ".join(shown[:SHOWN]) + (", …" if len(shown) > SHOWN else "")
        if named:
            why = f"several different programs are called {what.name}: {listing}"
        else:
            why = f"no program {what.name} was installed, but {listing or 'nothing at all'}"
        raise errors.StepFailed(site.stage, "install", f"{why}. {what.hint}", site.log)
    to = site.own(what.to)
    to.parent.mkdir(parents=True, exist_ok=True)
    _copy_file(str(named[0]), str(to))


def _linked(root: Path, name: str, site: Site) -> list[Path]:
    """The programs that links of a name lead to, which were made for the root folder or for the
    stage's own. Raises `StepFailed` where that is none of the stage's files, and `NotAFile` for
    what is neither file, folder nor link."""
    programs = []
    for entry in walk.entries(root):
        if entry.name != name or entry.is_dir(follow_symlinks=False):
            continue
        if not entry.is_symlink():
            walk.insist_file(Path(entry.path))
            continue
        target = os.readlink(entry.path)  # noqa: PTH115  # a Path would keep a second slash
        for meant in (Path(entry.path), root / target.lstrip("/")):
            place = walk.real(meant)
            if place.is_relative_to(site.work) and place.is_file() and os.access(place, os.X_OK):
                programs.append(place)
                break
        else:
            why = f"{entry.path} is a link to {target}, which is no program of this build"
            raise errors.StepFailed(site.stage, "install", why, site.log)
    return programs


def _merge(source: Path, to: Path, what: Copy, site: Site) -> None:
    walk.insist(source, follow=what.follow)

    def omitted(folder: str, names: list[str]) -> set[str]:
        here = Path(folder).relative_to(source)
        site.insist_own(to / here)
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
    _make_writable(to)
    for entry in walk.entries(to):
        if entry.is_dir(follow_symlinks=False):
            _make_writable(Path(entry.path))


def _omitted(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(str(path), pattern) for pattern in patterns)


def _copy_file(source: str, to: str) -> None:
    walk.insist_file(Path(source))
    there = Path(to)
    if there.is_symlink():  # merging: what comes later wins
        there.unlink()
    elif there.exists():
        walk.insist_file(there)
    shutil.copy2(source, to)
    _make_writable(Path(to))


def _make_writable(path: Path) -> None:
    path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IWUSR)


def remove(what: Remove, site: Site) -> None:
    root = site.own(what.root)
    for pattern in what.patterns:
        for path in walk.matching(root, site.expand(pattern)):
            site.insist_own(path.parent)
            if path.is_dir() and not path.is_symlink():
                removal.remove_tree(path)
            else:
                path.unlink(missing_ok=True)


def join(what: Join, site: Site) -> None:
    parts = walk.matching(site.path(what.root), what.pattern)
    if not parts:
        why = f"nothing matches {what.pattern} below {site.path(what.root)}"
        raise errors.StepFailed(site.stage, "join", why, site.log)
    to = site.own(what.to)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(b"".join(walk.text(part).rstrip(b"\n") + b"\n" for part in parts))


def relink(root: Path) -> None:
    for entry in walk.entries(root):
        if entry.is_symlink():
            path, target = Path(entry.path), os.readlink(entry.path)  # noqa: PTH115  # as above
            if target.startswith("/"):
                path.unlink()
                path.symlink_to(os.path.relpath(root / target.lstrip("/"), path.parent))


def replace(what: Replace, site: Site) -> None:
    """Replace a text in the files that a pattern names, and keep their times."""
    root, old, new = site.path(what.root), site.expand(what.old), site.expand(what.new)
    found = 0
    for path in walk.matching(root, what.pattern):
        if path.is_file() and not path.is_symlink() and holds(path, [old.encode()]):
            site.insist_own(path)
            _rewrite(path, old.encode(), new.encode())
            found += 1
    if not found and not what.may_lack:
        why = f"{old!r} is nowhere in {what.pattern} below {root}"
        raise errors.StepFailed(site.stage, "replace", why, site.log)


def rebase(what: Rebase, site: Site) -> None:
    """Replace a path in every text file below a folder, and keep the files' times."""
    root = site.own(what.root)
    old, new = site.expand(what.old).encode(), site.expand(what.new).encode()
    found = [path for path in walk.files(root) if holds(path, [old])]
    if not found:
        why = f"{what.old!r} is nowhere below {root}"
        raise errors.StepFailed(site.stage, "rebase", why, site.log)
    programs = [str(path) for path in found if holds(path, [b"\0"])]
    if programs:
        why = f"{what.old!r} is in what is no text and cannot be moved: {', '.join(programs)}"
        raise errors.StepFailed(site.stage, "rebase", why, site.log)
    for path in found:
        _rewrite(path, old, new)


def holds(path: Path, needles: list[bytes]) -> list[bytes]:
    """Those of some texts that a file holds, however large it is."""
    overlap = max(len(needle) for needle in needles) - 1
    hits: set[bytes] = set()
    kept = b""
    with walk.opened(path) as file:
        while chunk := file.read(CHUNK):
            window = kept + chunk
            hits |= {needle for needle in needles if needle in window}
            kept = window[-overlap:] if overlap else b""
    return sorted(hits)


def _rewrite(path: Path, old: bytes, new: bytes) -> None:
    times = path.stat()
    path.write_bytes(walk.text(path).replace(old, new))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def set_times(root: Path, time: int) -> None:
    """Set the modification time of everything below a folder, links not followed."""
    for entry in walk.entries(root):
        os.utime(entry.path, (time, time), follow_symlinks=False)


def deduplicate(folders: list[Path]) -> None:
    first: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.is_symlink():
                kept = first.setdefault(file_digest(path), path)
                if kept != path:
                    path.unlink()
                    path.symlink_to(os.path.relpath(kept, path.parent))
