"""Branches by constants: what a few instructions put together, told from what they do not."""

from __future__ import annotations

import struct

import capstone
import pytest

from muslin.audit import constants
from muslin.audit.memory import Memory, Part

START = 0x10000
HERE = range(START, START + 0x1000)


class Known(Memory):
    """Memory that is code all through, with a few words in it."""

    def __init__(self, words: dict[str, int]) -> None:
        self.parts = [Part(START, bytes(len(HERE)), executable=True)]
        self._starts = [START]
        self._words = words

    def word(self, address: int, size: int) -> int | None:
        assert size in (4, 8)
        return self._words.get(f"at{address - START:x}")


def found(kind: str, code: bytes, **words: int) -> list[tuple[int, str]]:
    """Where branches lead; `words` are named after their offsets."""
    memory = Known(words)
    return [(to - START, state) for _, to, state in constants.branches(kind, START, code, memory)]


def words(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}I", *numbers)


def halves(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}H", *numbers)


LDR_R3 = 0xE59F3000  # ldr r3, [pc]: the word at 8
BX_R3, MOV_PC_R3 = 0xE12FFF13, 0xE1A0F003
ARM = {
    "ldr pc, [pc, #8]": ([0xE59FF008], {"at10": START + 0x40}, [(0x40, "a")]),
    "ldr pc, [pc, #8], to Thumb": ([0xE59FF008], {"at10": START + 0x41}, [(0x40, "t")]),
    "ldr pc, [pc, #-4]": ([0xE51FF004], {"at4": START + 0x40}, [(0x40, "a")]),
    "ldr pc, [r1]": ([0xE591F000], {"at8": START + 0x40}, []),
    "ldr r3; bx r3": ([LDR_R3, BX_R3], {"at8": START + 0x40}, [(0x40, "a")]),
    "ldr r3; blx r3": ([LDR_R3, 0xE12FFF33], {"at8": START + 0x41}, [(0x40, "t")]),
    "ldr r3; mov pc, r3": ([LDR_R3, MOV_PC_R3], {"at8": START + 0x40}, [(0x40, "a")]),
    "ldr r3; bx lr": ([LDR_R3, 0xE12FFF1E], {"at8": START + 0x40}, []),
    "adr r3; bx r3": ([0xE28F3038, BX_R3], {}, [(0x40, "a")]),
    "adr r3 back; bx r3": ([0, 0, 0xE24F3008, BX_R3], {}, [(8, "a")]),
    "ldr r3; add r3, #4; bx r3": (
        [LDR_R3, 0xE2833004, BX_R3],
        {"at8": START + 0x3C},
        [(0x40, "a")],
    ),
    "ldr r3; sub r3, #4; bx r3": (
        [LDR_R3, 0xE2433004, BX_R3],
        {"at8": START + 0x44},
        [(0x40, "a")],
    ),
    "ldr r3; orr r3, #1; bx r3": (
        [LDR_R3, 0xE3833001, BX_R3],
        {"at8": START + 0x40},
        [(0x40, "t")],
    ),
    "mov r3; movt r3; bx r3": ([0xE3A03040, 0xE3403001, BX_R3], {}, [(0x40, "a")]),
    "movw r3; movt r3; bx r3": ([0xE3003040, 0xE3403001, BX_R3], {}, [(0x40, "a")]),
    "movt r3; bx r3": ([0xE3403001, BX_R3], {}, []),
    "ldr r4; mov r3, r4; bx r3": (
        [0xE59F4004, 0xE1A03004, BX_R3],
        {"atc": START + 0x40},
        [(0x40, "a")],
    ),
    "ldr r3; ldr r3, [r1]; bx r3": ([LDR_R3, 0xE5913000, BX_R3], {"at8": START + 0x40}, []),
    "ldr r3; add r3, r3, r1; bx r3": ([LDR_R3, 0xE0833001, BX_R3], {"at8": START + 0x40}, []),
    "ldr r3; mul r3, r1, r2; bx r3": ([LDR_R3, 0xE0030291, BX_R3], {"at8": START + 0x40}, []),
    "ldr r3; ldm r1, {r3}; bx r3": ([LDR_R3, 0xE8910008, BX_R3], {"at8": START + 0x40}, []),
    "ldr r3; bl; bx r3": ([LDR_R3, 0xEB000000, BX_R3], {"at8": START + 0x40}, []),
    "ldr r3; 12 others; bx r3": ([LDR_R3, *[0xE1A00000] * 12, BX_R3], {"at8": START + 0x40}, []),
    "ldr r3; 11 others; bx r3": (
        [LDR_R3, *[0xE1A00000] * 11, BX_R3],
        {"at8": START + 0x40},
        [(0x40, "a")],
    ),
    "ldr r3; moveq r3, #0x40; bx r3": ([LDR_R3, 0x03A03040, BX_R3], {"at8": START + 0x40}, []),
    "ldr r3, half an instruction; bx r3": ([LDR_R3, BX_R3], {"at8": START + 0x42}, []),
    "add pc, pc, #0x38": ([0xE28FF038], {}, [(0x40, "a")]),
    "sub pc, pc, #8": ([0xE24FF008], {}, [(0, "a")]),
    "add pc, pc, r0": ([0xE08FF000], {}, []),
    "ldr r3, of no code; bx r3": ([LDR_R3, BX_R3], {"at8": 0x40}, []),
    "ldr r3, of nothing; bx r3": ([LDR_R3, BX_R3], {}, []),
}


