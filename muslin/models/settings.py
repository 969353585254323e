"""What `[tool.muslin]` and the environment say, and where things lie."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import platformdirs
from pydantic import Field

from muslin.engine import errors as engine_errors
from muslin.engine import inputs
from muslin.engine.cache import layout
from muslin.engine.formats import documents
from muslin.engine.process.limits import (
    BUILD_VARIABLE,
    CHECK_VARIABLE,
    HOURS,
    LOG_VARIABLE,
    MEGABYTE,
    Limits,
)
from muslin.engine.remote.terms import Terms
from muslin.engine.scheduler import SHARE
from muslin.models import declaration, project, service, shared_store
from muslin.models import errors as model_errors
from muslin.models.declaration import Declaration
from muslin.models.project import Project

CACHE_VARIABLE = "MUSLIN_CACHE"
JOBS_VARIABLE = "MUSLIN_JOBS"
MEMORY_VARIABLE = "MUSLIN_MEMORY"
SOURCES_VARIABLE = "MUSLIN_SOURCES"
DRIVER_VARIABLE = "MUSLIN_DRIVER"
MIRROR_VARIABLE = "MUSLIN_MIRROR"
HOST_VARIABLE = "MUSLIN_HOST"
BUILT_IN = Limits()
Driver = Literal["builtin", "musl-cross-make"]
DRIVERS: tuple[Driver, ...] = get_args(Driver)
"""How a toolchain is made; the result has the same layout for all."""
HOSTS = ("native", "root")
MOST = 10**9 - 1
"""Of any of them, so that nine digits are enough."""


Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f]+$")]


class Tool(Declaration):
    """The table `[tool.muslin]` of `pyproject.toml`."""

    targets: Annotated[tuple[Line, ...], Field(min_length=1)] = (
        "x86_64",
        "aarch64",
        "armv7",
        "armv6",
    )
    """Targets of a run that names none."""
    services: tuple[Line, ...] = ()
    """Directories of services; patterns such as `services/*`. By default the project itself."""
    sources: Line = "auto"
    """Source set: `debian` or `upstream`; `auto` takes `debian`."""
    driver: Line = "auto"
    """Driver of toolchains: `builtin` or `musl-cross-make`; `auto` takes the source set's own."""
    host: Line = "native"
    """Where stages run: `native`, with the machine's own gcc, make and perl, or `root`, in a Debian
    system that Muslin brings along."""
    advisories: Literal["fail", "report"] = "fail"
    """Whether `nox -s advisories` fails if a fix is missing."""
    mirror: Annotated[str, Field(pattern=r"^(https?://[!-~]+)?$")] = ""
    """A directory on the web with the files of the `upstream` set, requested first."""
    build_hours: Annotated[float, Field(gt=0, le=MOST)] = BUILT_IN.build_seconds / HOURS
    """Maximum time of each command of a build."""
    check_seconds: Annotated[float, Field(gt=0, le=MOST)] = BUILT_IN.check_seconds
    """Maximum time of a program that a check starts, or until a server answers, unless its service
    sets `seconds`."""
    log_megabytes: Annotated[int, Field(gt=0, le=MOST)] = BUILT_IN.log_bytes // MEGABYTE
    """Maximum size of a stage's log."""
    store: shared_store.Table = shared_store.Table()
    """A store of finished stages that several machines share."""


MEANT = frozenset(":$\"'#\\`;&|<>*?[]()!%")
"""Characters that mean something to a shell, a makefile or a list of folders."""
MAGIC = frozenset("*?[")
"""Characters that make a pattern of a path."""
SHOWN = 4
BROUGHT = (layout.DOWNLOADS, "lost+found")
"""What may lie there before: files for a machine without a network, and a disk's own."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Folders and defaults of one run."""

    project: Path
    declared: Path
    """The file with the settings; it may be absent."""
    cache: Path
    jobs: int
    """Processes that may work at the same time; the cores this process may use by default."""
    memory: int
    """Bytes that all processes together may take; four fifths of the machine's by default."""
    targets: tuple[str, ...]
    services: tuple[Path, ...]
    sources: str
    """Name of a source set, or `auto`."""
    driver: str
    """Name of a driver, or `auto`."""
    host: str
    """`native` or `root`."""
    advisories: Literal["fail", "report"]
    """What `nox -s advisories` does where a fix is lacking."""
    mirror: str
    """Address of a folder, with a slash at its end, or nothing."""
    limits: Limits
    store: Terms | None
    """The shared store; None if there is none."""

    @property
    def dist(self) -> Path:
        """Where artefacts go."""
        return self.project / "dist"


