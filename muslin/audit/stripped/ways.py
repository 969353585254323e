"""Which instructions of a walk have a way back to the caller of their function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Ways(ABC):
    """The nodes of a walk with a way back, and what waits for one to have it."""

    returning: set[int] = field(default_factory=set)
    waiting: dict[int, list[int]] = field(default_factory=dict)
    """By node what returns if that does; inverted (~) is a call that goes on then."""
    behind: dict[int, int] = field(default_factory=dict)
    """By a call what comes next."""

    @abstractmethod
    def reach(self, key: int, origin: int, *, force: bool = False) -> int | None:
        """Follow what comes next, as the walk does."""

    def edge(self, node: int, after: int | None) -> None:
        """Note that a node goes on at another."""
        if after is None:
            return
        if after in self.returning:
            self.returned(node)
        else:
            self.waiting.setdefault(after, []).append(node)

    def returned(self, node: int) -> None:
        """Note that a node has a way back, and with it all that wait for that."""
        left = [node]
        while left:
            node = left.pop()
            if node in self.returning:
                continue
            self.returning.add(node)
            for waiting in self.waiting.pop(node, ()):
                if waiting >= 0:
                    left.append(waiting)
                    continue
                after = self.reach(self.behind[~waiting], ~waiting)
                if after in self.returning:
                    left.append(~waiting)
                elif after is not None:
                    self.waiting.setdefault(after, []).append(~waiting)