@pytest.mark.parametrize("case", ARM)
def test_arm(case: str) -> None:
    code, known, leads = ARM[case]
    assert found("a", words(*code), **known) == leads


LDR_T, BX_T, BLX_T = 0x4B00, 0x4718, 0x4798  # ldr r3, [pc]; bx r3; blx r3
THUMB = {
    "ldr r3; bx r3": ([LDR_T, BX_T], {"at4": START + 0x41}, [(0x40, "t")]),
    "ldr r3; blx r3, to ARM": ([LDR_T, BLX_T], {"at4": START + 0x40}, [(0x40, "a")]),
    "ldr r3; mov pc, r3": ([LDR_T, 0x469F], {"at4": START + 0x40}, [(0x40, "t")]),
    "adr r3; adds r3, #1; bx r3": ([0xA30F, 0x3301, BX_T], {}, [(0x40, "t")]),
    "adr r3; subs r3, #3; bx r3": ([0xA310, 0x3B03, BX_T], {}, [(0x40, "t")]),
    "movs r3, #1; bx r3": ([0x2301, BX_T], {}, []),
    "ldr r3; it eq; ldreq r3; bx r3": (
        [0xBF08, LDR_T, BX_T],
        {"at4": START + 0x41, "at8": START + 0x41},
        [],
    ),
    "bx pc": ([0x4778, 0x46C0], {}, [(4, "a")]),
    "bx lr": ([LDR_T, 0x4770], {"at4": START + 0x41}, []),
    "ldr r3; mov r3, r4; bx r3": ([LDR_T, 0x4623, BX_T], {"at4": START + 0x41}, []),
    "ldr r3; ldr r3, [r1]; bx r3": ([LDR_T, 0x680B, BX_T], {"at4": START + 0x41}, []),
    "ldr r3; pop {r3}; bx r3": ([LDR_T, 0xBC08, BX_T], {"at4": START + 0x41}, []),
    "ldr r3; bl; bx r3": ([LDR_T, 0xF000, 0xF800, BX_T], {"at4": START + 0x41}, []),
    "ldr r3; push; bx r3": ([LDR_T, 0xB510, BX_T], {"at4": START + 0x41}, [(0x40, "t")]),
    "ldr.w pc, [pc, #4]": ([0xF8DF, 0xF004], {"at8": START + 0x41}, [(0x40, "t")]),
    "ldr.w pc, [pc, #-4]": ([0xF85F, 0xF004], {"at0": START + 0x41}, [(0x40, "t")]),
    "ldr.w r3, [pc, #4]": ([0xF8DF, 0x3004], {"at8": START + 0x41}, []),
}


@pytest.mark.parametrize("case", THUMB)
def test_thumb(case: str) -> None:
    code, known, leads = THUMB[case]
    assert found("t", halves(*code), **known) == leads


