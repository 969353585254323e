"""How the program that builds a service is called: cargo, make or CMake."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from muslin.models.declaration import Declaration, Text
from muslin.models.project_paths import ProgramPath, ProjectPath


class Cargo(Declaration):
    """How cargo is called."""

    features: tuple[Text, ...] = ()
    """Features to enable."""
    default_features: bool = True
    """Whether the package's default features are enabled."""
    profile: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] = "release"
    """`release`, `dev`, or a profile of the workspace's manifest."""
    lto: Literal["", "off", "thin", "fat"] = ""
    """Link-time optimisation; by default the profile's own."""
    panic: Literal["", "unwind", "abort"] = ""
    """Panic strategy; by default the profile's own."""

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """What is said of the profile, as cargo's environment has it."""
        prefix = f"CARGO_PROFILE_{self.profile.upper().replace('-', '_')}"
        said = (("LTO", self.lto), ("PANIC", self.panic))
        return (
            # Stripped in the end, once the code was looked at.
            (f"{prefix}_STRIP", "none"),
            *((f"{prefix}_{name}", value) for name, value in said if value),
        )

    @property
    def folder(self) -> str:
        """Where cargo puts what it builds by this profile."""
        return {"dev": "debug", "test": "debug", "bench": "release"}.get(self.profile, self.profile)


class Make(Declaration):
    """How make is called."""

    arguments: tuple[Text, ...] = ("all",)
    """Options, goals and variables, such as `["posix", "WITH_TLS=1"]`."""
    program: ProgramPath = ""
    """Path of the program below the project, if no goal installs it."""
    parallel: bool = True
    """Whether the Makefile works with several jobs at the same time."""


class Cmake(Declaration):
    """How CMake is called."""

    directory: ProjectPath = "."
    """Directory of the `CMakeLists.txt`, if it is not the project's root, such as `build/cmake`."""
    options: tuple[Annotated[str, Field(pattern=r"^-")], ...] = ()
    """Options of the configuration, such as `-DBUILD_TESTING=OFF`."""
    program: ProgramPath = ""
    """Path of the program below the build directory, if nothing installs it."""
