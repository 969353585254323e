"""Where branches by a register lead: what was put together just before, and jump tables."""

from __future__ import annotations

from dataclasses import dataclass

from muslin.audit import constants
from muslin.audit.flow import signed
from muslin.audit.memory import Memory
from muslin.audit.stripped import a64_tables, arm_tables, x86_jumps
from muslin.audit.stripped.area import TABLE, Areas
from muslin.audit.stripped.jump_table import LOOK_BACK, Distances, Steps, Table
from muslin.audit.stripped.reach import Jump, Resolved
from muslin.audit.stripped.thumb_text import ThumbText
from muslin.audit.stripped.x86_text import X86Text

MOST, UNBOUNDED = 16384, 256
"""Entries of a table, and of one whose number no comparison says."""


@dataclass
class Jumps:
    """Resolves the jumps of a program."""

    areas: Areas
    memory: Memory

    def resolve(self, jump: Jump) -> Resolved:
        """Where a jump leads."""
        if isinstance(jump.area.texts[jump.state], X86Text):
            return self._x86(jump)
        if not jump.calls and (table := self._table(jump)) is not None:
            return self._entries(jump, table)
        near = self._constants(jump, jump.begin)
        if near:
            return Resolved(near, sure=True)
        return Resolved(self._constants(jump, jump.at - 4 * LOOK_BACK) if jump.state == 0 else ())

    def _x86(self, jump: Jump) -> Resolved:
        text = jump.area.texts[0]
        assert isinstance(text, X86Text)
        before = text.before(jump.begin, jump.at)
        to = constants.x86_64(before[-constants.WINDOW :], text.start, self.memory)
        if to and self.areas.at(to) is not None:
            return Resolved((to,), sure=True)
        found = None if jump.calls else x86_jumps.table(before, text.start)
        if found is None or found.bound is None:
            return Resolved()
        target = Distances(found.address if found.is_relative else 0)
        size = 4 if found.is_relative else 8
        table = Table(found.address, size, target, found.bound, is_signed=found.is_relative)
        return self._entries(jump, table)

    def _constants(self, jump: Jump, begin: int) -> tuple[int, ...]:
        kind = jump.area.texts[jump.state].kind
        first = max(begin, jump.at - 4 * LOOK_BACK if kind != "t" else begin, 0)
        text = jump.area.texts[jump.state]
        code = text.content[first : jump.at + 4]
        here = jump.area.start + jump.at
        return tuple(
            to | (kind_there == "t")
            for at, to, kind_there in constants.branches(
                kind, text.start + first, code, self.memory
            )
            if at == here
        )

    def _entries(self, jump: Jump, table: Table) -> Resolved:
        """What a table holds, up to its bound, or up to what cannot be an entry of it."""
        targets, nearest = list[int](), 0
        area = jump.area
        for index in range(min(table.bound or MOST, MOST)):
            at = table.address + table.size * index
            if table.bound is None and index == UNBOUNDED and not nearest:
                break
            value = self.memory.word(at, table.size)
            if value is None or (table.bound is None and nearest and at >= nearest):
                break
            key = table.target(signed(value, 8 * table.size) if table.is_signed else value)
            to = key & ~1 if self.areas.is_arm else key
            width = area.texts[key & 1 if self.areas.is_arm else 0].width
            if not area.start <= to < area.end or to % width:
                if table.bound is None:
                    break
                return Resolved()
            targets.append(key)
            if to > at and area.start <= table.address < area.end:
                nearest = min(nearest, to) if nearest else to
        is_known = table.bound is not None or nearest > 0
        if is_known and not isinstance(table.target, Steps):
            self.note(table.address, table.size * len(targets))
        return Resolved(tuple(dict.fromkeys(targets)), sure=table.bound is not None)

    def note(self, address: int, size: int) -> None:
        """Note that a table lies somewhere."""
        if (area := self.areas.at(address)) is not None:
            area.note_data(address, size, TABLE)

    def _table(self, jump: Jump) -> Table | None:
        text = jump.area.texts[jump.state]
        if text.kind == "t":
            assert isinstance(text, ThumbText)
            return arm_tables.thumb(text, jump)
        index = jump.at >> 2
        words = text.words[max(index - LOOK_BACK, 0) : index + 1]  # type: ignore[union-attr]  # not x86
        return (arm_tables.a32 if text.kind == "a" else a64_tables.a64)(
            words, jump.area.start + jump.at
        )
