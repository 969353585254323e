"""What `[tool.muslin]` and the environment say, and where things lie."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field

from recipes import declaration, errors, service
from recipes.declaration import Declaration
from recipes.engine.schedule import SHARE

CACHE_VARIABLE = "MUSLIN_CACHE"
JOBS_VARIABLE = "MUSLIN_JOBS"
MEMORY_VARIABLE = "MUSLIN_MEMORY"
SOURCES_VARIABLE = "MUSLIN_SOURCES"
DRIVER_VARIABLE = "MUSLIN_DRIVER"
MIRROR_VARIABLE = "MUSLIN_MIRROR"


class Tool(Declaration):
    """The table `[tool.muslin]` of `pyproject.toml`."""

    targets: Annotated[tuple[str, ...], Field(min_length=1)]
    services: tuple[str, ...]
    sources: str = "auto"
    """Source set; `auto` takes the first that can be reached."""
    driver: str = "auto"
    """What makes the toolchains; `auto` takes the source set's own."""
    advisories: Literal["fail", "report"] = "fail"
    """Whether `nox -s advisories` fails where a fix is lacking."""
    mirror: str = ""
    """A folder on the web that has the upstream set's files, asked before the projects' own."""


MEANT = frozenset(":$\"'#\\`;&|<>*?[]()!%")
"""Characters that mean something to a shell, a makefile or a list of folders."""
SHOWN = 4
BROUGHT = ("downloads", "lost+found")
"""What may lie there before: files for a machine without a network, and a disk's own."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Folders and defaults of one run."""

    project: Path
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
    advisories: Literal["fail", "report"]
    """What `nox -s advisories` does where a fix is lacking."""
    mirror: str
    """Address of a folder, with a slash at its end, or nothing."""

    @property
    def dist(self) -> Path:
        """Where artefacts go."""
        return self.project / "dist"


def load(project: Path) -> Settings:
    """Read the settings; raises `BadDeclaration` or `CacheUnusable`."""
    path = project / "pyproject.toml"
    table = declaration.load(path).get("tool", {}).get("muslin", {})
    tool = declaration.parse(path, table, Tool)
    services, cache = tuple(_services(path, tool.services)), _cache()
    _insist_apart(cache, project, services)
    return Settings(
        project=project,
        cache=cache,
        jobs=_jobs(),
        memory=_memory(),
        targets=tool.targets,
        services=services,
        sources=os.environ.get(SOURCES_VARIABLE) or tool.sources,
        driver=os.environ.get(DRIVER_VARIABLE) or tool.driver,
        advisories=tool.advisories,
        mirror=_folder(os.environ.get(MIRROR_VARIABLE) or tool.mirror),
    )


def _folder(address: str) -> str:
    return f"{address.rstrip('/')}/" if address else ""


def _services(declared: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The folders that patterns find, less those that hold no service; raises `BadDeclaration`
    for one that is named in full and holds none."""
    folders, faults = set[Path](), []
    for pattern in patterns:
        found = {(declared.parent / one).resolve() for one in _matching(declared.parent, pattern)}
        services = {folder for folder in found if service.declares(folder)}
        if not services and not set("*?[") & set(pattern):
            faults.append(
                f"tool.muslin.services: {pattern} has neither a service.toml nor a Cargo.toml with "
                "[package.metadata.muslin]"
            )
        folders |= services
    if faults:
        raise errors.BadDeclaration(declared, faults)
    return sorted(folders)


def _matching(folder: Path, pattern: str) -> list[str]:
    # Path.glob takes no absolute pattern.
    return glob.glob(str(Path(pattern).expanduser()), root_dir=folder)  # noqa: PTH207


def _cache() -> Path:
    said = os.environ.get(CACHE_VARIABLE)
    cache = Path(said).expanduser() if said else platformdirs.user_cache_path("muslin")
    if not cache.is_absolute():
        raise errors.CacheUnusable(cache, "its path is not absolute")
    cache = cache.resolve()  # a link may lead to a path with white space
    if any(character.isspace() for character in str(cache)):
        raise errors.CacheUnusable(cache, "its path has white space, which configure cannot bear")
    if odd := sorted(set(str(cache)) & MEANT):
        why = f"its path has {' '.join(odd)}, which shells, make or search paths take otherwise"
        raise errors.CacheUnusable(cache, why)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        paths = list(cache.iterdir())
    except OSError as error:
        raise errors.CacheUnusable(cache, error.strerror or str(error)) from error
    for folder in (cache, *(path for path in paths if path.is_dir())):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise errors.CacheUnusable(folder, "it cannot be written")
    # A first run that is at work beside this one writes `.format.<pid>` before `format`.
    names = (path.name for path in paths if not path.name.startswith(".format."))
    others = sorted(name for name in names if name not in BROUGHT)
    if others and not os.path.lexists(cache / "format"):
        shown = ", ".join(others[:SHOWN]) + (", …" if others[SHOWN:] else "")
        why = f"it holds {shown} and no `format`, by which Muslin knows a cache of its own"
        raise errors.CacheUnusable(cache, why)
    return cache


def _insist_apart(cache: Path, project: Path, services: Iterable[Path]) -> None:
    """Refuse a cache that has somebody's files in it, which a clean-up could remove, or that lies
    among what is built from or handed out."""
    for folder in (project, *services):
        if cache == folder or cache in folder.parents:
            raise errors.CacheUnusable(cache, f"{folder} lies in it, which is no part of a cache")
    for folder in (project / "dist", *services):
        if folder in cache.parents or folder == cache:
            why = f"it lies in {folder}, whose files are copied and compared"
            raise errors.CacheUnusable(cache, why)


def _jobs() -> int:
    said = os.environ.get(JOBS_VARIABLE)
    if not said:
        return len(os.sched_getaffinity(0))
    if not said.isdecimal() or int(said) == 0:
        raise errors.BadVariable(JOBS_VARIABLE, said, "a number of processes, such as 4")
    return int(said)


def _memory() -> int:
    said = os.environ.get(MEMORY_VARIABLE)
    if not said:
        return int(min((_physical(), *_limits())) * SHARE)
    size = re.fullmatch(r"(\d+(?:\.\d+)?)(MB|GB)", said)
    if size is None or not float(size[1]):
        raise errors.BadVariable(MEMORY_VARIABLE, said, "a size, such as 800MB or 4GB")
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
