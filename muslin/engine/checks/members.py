"""Compare the members of archives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from muslin.engine.filesystem import patterns
from muslin.engine.formats import ar
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Check


@dataclass(frozen=True, kw_only=True)
class Members(Check):
    """Each archive (`.a`) that the pattern matches, at least one, has the right members."""

    revision: ClassVar[int] = 1
    root: str = "${out}"
    pattern: str
    exactly: tuple[str, ...] = ()
    """Names of all members, in any order; nothing is compared where it is empty."""
    lacks: tuple[str, ...] = ()
    """Names of members that belong elsewhere."""

    @property
    def title(self) -> str:
        """What must be true."""
        return "archives have the right members"

    def examine(self, sandbox: Sandbox) -> Iterator[str]:
        root = sandbox.path(self.root)
        found = patterns.find(root, self.pattern)
        if not found:
            yield f"no file matches {self.pattern}"
        for path in found:
            names = Counter(ar.names(path))
            wanted = Counter(self.exactly)
            misplaced = sorted(set(names).intersection(self.lacks))
            missing, more = sorted(wanted - names), sorted(names - wanted) if wanted else []
            for title, some in (
                ("lacks", missing),
                ("also has", more),
                ("must not have", misplaced),
            ):
                if some:
                    yield f"{path.relative_to(root)} {title} {', '.join(some)}"
