"""The project's own files as stages take them, by their digests."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from muslin.engine import inputs
from muslin.engine.filesystem import walk
from muslin.engine.filesystem.content import file_digest
from muslin.engine.formats import documents
from muslin.engine.source import File, Tree
from muslin.models import errors

BUILT = ("CMakeCache.txt", "meson-info", "CACHEDIR.TAG")
"""What is in a folder that CMake, Meson or cargo filled; a name such as `build` says nothing."""
OURS = ("dist", ("manifest.json", "SHA256SUMS"))
"""The folder in which we put what was built, and the files by which it is known: a project is not
built anew because of what came of it."""
NOT_SOURCES = (
    *(".git", ".hg", ".svn", ".jj", ".cargo", ".idea", ".vscode", ".venv", ".nox", ".cache"),
    *("__pycache__", ".DS_Store", ".env", ".*.swp", "node_modules"),
    # Read by us; what it says is in the keys of what it concerns.
    "service.toml",
    "muslin-crates",
)
"""What version control, editors and tools keep in a project, and declarations."""
COMPILED = (b"\x7fELF", b"!<arch>\n")
"""How objects, programs and static libraries begin: what make left in the project's folder."""


def tree(root: Path, patterns: tuple[str, ...]) -> Tree:
    """The project's own files below a folder, less what builds leave there."""
    wanted = [pattern.split("/") for pattern in patterns]
    # Where the patterns lead, and not through all of a checkout, with dist/ and what it links to.
    starts = {
        Path(parts[0]) if len(parts) > 1 and "*" not in parts[0] else Path() for parts in wanted
    }
    starts = {Path()} if Path() in starts else starts
    return Tree(
        root=root,
        files=files(
            root,
            (
                path
                for start in starts
                for path in (start / below for below in sources(root / start))
                if any(_matches(path.parts, one) for one in wanted)
            ),
        ),
    )


def of_project(root: Path) -> Tree:
    """All of a project that is built in its own folder, less what was compiled there."""
    return Tree(
        root=root, files=files(root, (one for one in sources(root) if not is_compiled(root / one)))
    )


def named(root: Path, names: Iterable[str]) -> Tree:
    """Files and folders below a project's folder, by their names."""
    paths = {
        path
        for name in names
        for path in (
            [Path(name) / below for below in everything(root / name)]
            if inputs.file(root / name).is_dir()
            else [Path(name)]
        )
    }
    return Tree(root=root, files=files(root, paths))


def files(root: Path, paths: Iterable[Path]) -> tuple[File, ...]:
    """Files by their digests, in the order of their names."""
    return tuple(_file(root, path) for path in sorted(paths))


def _file(root: Path, path: Path) -> File:
    try:
        return File(
            path=str(path),
            sha256=file_digest(root / path),
            executable=bool((root / path).stat().st_mode & 0o100),
        )
    except OSError as error:
        raise errors.UnreadableSource(root / path, error) from error


def sources(root: Path, without: Callable[[Path], bool] = lambda _: False) -> Iterator[Path]:
    """Every file below a folder, less what nobody wrote for the project, relative to it. A link to
    a folder is that folder, unless it leads to where it lies. `without` says of which folders
    nothing is wanted. FIFOs, sockets and devices are no sources: a server may have left them.

    Raises `TooDeep` and `LinkedInCircles`.
    """
    for here, folders, others in walk.levels(root, follow=True):
        inputs.folder(Path(here))
        names = [one.name for one in others]
        folders[:] = [
            folder
            for folder in folders
            if not _is_left(folder.name)
            and not _was_built(Path(folder.path), names)
            and not _leads_back(Path(folder.path))
            and not without(Path(folder.path))
        ]
        objects = {name for name in names if name.endswith(".o")}
        for name in names:
            inputs.file(Path(here, name))
            # What a compiler says that an object was made from lies beside it.
            if name.endswith(".d") and f"{name[:-2]}.o" in objects:
                continue
            if not _is_left(name) and Path(here, name).is_file():
                yield Path(here, name).relative_to(root)


def everything(root: Path) -> Iterator[Path]:
    """Every file below a folder, relative to it. Raises `TooDeep`."""
    for here, _, others in walk.levels(root):
        inputs.folder(Path(here))
        for one in others:
            if inputs.file(Path(one.path)).is_file():
                yield Path(one.path).relative_to(root)


def _was_built(folder: Path, beside: Sequence[str]) -> bool:
    is_cargos = folder.name == "target" and "Cargo.toml" in beside
    name, marks = OURS
    is_ours = folder.name == name and all(
        os.path.exists(inputs.file(folder / mark))  # noqa: PTH110  # as below
        for mark in marks
    )
    # Not Path.exists, which raises for a folder that may not be entered: nothing is seen of it.
    return is_cargos or is_ours or any(os.path.exists(inputs.file(folder / name)) for name in BUILT)  # noqa: PTH110


def _leads_back(folder: Path) -> bool:
    """Whether it is a link to a folder that was passed on the way to it."""
    if not folder.is_symlink():
        return False
    return documents.real(folder) in {documents.real(above) for above in folder.parents}


def _is_left(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in NOT_SOURCES)


def is_compiled(path: Path) -> bool:
    """Whether a file is an object, a program or a static library."""
    try:
        with walk.opened(path) as file:
            return file.read(8).startswith(COMPILED)
    except OSError as error:
        raise errors.UnreadableSource(path, error) from error


def _matches(parts: tuple[str, ...], pattern: list[str]) -> bool:
    """`**` at the second-last place stands for any number of folders."""
    if "**" not in pattern:
        return len(parts) == len(pattern) and all(map(fnmatch.fnmatchcase, parts, pattern))
    above = pattern[: pattern.index("**")]
    return len(parts) > len(above) and all(map(fnmatch.fnmatchcase, parts, above))