BR_X3 = 0xD61F0060
A64 = {
    "ldr x3; br x3": ([0x58000043, BR_X3], {"at8": START + 0x40}, [(0x40, "x")]),
    "ldr x3; blr x3": ([0x58000043, 0xD63F0060], {"at8": START + 0x40}, [(0x40, "x")]),
    "ldr x3; ret x3": ([0x58000043, 0xD65F0060], {"at8": START + 0x40}, [(0x40, "x")]),
    "ldr x3; ret": ([0x58000043, 0xD65F03C0], {"at8": START + 0x40}, []),
    "adr x3; br x3": ([0x10000203, BR_X3], {}, [(0x40, "x")]),
    "adr x3 back; br x3": ([0, 0x10FFFFE3, BR_X3], {}, [(0, "x")]),
    "adrp x3; add x3; br x3": ([0x90000003, 0x91010063, BR_X3], {}, [(0x40, "x")]),
    "adrp x3; sub x3; br x3": ([0xB0000003, 0xD13F0063, BR_X3], {}, [(0x40, "x")]),
    "movz x3, 1 << 16; movk x3; br x3": ([0xD2A00023, 0xF2800803, BR_X3], {}, [(0x40, "x")]),
    "movk x3; br x3": ([0xF2800803, BR_X3], {}, []),
    "ldr x4; mov x3, x4; br x3": (
        [0x58000064, 0xAA0403E3, BR_X3],
        {"atc": START + 0x40},
        [(0x40, "x")],
    ),
    "ldr x3; ldr x3, [x1]; br x3": ([0x58000043, 0xF9400023, BR_X3], {"at8": START + 0x40}, []),
    "ldr x3; ldp x4, x3, [x1]; br x3": ([0x58000043, 0xA9400C24, BR_X3], {"at8": START + 0x40}, []),
    "ldr x3; str x5, [x3, #8]!; br x3": (
        [0x58000043, 0xF8008C65, BR_X3],
        {"at8": START + 0x40},
        [],
    ),
    "ldr x3; add x3, x3, x1; br x3": ([0x58000043, 0x8B010063, BR_X3], {"at8": START + 0x40}, []),
    "ldr x3; bl; br x3": ([0x58000043, 0x94000001, BR_X3], {"at8": START + 0x40}, []),
}


@pytest.mark.parametrize("case", A64)
def test_aarch64(case: str) -> None:
    code, known, leads = A64[case]
    assert found("x", words(*code), **known) == leads


X86 = {
    "lea 0x39(%rip), %rax; jmp *%rax": ("488d0539000000ffe0", {}, 0x40),
    "lea -8(%rip), %rax; call *%rax": ("9090488d05f8ffffffffd0", {}, 1),
    "mov $, %eax; jmp *%rax": ("b840000100ffe0", {}, 0x40),
    "movabs $, %r9; jmp *%r9": ("49b9400001000000000041ffe1", {}, 0x40),
    "mov $, %r9d; jmp *%r9": ("41b94000010041ffe1", {}, 0x40),
    "mov; add $8, %rax; jmp": ("b8380001004883c008ffe0", {}, 0x40),
    "mov; sub $8, %rax; jmp": ("b8480001004883e808ffe0", {}, 0x40),
    "mov; add %rcx, %rax; jmp": ("b8400001004801c8ffe0", {}, None),
    "mov; pop %rax; jmp": ("b84000010058ffe0", {}, None),
    "mov; mov (%rdi), %rax; jmp": ("b840000100488b07ffe0", {}, None),
    "mov; call; jmp *%rax": ("b840000100e800000000ffe0", {}, None),
    "jmp *2(%rip)": ("ff2502000000", {"at8": START + 0x40}, 0x40),
    "call *-6(%rip)": ("ff15faffffff", {"at0": START + 0x40}, 0x40),
    "push $; ret": ("6840000100c3", {}, 0x40),
    "mov; push %rax; ret": ("b84000010050c3", {}, 0x40),
    "push $; nop; ret": ("684000010090c3", {}, None),
    "push %rbx; ret": ("53c3", {}, None),
    "ret": ("c3", {}, None),
}


@pytest.mark.parametrize("case", X86)
def test_x86_64(case: str) -> None:
    code, known, leads = X86[case]
    memory = Known(known)
    decoder = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    window = [*decoder.disasm_lite(bytes.fromhex(code), 0)]
    to = constants.x86_64(window, START, memory)
    assert to == (None if leads is None else START + leads)
