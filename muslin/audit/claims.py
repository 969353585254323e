"""What an ELF file says of itself: its header, what it wants at run time, its attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import ARMAttributesSection, NoteSection
from elftools.elf.segments import InterpSegment

from muslin.audit.baseline import Baseline
from muslin.audit.finding import Refused

EF_ARM_ABI_FLOAT_HARD = 0x400
"""In `e_flags` of programs; ELF for the Arm Architecture, IHI 0044."""
EF_ARM_EABIMASK, EABI5 = 0xFF000000, 0x05000000
MOST = 1000
"""Entries of a table of attributes; compilers write some thirty."""
VENDORS = SCOPES = 16
"""Tables, and parts of one; compilers write one of each."""
CPU_ARCH = "Tag_CPU_arch"
ARCHITECTURES = ("pre-v4", "v4", "v4T", "v5T", "v5TE", "v5TEJ", "v6", "v6KZ", "v6T2", "v6K", "v7")
"""By the values of Tag_CPU_arch."""
COMPILED = {"TAG_ABI_ENUM_SIZE", "TAG_ABI_FP_DENORMAL"}
"""Attributes that compilers write and assemblers do not."""
ISA_NEEDED = "GNU_PROPERTY_X86_ISA_1_NEEDED"


def faults(elf: ELFFile, baseline: Baseline, *, linked: bool) -> Iterator[str]:
    """Every claim that does not fit, in words. `linked` is for programs; objects want no more of
    anybody than their architecture."""
    if elf.header.e_machine != baseline.machine:
        yield f"is for {elf.header.e_machine}, not for {baseline.machine}"
        return
    if baseline.bits and elf.elfclass != baseline.bits:
        yield f"has addresses of {elf.elfclass} bits"
    if elf.little_endian != baseline.little_endian:
        yield "is little-endian" if elf.little_endian else "is big-endian"
    if baseline.code == "arm" and elf.header.e_flags & EF_ARM_EABIMASK != EABI5:
        yield "is not of version 5 of the EABI"
    if linked:
        yield from _wants(elf)
    if baseline.attributes:
        yield from _attributes(elf, baseline)
        if linked and baseline.hard_float and not elf.header.e_flags & EF_ARM_ABI_FLOAT_HARD:
            yield "its header does not say hard float"
    if baseline.is_x86:
        yield from _properties(elf, baseline)


def _wants(elf: ELFFile) -> Iterator[str]:
    """An interpreter or a shared library: a static program has neither."""
    for segment in elf.iter_segments():
        match segment:
            case InterpSegment():
                yield f"wants the interpreter {segment.get_interp_name()}"
            case DynamicSegment():
                needed = [str(vars(tag)["needed"]) for tag in segment.iter_tags("DT_NEEDED")]
                yield from (f"needs {name}" for name in needed)
            case _:
                pass


def _attributes(elf: ELFFile, baseline: Baseline) -> Iterator[str]:
    said = dict(_said(elf))
    for tag, fit in baseline.attributes.items():
        if (value := said.get(tag.upper(), 0)) not in fit:
            known = tag == CPU_ARCH and value < len(ARCHITECTURES)
            yield f"{tag} is {ARCHITECTURES[value] if known else value}"
    passed = said.get("TAG_ABI_VFP_ARGS", 0)
    if baseline.hard_float and COMPILED & said.keys() and passed not in (1, 3):
        yield "floating point is passed in core registers (Tag_ABI_VFP_args is 0): soft float"
    if baseline.hard_float is False and passed == 1:
        yield "floating point is passed in its own registers (Tag_ABI_VFP_args is 1): hard float"


def _said(elf: ELFFile) -> Iterator[tuple[str, int]]:
    """The file's attributes with numbers, by tag."""
    section = elf.get_section_by_name(".ARM.attributes")
    if not isinstance(section, ARMAttributesSection):
        return
    # All of them, for what pyelftools leaves out when it is asked for some may have no end either.
    for part in _few(section.iter_subsections(), VENDORS):
        for scope in _few(part.iter_subsubsections(), SCOPES):
            if part["vendor_name"] != "aeabi" or scope.header.tag != "TAG_FILE":
                continue
            for attribute in _few(scope.iter_attributes(), MOST):
                if isinstance(attribute.value, int):
                    yield attribute.tag, attribute.value


def _few(parts: Iterable[Any], most: int) -> Iterator[Any]:
    """Parts of a table; a length of zero in it would give them without an end."""
    for number, part in enumerate(parts):
        if number == most:
            raise Refused("a table in it has no end")
        yield part


def _properties(elf: ELFFile, baseline: Baseline) -> Iterator[str]:
    section = elf.get_section_by_name(".note.gnu.property")
    if not isinstance(section, NoteSection):
        return
    for note in section.iter_notes():
        for one in note["n_desc"] if isinstance(note["n_desc"], list) else ():
            if one.pr_type == ISA_NEEDED and one.pr_data & ~baseline.isa_levels:
                yield f"says that it needs x86-64 levels {one.pr_data:#x}"
