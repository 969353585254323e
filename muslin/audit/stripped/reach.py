"""Everything that a program's leads get to, in the state that the processor is in.

A graph is followed whose nodes are the instructions that may do more than go on, by their key: the
address, on 32-bit ARM with bit 0 set for Thumb. What is behind a call is followed once the called
function is known to have a way back, so that what lies behind the call of one that never returns
is not taken for code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from muslin.audit.stripped.area import Area, Areas
from muslin.audit.stripped.marks import Level, Marks
from muslin.audit.stripped.step import (
    CALLS,
    GOES_ON,
    LEADS,
    MAY_SKIP,
    RETURNS,
    UNDEFINED,
    UNKNOWN,
    UNLIKELY,
    Step,
)
from muslin.audit.stripped.ways import Ways


@dataclass(frozen=True)
class Jump:
    """A branch whose target only registers say."""

    area: Area
    state: int
    at: int
    """Its offset in the area."""
    begin: int
    """The offset from which its block was followed."""
    calls: bool


@dataclass(frozen=True)
class Resolved:
    """Keys that such a branch leads to; whether these are all, surely."""

    targets: tuple[int, ...] = ()
    sure: bool = False


@dataclass(kw_only=True)
class Reach(Ways):
    """A program, what of it was followed, and at which level."""

    areas: Areas
    resolve: Callable[[Jump], Resolved]
    marks: Marks = field(init=False)
    functions: set[int] = field(default_factory=set)
    """Keys of what is called or led to from outside the code."""
    contradictions: list[int] = field(default_factory=list)
    """Addresses where what was followed beyond sure leads cannot be code."""
    outside: list[tuple[int, int]] = field(default_factory=list)
    """Sure branches to where no code is loaded: from and to."""
    unresolved: list[int] = field(default_factory=list)
    """Jumps by a register of which nothing is known."""
    _begun: dict[int, int] = field(default_factory=dict)
    """The nodes, with the offset from which each was first reached."""
    _area: Area | None = None
    """The one that was looked into last."""
    _work: list[tuple[int, Step]] = field(default_factory=list)
    _unknown_calls: list[tuple[int, Resolved]] = field(default_factory=list)
    _unknown_jumps: list[tuple[int, Resolved]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.marks = Marks(self.areas)

    @property
    def level(self) -> Level:
        """How sure what is followed now is."""
        return self.marks.level

    def lead(self, key: int, *, force: bool = False) -> None:
        """Follow what the processor gets to from outside the code; by force over what is known as
        data too."""
        if self.reach(key, -1, force=force) is not None:
            self.functions.add(key)
        self.follow()

    def follow(self) -> None:
        """Follow everything that is left at this level."""
        while True:
            while self._work:
                self._visit(*self._work.pop())
            if self.level is Level.SURE or not (self._unknown_calls or self._unknown_jumps):
                return
            self._assume()

    def _assume(self) -> None:
        """Take calls and jumps by a register to come back."""
        calls, self._unknown_calls = self._unknown_calls, []
        jumps, self._unknown_jumps = self._unknown_jumps, []
        for node, resolved in calls:
            for to in resolved.targets:
                self.reach(to, node)
            self.edge(node, self.reach(self.behind[node], node))
        for node, resolved in jumps:
            for to in resolved.targets:
                self.edge(node, self.reach(to, node))
            if not resolved.targets:
                self.unresolved.append(node)
                self.returned(node)

    def reach(  # noqa: PLR0911  # one for each way that it cannot be code
        self, key: int, origin: int, *, force: bool = False
    ) -> int | None:
        """Follow up to the first instruction that may branch; its key, if all up to there can be
        code."""
        state = key & 1 if self.areas.is_arm else 0
        area = self._area_of(key - state)
        if area is None:
            if self.level is Level.SURE:
                self.outside.append((origin, key))
            return None
        at, text = key - state - area.start, area.texts[state]
        if at % text.width:
            if self.level is Level.SURE:
                self.marks.clashes.append(key)
            return None
        stop = text.stop(at)
        node = area.start + stop + state
        if node in self._begun and area.seen[at // area.unit] & (1 + state):
            return node
        step = text.step(stop) if stop < len(text.content) else None
        if step and step[0] & (UNDEFINED | UNLIKELY) and self.level is not Level.SURE:
            return None
        if not self.marks.note(area, state, at, stop, force=force):
            return None
        if step is None:
            return self.reach(area.end + state, key)
        if node not in self._begun:
            self._begun[node] = at
            self._work.append((node, step))
        return node

    def _area_of(self, address: int) -> Area | None:
        if self._area is None or not self._area.start <= address < self._area.end:
            self._area = self.areas.at(address)
        return self._area

    def _visit(self, node: int, step: Step) -> None:
        flags, size, to = step
        if flags & UNKNOWN:
            state = node & 1 if self.areas.is_arm else 0
            area = self._area_of(node - state)
            assert area is not None
            at = node - state - area.start
            resolved = self.resolve(Jump(area, state, at, self._begun[node], bool(flags & CALLS)))
        else:
            resolved = Resolved((to,), sure=True) if flags & LEADS else Resolved(sure=True)
        if flags & RETURNS:
            self.returned(node)
        if flags & CALLS:
            self._called(node, size, resolved)
        elif resolved.sure:
            for target in resolved.targets:
                self._next(node, target)
        else:
            self._unknown_jumps.append((node, resolved))
        if flags & (GOES_ON | MAY_SKIP):
            self._next(node, node + size)

    def _next(self, node: int, key: int) -> None:
        """Go on somewhere, which cannot fail if the node is code."""
        after = self.reach(key, node)
        if after is None and self.level is not Level.SURE:
            self.contradictions.append(node)
        self.edge(node, after)

    def _called(self, node: int, size: int, resolved: Resolved) -> None:
        self.behind[node] = node + size
        known = False
        for target in resolved.targets if resolved.sure else ():
            called = self.reach(target, node)
            if called is None:
                continue
            self.functions.add(target)
            known = True
            if called in self.returning:
                self.edge(node, self.reach(node + size, node))
            else:
                self.waiting.setdefault(called, []).append(~node)
        if not known:
            self._unknown_calls.append((node, resolved))
