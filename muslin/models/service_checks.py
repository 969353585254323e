"""What a service's program must do as its checks: runs, and requests to a server."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from muslin.models.declaration import Declaration, Text
from muslin.models.image import Variable

MONTH = 30 * 24 * 3600.0
RequestPath = Annotated[str, Field(pattern=r"^/[!-~]*$", max_length=2000)]
"""What comes in a request behind the server's name: ASCII, with % for all else."""
Seconds = Annotated[float, Field(gt=0.0, le=MONTH)]
Megabytes = Annotated[int, Field(gt=0, le=4000)]
"""Read into memory."""


class Run(Declaration):
    """A run of the program, and the expected text on standard output or standard error."""

    arguments: tuple[str, ...] = ()
    """Arguments of the program."""
    expect: Text
    """Text that its output must contain."""
    code: Annotated[int, Field(ge=0, le=255)] = 0
    """Exit code."""
    input: str = ""
    """Text for standard input."""
    environment: dict[Variable, str] = Field(default_factory=dict)
    """Environment variables of this run."""
    seconds: Seconds | None = None
    """Time in which it must end; by default `MUSLIN_CHECK_SECONDS`, or 300."""
    megabytes: Megabytes | None = None
    """Maximum size of its output; 16 by default."""

    @property
    def is_plain(self) -> bool:
        """Whether it takes no more than a command line and ends well: a board can start it."""
        return self.code == 0 and not self.input and not self.environment


class Serve(Declaration):
    """A request to the running program, and the expected text in its answer."""

    scheme: Literal["http", "https"]
    """Protocol; `https` requires TLS 1.3."""
    path: RequestPath
    """Path of the request, such as `/healthz`."""
    expect: Text
    """Text that the answer must contain."""
    seconds: Seconds | None = None
    """Time from its start until its answer; by default `MUSLIN_CHECK_SECONDS`, or 300."""
    megabytes: Megabytes | None = None
    """Maximum size of its answer; 16 by default."""