def load(folder: Path) -> Settings:
    """Read the settings of the project in a directory; raises `BadDeclaration`, `CacheUnusable`."""
    found = project.at(folder)
    tool, cache = _tool(found), _cache()
    services = tuple(_services(found, tool.services))
    insist_apart(cache, folder, services)
    return Settings(
        project=folder,
        declared=found.declared,
        cache=cache,
        jobs=_jobs(),
        memory=_memory(),
        targets=tool.targets,
        services=services,
        sources=os.environ.get(SOURCES_VARIABLE) or tool.sources,
        driver=os.environ.get(DRIVER_VARIABLE) or tool.driver,
        host=_host(os.environ.get(HOST_VARIABLE) or tool.host),
        advisories=tool.advisories,
        mirror=_folder(os.environ.get(MIRROR_VARIABLE) or tool.mirror),
        limits=Limits(
            build_seconds=_number(BUILD_VARIABLE, tool.build_hours, "hours, such as 48") * HOURS,
            check_seconds=_number(CHECK_VARIABLE, tool.check_seconds, "seconds, such as 900"),
            log_bytes=int(
                _number(LOG_VARIABLE, tool.log_megabytes, "megabytes, such as 2000") * MEGABYTE
            ),
        ),
        store=shared_store.terms(tool.store, folder),
    )


def _tool(found: Project) -> Tool:
    try:
        return declaration.parse(found.declared, found.table, Tool)
    except engine_errors.BadDeclaration as error:
        prefix = f"{found.key}." if found.key else ""
        faults = [f"{prefix}{fault}" for fault in error.faults]
        raise engine_errors.BadDeclaration(found.declared, faults) from error


def _number(variable: str, otherwise: float, wanted: str) -> float:
    """What a variable says, or else the project's file."""
    said = os.environ.get(variable)
    if not said:
        return otherwise
    if not re.fullmatch(r"\d{1,9}(\.\d+)?", said) or not float(said):
        raise model_errors.BadVariable(variable, said, f"a number of {wanted}")
    return float(said)


def _host(said: str) -> str:
    if said not in HOSTS:
        raise model_errors.Unknown("host", said, HOSTS)
    return said


def _folder(address: str) -> str:
    return f"{address.rstrip('/')}/" if address else ""


def _services(project: Project, patterns: tuple[str, ...]) -> list[Path]:
    """The folders that patterns find, less those that hold no service; raises `BadDeclaration`
    for one that is named in full and holds none. Without patterns, the project itself or, if it is
    a cargo workspace without a package, its members with a program."""
    if not patterns:
        return list(service.inferred(project.root))
    declared, key = project.declared, f"{project.key}.services" if project.key else "services"
    folders, faults = set[Path](), []
    for pattern in patterns:
        found = set(_matching(project.root, pattern))
        services = {folder for folder in found if service.declares(folder)}
        if not services and not MAGIC & set(pattern):
            faults.append(
                f"{key}: {pattern} has neither a service.toml nor a Cargo.toml with "
                "[package.metadata.muslin]"
            )
        folders |= services
    if faults:
        raise engine_errors.BadDeclaration(declared, faults)
    return sorted(folders)


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    """The folders, wherever links lead, that a pattern means. Everything that it passes is asked
    for by its own name, so that a watch notices what becomes a folder later."""
    try:
        whole = Path(pattern).expanduser()
    except RuntimeError:  # a home of nobody's: a folder's name
        whole = Path(pattern)
    start = Path(whole.anchor) if whole.is_absolute() else folder
    parts = whole.parts[1:] if whole.is_absolute() else whole.parts
    found = [start]
    for part in parts:
        found = [inner for outer in found for inner in _inside(outer, part)]
    return map(documents.real, found)


def _inside(folder: Path, pattern: str) -> Iterator[Path]:
    """The folders in a folder that a pattern without slashes means; none where this user may not
    look."""
    names = [pattern]
    if MAGIC & set(pattern):
        with suppress(OSError):
            there = sorted(os.listdir(inputs.folder(folder)))  # noqa: PTH208  # a listing is all that is wanted
            shown = [name for name in there if not name.startswith(".")]
            names = fnmatch.filter(there if pattern.startswith(".") else shown, pattern)
    for name in names:
        if documents.is_folder(folder / name):
            yield folder / name


def _cache() -> Path:
    said = os.environ.get(CACHE_VARIABLE)
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


def _jobs() -> int:
    said = os.environ.get(JOBS_VARIABLE)
    if not said:
        return len(os.sched_getaffinity(0))
    if not re.fullmatch(r"[1-9][0-9]{0,5}", said):
        raise model_errors.BadVariable(JOBS_VARIABLE, said, "a number of processes, such as 4")
    return int(said)


def _memory() -> int:
    said = os.environ.get(MEMORY_VARIABLE)
    if not said:
        return int(min((_physical(), *_limits())) * SHARE)
    size = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(MB|GB)", said)
    if size is None or not float(size[1]):
        raise model_errors.BadVariable(MEMORY_VARIABLE, said, "a size, such as 800MB or 4GB")
    return int(float(size[1]) * {"MB": 10**6, "GB": 10**9}[size[2]])


def _physical() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _limits() -> Iterator[int]:
    """What the control group grants, as a container's: cgroup v2 and v1."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            said = Path(path).read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if said.isdecimal():  # `max` otherwise
            yield int(said)
