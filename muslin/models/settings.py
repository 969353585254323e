"""What `[tool.muslin]` and the environment say, and where things lie."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from muslin.engine import errors as engine_errors
from muslin.engine.process.limits import (
    BUILD_VARIABLE,
    CHECK_VARIABLE,
    HOURS,
    LOG_VARIABLE,
    MEGABYTE,
    Limits,
)
from muslin.engine.remote.terms import Terms
from muslin.models import (
    cache_folder,
    capacity,
    declaration,
    project,
    service_folders,
    shared_store,
)
from muslin.models import errors as model_errors
from muslin.models.declaration import Declaration
from muslin.models.project import Project

SOURCES_VARIABLE = "MUSLIN_SOURCES"
DRIVER_VARIABLE = "MUSLIN_DRIVER"
MIRROR_VARIABLE = "MUSLIN_MIRROR"
HOST_VARIABLE = "MUSLIN_HOST"
BUILT_IN = Limits()
Driver = Literal["builtin", "musl-cross-make", "zig"]
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
    """Driver of toolchains: `builtin`, `musl-cross-make` or `zig`; `auto` takes the source set's
    own."""
    host: Line = "native"
    """Where stages run: `native`, with the machine's own gcc, make and perl, or `root`, in a Debian
    system that Muslin brings along."""
    advisories: Literal["fail", "report"] = "fail"
    """Whether `nox -s advisories` fails if a fix is missing."""
    licences: tuple[Line, ...] = ()
    """Licences that programs may contain, by SPDX identifier, such as `MIT` and
    `GPL-3.0-or-later WITH GCC-exception-3.1`. A run names what is under another. By default all
    are allowed."""
    mirror: Annotated[str, Field(pattern=r"^(https?://[!-~]+)?$")] = ""
    """A directory on the web with the files of the `upstream` set, requested first."""
    build_hours: Annotated[float, Field(gt=0, le=MOST)] = BUILT_IN.build_seconds / HOURS
    """Maximum time of each command of a build."""
    check_seconds: Annotated[float, Field(gt=0, le=MOST)] = BUILT_IN.check_seconds
    """Maximum time of a program that a check starts, or until a server answers, unless its service
    sets `seconds`."""
    crates: dict[Line, dict[str, Any]] = Field(default_factory=dict)
    """Services of `--crate` by name, with what is not inferred right of them, such as
    `ripgrep.run = [{ expect = "15" }]`; keys of a service.toml."""
    log_megabytes: Annotated[int, Field(gt=0, le=MOST)] = BUILT_IN.log_bytes // MEGABYTE
    """Maximum size of a stage's log."""
    store: shared_store.Table = shared_store.Table()
    """A store of finished stages that several machines share."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Folders and defaults of one run."""

    project: Path
    declared: Path
    """The file with the settings; it may be absent."""
    table: str
    """Where in the file they are, such as `tool.muslin`; empty for a file of their own."""
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
    licences: tuple[str, ...]
    """Licences that programs may contain; empty if all are allowed."""
    mirror: str
    """Address of a folder, with a slash at its end, or nothing."""
    limits: Limits
    crates: Mapping[str, Mapping[str, object]]
    """What is said of services of `--crate`, by their names."""
    store: Terms | None
    """The shared store; None if there is none."""

    @property
    def dist(self) -> Path:
        """Where artefacts go."""
        return self.project / "dist"


def load(folder: Path) -> Settings:
    """Read the settings of the project in a directory; raises `BadDeclaration`, `CacheUnusable`."""
    found = project.at(folder)
    tool, cache = _tool(found), cache_folder.chosen()
    services = tuple(service_folders.found(found, tool.services))
    cache_folder.insist_apart(cache, folder, services)
    return Settings(
        project=folder,
        declared=found.declared,
        table=found.key,
        cache=cache,
        jobs=capacity.jobs(),
        memory=capacity.memory(),
        targets=tool.targets,
        services=services,
        sources=os.environ.get(SOURCES_VARIABLE) or tool.sources,
        driver=os.environ.get(DRIVER_VARIABLE) or tool.driver,
        host=_host(os.environ.get(HOST_VARIABLE) or tool.host),
        advisories=tool.advisories,
        licences=tool.licences,
        mirror=_folder(os.environ.get(MIRROR_VARIABLE) or tool.mirror),
        limits=Limits(
            build_seconds=_number(BUILD_VARIABLE, tool.build_hours, "hours, such as 48") * HOURS,
            check_seconds=_number(CHECK_VARIABLE, tool.check_seconds, "seconds, such as 900"),
            log_bytes=int(
                _number(LOG_VARIABLE, tool.log_megabytes, "megabytes, such as 2000") * MEGABYTE
            ),
        ),
        crates=tool.crates,
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
