"""Addresses of code that a program holds in its data, or that its code puts together."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence

from muslin.audit import constants
from muslin.audit.flow import signed
from muslin.audit.memory import Memory
from muslin.audit.stripped.a32_text import A32Text
from muslin.audit.stripped.a64_text import A64Text
from muslin.audit.stripped.area import RUN, RUN_THUMB, Area, Areas
from muslin.audit.stripped.step import all_of, table
from muslin.audit.stripped.thumb_text import ThumbText
from muslin.audit.stripped.x86_text import X86Text

AnyText = A64Text | A32Text | ThumbText | X86Text
AHEAD = 8
"""Instructions behind one that computes a part of an address, among which is the other part."""
FOUND = re.compile(b"[^\0]")
ADDRESSES = table(top for top in range(256) if top & 0x1F == 0x10)
ADD_TOP, PC_THIRD = table(range(0xE0, 0xE4)), table((0x8F, 0x4F))
MOVW = table((0xE3,))
ADR_THUMB = table((*range(0xA0, 0xA8), 0xF2))


def in_pools(areas: Areas) -> Iterator[int]:
    """The constants that reached code loads from beside itself: they may be addresses."""
    for area in areas.all:
        texts: Sequence[AnyText] = area.texts
        for number, text in enumerate(texts):
            state = RUN_THUMB if text.kind == "t" else RUN
            for at, address, _ in area.loads(number, 0, area.end - area.start):
                if area.seen[at // area.unit] == state:
                    area_there = areas.at(address)
                    if area_there is not None:
                        yield from _constant(text, at, area_there, address)


def _constant(text: AnyText, at: int, area: Area, address: int) -> Iterator[int]:
    size = 8 if text.kind == "x" else 4
    offset = address - area.start
    value = int.from_bytes(area.texts[0].content[offset : offset + size], "little")
    place = _added_to(text, at)
    yield value if place is None else value + place & 0xFFFFFFFF


def _added_to(text: AnyText, at: int) -> int | None:
    """The program counter that is added to a constant that was loaded at an offset."""
    if isinstance(text, A32Text):
        register = text.words[at >> 2] >> 12 & 0xF
        for index in range((at >> 2) + 1, min((at >> 2) + 1 + AHEAD, len(text.words))):
            word = text.words[index]
            if word in (
                0xE08F0000 | register << 12 | register,
                0xE0800000 | register << 12 | register << 16 | 15,
            ):
                return text.start + 4 * index + 8
    elif isinstance(text, ThumbText):
        first = text.halves[at >> 1]
        wide = first >= 0xE800
        register = text.halves[(at >> 1) + 1] >> 12 if wide else first >> 8 & 7
        add = 0x4478 | register & 7 | (register & 8) << 4
        for index in range((at >> 1) + 1 + wide, min((at >> 1) + 1 + 2 * AHEAD, len(text.halves))):
            if text.halves[index] == add:
                return text.start + 2 * index + 4
    return None


def computed(areas: Areas) -> Iterator[int]:
    """Addresses that reached code computes from its own place, or from halves."""
    for area in areas.all:
        for text in area.texts:
            if isinstance(text, X86Text):
                places = text.addresses.items()
                yield from {to for at, to in places if area.seen[at] & RUN and areas.at(to)}
            elif isinstance(text, A64Text):
                yield from _pages(area, text)
            elif isinstance(text, A32Text):
                yield from _near(area, text)
            else:
                yield from _near_thumb(area, text)


def _pages(area: Area, text: A64Text) -> Iterator[int]:
    words = text.words
    for match in FOUND.finditer(text.content[3::4].translate(ADDRESSES)):
        index = match.start()
        if not area.seen[index]:
            continue
        word, at = words[index], text.start + 4 * index
        offset = signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21)
        if not word >> 31:
            yield at + offset
            continue
        page, register = (at & ~0xFFF) + (offset << 12), word & 0x1F
        for behind in words[index + 1 : index + 1 + AHEAD]:
            if behind & 0xFFC003E0 == 0x91000000 | register << 5:
                yield page + (behind >> 10 & 0xFFF)


def _near(area: Area, text: A32Text) -> Iterator[int]:
    top, third = text.content[3::4], text.content[2::4]
    for match in FOUND.finditer(all_of(top.translate(ADD_TOP), third.translate(PC_THIRD))):
        index = match.start()
        word = text.words[index]
        if area.seen[2 * index] == RUN and word & 0x0F0F0000 == 0x020F0000:
            to = constants.add_to_pc(word | 0xF000, text.start + 4 * index)
            if to is not None:
                yield to
    for match in FOUND.finditer(top.translate(MOVW)):
        index = match.start()
        word = text.words[index]
        if area.seen[2 * index] == RUN and word & 0x0FF00000 == 0x03000000:
            for behind in text.words[index + 1 : index + 1 + AHEAD]:
                if behind & 0x0FF0F000 == 0x03400000 | word & 0xF000:
                    yield _half(behind) << 16 | _half(word)
                    break


def _half(word: int) -> int:
    return word >> 4 & 0xF000 | word & 0xFFF


def _near_thumb(area: Area, text: ThumbText) -> Iterator[int]:
    halves = text.halves
    for match in FOUND.finditer(text.content[1::2].translate(ADR_THUMB)):
        index = match.start()
        if area.seen[index] != RUN_THUMB:
            continue
        first, at = halves[index], text.start + 2 * index
        if first >> 11 == 0b10100:
            yield (at + 4 & ~3) + 4 * (first & 0xFF)
        elif index + 1 < len(halves):
            yield from _wide(halves, index, at)


def _wide(halves: array[int], index: int, at: int) -> Iterator[int]:
    first, second = halves[index], halves[index + 1]
    if first & 0xFBFF in (0xF20F, 0xF2AF) and not second & 0x8000:
        offset = second & 0xFF | second >> 4 & 0x700 | first << 1 & 0x800
        yield (at + 4 & ~3) + (-offset if first & 0xA0 == 0xA0 else offset)
    elif first & 0xFBF0 == 0xF240 and not second & 0x8000:  # movw
        for behind in range(index + 2, min(index + 2 + 2 * AHEAD, len(halves) - 1)):
            high, rest = halves[behind], halves[behind + 1]
            if high & 0xFBF0 == 0xF2C0 and rest & 0x8F00 == second & 0x8F00:
                yield _half_thumb(high, rest) << 16 | _half_thumb(first, second)
                return


def _half_thumb(first: int, second: int) -> int:
    return (first & 0xF) << 12 | (first << 1 & 0x800) | second >> 4 & 0x700 | second & 0xFF


def in_data(memory: Memory, areas: Areas, width: int) -> Iterator[int]:
    """Words of parts that cannot be run that are addresses inside parts that can."""
    for part in memory.parts:
        if part.executable:
            continue
        content = part.content[: len(part.content) // width * width]
        words = array("I" if width == 4 else "Q", content)
        for area in areas.all:
            start, end = area.start, area.end
            yield from {word for word in words if start <= word < end}
