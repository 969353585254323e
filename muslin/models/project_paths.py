"""What a declaration says of a project's folder, held to what lies there."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from muslin.engine import inputs
from muslin.engine.formats import documents
from muslin.models import cargo_manifest
from muslin.models.cargo_manifest import MANIFEST

LONGEST_NAME = 255
"""Bytes of a file's name, on every file system here."""
LONGEST_PATH = 1000
"""Bytes of a path that comes behind one of ours; the system takes 4,096 together."""
KERNELS = ("dev", "proc", "sys")
"""Folders that the kernel fills."""
MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
"""What make looks for, in this order."""
ELSEWHERE = ("-C", "-f", "--directory", "--file", "--makefile")
"""How options of make begin that name another one."""
CMAKE_LISTS = "CMakeLists.txt"
BUILT_IN = ("bench", "dev", "release", "test")
"""Cargo's profiles that no manifest has to define."""


def is_short(path: str) -> bool:
    """Whether a system takes a path and each name in it."""
    names = [len(os.fsencode(name)) for name in path.split("/")]
    return max(names) <= LONGEST_NAME and len(os.fsencode(path)) <= LONGEST_PATH


def _below(path: str) -> str:
    if posixpath.isabs(path) or posixpath.normpath(path).split("/")[0] == "..":
        raise ValueError(f"it should be a path below the project, without .., not {path!r:.60}")
    if not is_short(path):
        raise ValueError(
            f"a name in it has more than {LONGEST_NAME} bytes, or the whole more than "
            f"{LONGEST_PATH}"
        )
    return path


def _file(path: str) -> str:
    if path and (posixpath.normpath(path) == "." or path.endswith("/")):
        raise ValueError(f"it should be the path of a file below the project, not {path!r}")
    return path


ProjectPath = Annotated[str, Field(pattern=r"^[^/]"), AfterValidator(_below)]
"""A file or folder below the project."""
ProgramPath = Annotated[str, AfterValidator(_below), AfterValidator(_file)]
"""A file that the build makes below its folder, or nothing."""


def fault_of_root(root: Path) -> str:
    """Why a folder cannot be a project's; empty if it can."""
    parts = root.parts
    if not documents.is_folder(root):
        return f"there is no folder {root}"
    if len(parts) == 1 or parts[1] in KERNELS:
        return f"{root} is no project's folder: all that is in it would be copied and compared"
    return ""


def faults_of_files(
    root: Path,
    files: Mapping[str, str],
    taken: Sequence[str],
    *,
    key: str = "image.files",
    whole: str = "the image",
) -> Iterator[str]:
    """Files of an image or package, by their paths in it, that are not there or have each other's
    places; `taken` are its own, `key` is where the declaration names the files."""
    for path, said in sorted(files.items()):
        source = root / said
        is_folder = documents.is_folder(source)
        if not is_folder and not documents.is_file(source):
            yield f"{key}: there is no file or folder {source}"
            continue
        others = (*taken, *(other for other in files if other != path))
        for other in others:
            if path == other or (path.startswith(f"{other}/") and other in taken):
                yield f"{key}: {path}: {whole} has {other} already; take another path"
            elif other.startswith(f"{path}/"):
                inner = source / other.removeprefix(f"{path}/")
                if not is_folder:
                    yield f"{key}: {path} is a file, and {other} would lie below it"
                elif os.path.lexists(inner) and not documents.is_folder(inner):
                    yield f"{key}: {source} has a file for {other}, and so has {whole}"


def faults_of_folders(
    root: Path, files: Mapping[str, str], folders: Sequence[str]
) -> Iterator[str]:
    """Directories of an image where it has a file of the project."""
    for folder in folders:
        for path, said in files.items():
            inside = folder == path or folder.startswith(f"{path}/")
            if inside and not documents.is_folder(root / said):
                yield f"image: {folder} cannot be a directory: {path} in `files` is a file"
            inner = root / said / folder.removeprefix(f"{path}/")
            if folder.startswith(f"{path}/") and documents.is_file(inner):
                yield f"image: {folder} cannot be a directory: {inner} is a file"


def faults_of_modes(root: Path, files: Mapping[str, str], modes: Sequence[str]) -> Iterator[str]:
    """Modes of what the image does not have from the project."""
    for path in modes:
        places = [
            root / said / path.removeprefix(own).lstrip("/")
            for own, said in files.items()
            if path == own or path.startswith(f"{own}/")
        ]
        if not any(os.path.lexists(inputs.file(place)) for place in places):
            yield f"image.modes: `files` puts no {path} into the image"


def faults_of_make(root: Path, arguments: Sequence[str]) -> Iterator[str]:
    """Why make would find nothing to do in a project."""
    named = any(word.startswith(ELSEWHERE) for word in arguments)
    if not named and not any(documents.is_file(root / name) for name in MAKEFILES):
        yield (
            f"build: there is no Makefile in {root}: `source` says where the project lies, "
            '`make.arguments = ["-C", "FOLDER", "all"]` where its Makefile does'
        )


def faults_of_cmake(root: Path, directory: str) -> Iterator[str]:
    """Why CMake would find nothing to do in a project."""
    path = Path(os.path.normpath(root / directory)) / CMAKE_LISTS
    if not documents.is_file(path):
        yield f"build: there is no {path}: `cmake.directory` says where it lies in the project"


def faults_of_cargo(
    package: Path, *, binary: str, profile: str, features: Sequence[str]
) -> Iterator[str]:
    """What is asked of cargo and no manifest has; raises `BadDeclaration` for one that is none."""
    if not cargo_manifest.is_there(package):
        return  # where the lock is looked for, more can be said
    own = cargo_manifest.manifest(package)
    if own.package is None:
        yield f"source: {package / MANIFEST} has no [package]: name the folder of one"
        return
    programs = {own.package.name, *(one.name for one in own.bin), *_programs(package)} - {""}
    if binary not in programs:
        known = ", ".join(sorted(programs))
        yield f"binary: {package / MANIFEST} has no program {binary!r}, but {known}"
    workspace = cargo_manifest.locked(package) or package
    if profile not in (*BUILT_IN, *cargo_manifest.manifest(workspace).profile):
        yield f"cargo.profile: {workspace / MANIFEST} has no [profile.{profile}]"
    for word in " ".join(features).replace(",", " ").split():
        if "/" not in word and word not in own.choices:
            known = ", ".join(sorted(own.choices))
            yield f"cargo.features: {package / MANIFEST} has no feature {word!r}, but {known}"


def _programs(package: Path) -> Iterator[str]:
    """Programs that cargo finds by the names of their files."""
    for path in inputs.matches(package / "src" / "bin", "*"):
        if path.suffix == ".rs" or documents.is_file(path / "main.rs"):
            yield path.name.removesuffix(".rs")
