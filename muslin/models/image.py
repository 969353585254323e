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

    @property
    def own_files(self) -> tuple[str, ...]:
        """What is in the image without being named in `files`."""
        return (*OUR_FILES, self.entrypoint[0], *(CA_FILES if self.ca_bundle else ()))
