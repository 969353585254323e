"""The disassembler of x86 code."""

from __future__ import annotations

import capstone


def made(bits: int, *, skips: bool = False) -> capstone.Cs:
    """One for 32-bit or 64-bit code; one that skips takes what it does not know for bytes."""
    mode = capstone.CS_MODE_32 if bits == 32 else capstone.CS_MODE_64
    decoder = capstone.Cs(capstone.CS_ARCH_X86, mode)
    decoder.skipdata = skips
    return decoder
