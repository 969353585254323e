"""What the instructions that were walked over need beyond a baseline."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import compress

from muslin.audit import aarch64, arm
from muslin.audit.baseline import Baseline
from muslin.audit.stripped.a32_text import A32Text
from muslin.audit.stripped.a64_text import A64Text
from muslin.audit.stripped.area import RUN, RUN_THUMB, Area
from muslin.audit.stripped.thumb_text import ThumbText
from muslin.audit.stripped.x86_text import X86Text

Need = tuple[int, int, str, str]
"""Address and size of an instruction, its state, and what it needs."""
IS_RUN = bytes(value & RUN for value in range(256))
IS_THUMB = bytes(value == RUN_THUMB for value in range(256))
WIDE = re.compile(bytes((RUN_THUMB, 4)))


def beyond(area: Area, baseline: Baseline) -> Iterator[Need]:
    """Every instruction of an area, at any level, that needs more than the baseline has."""
    for text in area.texts:
        if isinstance(text, X86Text):
            yield from _x86(area, text, baseline)
        elif isinstance(text, ThumbText):
            yield from _thumb(area, text, baseline)
        else:
            yield from _words(area, text, baseline)


def _x86(area: Area, text: X86Text, baseline: Baseline) -> Iterator[Need]:
    for offset, (size, all_of_them) in sorted(text.needs.items()):
        for need in all_of_them if area.seen[offset] & RUN else ():
            if need not in baseline.has:
                yield text.start + offset, size, "x", need


def _words(area: Area, text: A32Text | A64Text, baseline: Baseline) -> Iterator[Need]:
    rule = arm.a32 if text.kind == "a" else aarch64.a64
    run = bytes(area.seen[:: 4 // area.unit]).translate(IS_RUN)
    bad = _beyond(set(compress(text.words, run)), rule, baseline.has)
    if not bad:
        return
    for index, word in enumerate(text.words):
        if word in bad and run[index]:
            for need in bad[word]:
                yield text.start + 4 * index, 4, text.kind, need


def _thumb(area: Area, text: ThumbText, baseline: Baseline) -> Iterator[Need]:
    run = bytes(area.seen).translate(IS_THUMB)
    narrow = {half for half in set(compress(text.halves, run)) if half < 0xE800}
    bad = _beyond(narrow, arm.t16, baseline.has)
    for index, half in enumerate(text.halves) if bad else ():
        if half in bad and run[index]:
            for need in bad[half]:
                yield text.start + 2 * index, 2, "t", need
    halves = text.halves
    places = array("I", (match.start() for match in WIDE.finditer(area.seen)))
    wide = array("I", (halves[at] << 16 | halves[at + 1] for at in places if at + 1 < len(halves)))
    worse = _beyond(set(wide), lambda word: arm.t32(word >> 16, word & 0xFFFF), baseline.has)
    for at, word in zip(places, wide, strict=False):
        if word in worse:
            for need in worse[word]:
                yield text.start + 2 * at, 4, "t", need


def _beyond(
    words: Iterable[int], rule: Callable[[int], Iterable[str]], has: frozenset[str]
) -> dict[int, tuple[str, ...]]:
    """The numbers that need more, with what they need."""
    found = dict[int, tuple[str, ...]]()
    for word in words:
        for need in rule(word):
            if need not in has:
                found[word] = (*found.get(word, ()), need)
    return found
