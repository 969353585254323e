"""Look for a name in what a command prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from muslin.engine.checks import program
from muslin.engine.sandbox import Sandbox
from muslin.engine.similar_names import similar
from muslin.engine.source import UNKEYED
from muslin.engine.stage import Check
from muslin.engine.steps.run import Run


@dataclass(frozen=True, kw_only=True)
class ListedName(Check):
    """A name is one of those that a command prints."""

    key_name: ClassVar[str] = "Lists"
    revision: ClassVar[int] = 1
    run: Run
    name: str
    what: str = field(metadata=UNKEYED)
    """What the name is and where it was written, for the message; so with `by`."""
    by: str = field(metadata=UNKEYED)

    @property
    def title(self) -> str:
        """What must be true."""
        return "the name is known"

    def examine(self, sandbox: Sandbox) -> Iterator[str]:
        names = {word.strip("'\"(),:") for word in program.printed(self.run, sandbox).split()}
        if self.name not in names:
            near = ", ".join(similar(self.name, names, most=5))
            hint = f"; near it are {near}" if near else ""
            yield f"{self.what}: {self.by} knows no {self.name!r}{hint}"
