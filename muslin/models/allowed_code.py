"""The list of code beyond a baseline that may be there, read strictly."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from muslin.audit.allowed import Entry


class AllowedCode(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allowed: tuple[Entry, ...]
