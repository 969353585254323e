"""What a declaration says of a service's image."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from muslin.models.declaration import Declaration
from muslin.models.project_paths import KERNELS, LONGEST_NAME, LONGEST_PATH, ProjectPath, is_short

PROGRAM_PATH = re.compile(r"(/[A-Za-z0-9._+-]+)+")
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
PORT = "PORT"
"""The variable by which a program is told of its port."""
OUR_FILES = ("/etc/passwd", "/etc/group")
TEMPORARY = "/tmp"  # noqa: S108  # of the image
NOBODY = 65532
"""The number that distroless images gave to `nonroot`; orchestrators check for a number."""
CA_FILES = ("/etc/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt")


def _in_image(path: str) -> str:
    parts = path.split("/")
    if {".", ".."} & set(parts) or parts[1] in KERNELS or not is_short(path):
        raise ValueError(
            "it should be a path in the image, such as /share/page.html; without . and .., not "
            f"in /{', /'.join(KERNELS)}, at most {LONGEST_PATH} bytes long and "
            f"{LONGEST_NAME} in each name"
        )
    return path


ImagePath = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._+@-]+)+$"), AfterValidator(_in_image)]


Mode = Annotated[str, Field(pattern=r"^0?[0-7]{3}$")]
User = Annotated[str, Field(pattern=r"^[0-9]{1,9}(:[0-9]{1,9})?$")]
Period = Annotated[float, Field(ge=0.001, le=86_400.0)]
"""Seconds; Docker takes a millisecond or more."""


class Healthcheck(Declaration):
    """How Docker asks the running program for its health: by a second start of it."""

    arguments: Annotated[tuple[str, ...], Field(min_length=1)]
    """Arguments of the program, such as `["--health"]`; it must end with code 0 or 1."""
    interval: Period | None = None
    """Seconds between two starts; Docker's default is 30."""
    timeout: Period | None = None
    """Seconds in which it must end; Docker's default is 30."""
    start_period: Period | None = None
    """Seconds after the container's start in which failures do not count; Docker's default is 0."""
    retries: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Failures in a row until the container is unhealthy; Docker's default is 3."""


class Image(Declaration):
    """The container image of a service, beside its program."""

    entrypoint: Annotated[tuple[str, ...], Field(min_length=1)]
    """The program's path in the image, such as `/hello`, then arguments."""
    port: Annotated[int, Field(gt=0, lt=65536)] | None = None
    """Port of the server; the image sets `PORT` to it."""
    ca_bundle: bool = False
    """Whether the image contains the public certificate authorities."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels of the image."""
    environment: dict[Variable, str] = Field(default_factory=dict)
    """Environment variables of the program, beside `PORT`."""
    files: dict[ImagePath, ProjectPath] = Field(default_factory=dict)
    """Files and directories of the project, by their paths in the image."""
    modes: dict[ImagePath, Mode] = Field(default_factory=dict)
    """Modes of what `files` puts into the image, such as `{ "/etc/app.key" = "0400" }`; it belongs
    to the image's user then, and to root with 0644 or 0755 otherwise."""
    user: User | None = None
    """User, or user and group, that the program runs as, in numbers, such as `1000:1000`; 65532 by
    default."""
    workdir: ImagePath | None = None
    """Working directory of the program, made in the image for its user; `/` by default."""
    volumes: tuple[ImagePath, ...] = ()
    """Directories for volumes, made in the image for its user: a new volume takes owner and mode
    from there."""
    healthcheck: Healthcheck | None = None
    """Docker's health check, an extension of the OCI format."""
    git_labels: bool = False
    """Whether labels name the repository (`org.opencontainers.image.source`) and the commit
    (`.revision`) of the project's git checkout."""

    @field_validator("entrypoint")
    @classmethod
    def _leads_to_the_program(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        parts = words[0].split("/")
        if (
            not PROGRAM_PATH.fullmatch(words[0])
            or parts[1] in ("etc", "tmp", *KERNELS)  # the image's own, and the kernel's
            or {".", ".."} & set(parts)
            or not is_short(words[0])
        ):
            raise ValueError(
                "the first word is the program's path in the image, such as /hello; "
                "not in /etc, /tmp or what the kernel fills, at most "
                f"{LONGEST_PATH} bytes long and {LONGEST_NAME} in each name"
            )
        return words

    @model_validator(mode="after")
    def _each_has_a_place_of_its_own(self) -> Self:
        if self.port is not None and PORT in self.environment:
            raise ValueError(f"`port` sets the variable {PORT}: leave it out of `environment`")
        for path, said in self.files.items():
            if path in self.own_files or {".", ".."} & set(said.split("/")):
                raise ValueError(
                    f"files: {path} = {said!r}: a path of the image, other than "
                    f"{', '.join(self.own_files)}, and one below the project, both without `.` "
                    "and `..`"
                )
        return self

    @model_validator(mode="after")
    def _folders_are_none_of_its_files(self) -> Self:
        for path in self.folders:
            for name in self.own_files:
                if path == name or path.startswith(f"{name}/"):
                    raise ValueError(f"{path} cannot be a directory: {name} is a file of the image")
            if path == TEMPORARY or path.startswith(f"{TEMPORARY}/"):
                raise ValueError(f"{path}: {TEMPORARY} is in the image for everybody: leave it out")
        if len({*self.volumes}) < len(self.volumes):
            raise ValueError("volumes: each directory once")
        return self

    @property
    def owner(self) -> tuple[int, int]:
        """Numbers of the user and group that the program runs as."""
        user, _, group = (self.user or str(NOBODY)).partition(":")
        return int(user), int(group or user)

    @property
    def folders(self) -> tuple[str, ...]:
        """Directories that belong to the image's user."""
        return tuple(dict.fromkeys((*((self.workdir,) if self.workdir else ()), *self.volumes)))

    @property
    def own_files(self) -> tuple[str, ...]:
        """What is in the image without being named in `files`."""
        return (*OUR_FILES, self.entrypoint[0], *(CA_FILES if self.ca_bundle else ()))
