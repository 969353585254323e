"""Instructions for people."""

from __future__ import annotations

import functools

import capstone

from muslin.audit import x86_decoder
from muslin.audit.baseline import Baseline


@functools.cache
def _decoder(code: str, kind: str) -> capstone.Cs:
    match code, kind:
        case "arm", "t":
            return capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_V8)
        case "arm", _:
            return capstone.Cs(capstone.CS_ARCH_ARM, capstone.CS_MODE_ARM | capstone.CS_MODE_V8)
        case "aarch64", _:
            return capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
        case "riscv", _:
            mode = capstone.CS_MODE_RISCV64 | capstone.CS_MODE_RISCVC
            return capstone.Cs(capstone.CS_ARCH_RISCV, mode)
        case "ppc", _:
            return capstone.Cs(capstone.CS_ARCH_PPC, capstone.CS_MODE_64)
        case _:
            return x86_decoder.made(32 if code == "x86_32" else 64)


def shown(content: bytes, kind: str, baseline: Baseline) -> str:
    """An instruction for people; its bytes where the disassembler does not know it."""
    for _, _, name, operands in _decoder(baseline.code, kind).disasm_lite(content, 0):
        return f"{name} {operands}".rstrip()
    return f".inst {content[::-1].hex()}"
