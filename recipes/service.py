"""A service: one folder with a `service.toml`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from recipes import declaration, errors
from recipes.declaration import Declaration

Text = Annotated[str, Field(min_length=1)]
PROGRAM_PATH = re.compile(r"(/[A-Za-z0-9._+-]+)+")
AbsolutePath = Annotated[str, Field(pattern=r"^/")]


class Image(Declaration):
    """What the service's container image is told beyond its program."""

    entrypoint: Annotated[tuple[str, ...], Field(min_length=1)]
    """First the program's path in the image, such as `/hello`."""
    port: Annotated[int, Field(gt=0, lt=65536)] | None = None
    ca_bundle: bool = False
    labels: dict[str, str] = Field(default_factory=dict)

    @field_validator("entrypoint")
    @classmethod
    def _leads_to_the_program(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        parts = words[0].split("/")
        if (
            not PROGRAM_PATH.fullmatch(words[0])
            or parts[1] in ("etc", "tmp")  # the image's own
            or {".", ".."} & set(parts)
        ):
            raise ValueError(
                "the first word is the program's path in the image, such as /hello; "
                "not in /etc or /tmp"
            )
        return words


class Run(Declaration):
    """A run of the program and what it must print."""

    arguments: tuple[str, ...] = ()
    expect: Text


class Serve(Declaration):
    """A request to the running program and what the answer must hold."""

    scheme: Literal["http", "https"]
    path: AbsolutePath
    expect: Text


class Service(Declaration):
    """One program, built for every target and packed into an image."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    folder: Path
    summary: Text
    build: Literal["cargo", "make"]
    binary: Text
    """Name of the program; with cargo also of its package."""
    needs: tuple[str, ...] = ()
    """C libraries by recipe."""
    image: Image
    run: tuple[Run, ...] = ()
    serve: tuple[Serve, ...] = ()


def load(folders: tuple[Path, ...]) -> dict[str, Service]:
    """The services in these folders, by name."""
    services: dict[str, Service] = {}
    for folder in folders:
        path = folder / "service.toml"
        service = declaration.read(path, Service, name=folder.name, folder=str(folder))
        if service.name in services:
            taken = services[service.name].folder
            raise errors.BadDeclaration(path, [f"the name {service.name} is {taken}'s already"])
        services[service.name] = service
    return services
