"""The processors that binaries are for: what each may claim and contain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from muslin.audit import aarch64, arm, ppc, riscv, x86

Code = Literal["arm", "aarch64", "x86_64", "x86_32", "riscv", "ppc", ""]
USUAL = {"arm": "a", "riscv": "v", "ppc": "p"}
"""What code is without a mapping symbol, in the words of `stretches.Run`; `x` others."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """One kind of processor, with no more than the least of its kind has."""

    machine: str
    """In the ELF header, by pyelftools' name."""
    bits: Literal[0, 32, 64] = 0
    """Width of addresses; 0 where that is not looked at."""
    little_endian: bool = True
    code: Code = ""
    """Whose instructions; nothing where no rules are written yet."""
    has: frozenset[str] = frozenset()
    """What instructions may need, in the words of `arm`, `aarch64` and so on."""
    attributes: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Values of `.ARM.attributes`, by tag, that fit; the ABI for the Arm Architecture, IHI 0045."""
    hard_float: bool | None = False
    """Floating point is passed in its own registers (32-bit ARM); None where either may be, for
    programs that are linked to nothing."""
    isa_levels: int = 1
    """Levels that x86's property notes may say a file needs: GNU_PROPERTY_X86_ISA_1_BASELINE, V2
    and so on, a bit each."""

    @property
    def usual(self) -> str:
        """What its code is where nothing says more, in the words of `stretches.Run`."""
        return USUAL.get(self.code, "x")

    @property
    def is_x86(self) -> bool:
        """Whether its code has no fixed width and no mapping symbols."""
        return self.code in ("x86_64", "x86_32")

    @property
    def has_marks(self) -> bool:
        """Whether a stripped program has lost what tells its code from data."""
        return self.code in ("arm", "aarch64")


def words() -> frozenset[str]:
    """All that an instruction may be said to need."""
    return frozenset(
        value
        for module in (aarch64, arm, ppc, riscv, x86)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    )


# Values of Tag_CPU_arch: 4 v5TE, 5 v5TEJ, 6 v6, 7 v6KZ, 8 v6T2, 9 v6K, 10 v7, 14 v8-A.
# Tag_FP_arch: 1 VFPv1, 2 VFPv2, 3 VFPv3, 4 VFPv3-D16, 5 VFPv4, 6 VFPv4-D16, 7 ARMv8, 8 ARMv8-D16.
# Tag_Advanced_SIMD_arch: 1 NEON, 2 with fused multiplication, 3 ARMv8, 4 ARMv8.1.
# Tag_THUMB_ISA_use: 1 Thumb, 2 Thumb-2, 3 as the architecture has it.
_ATTRIBUTES: tuple[tuple[str, frozenset[int], frozenset[str]], ...] = (
    ("Tag_CPU_arch", frozenset(range(6)), frozenset()),
    ("Tag_CPU_arch", frozenset({6, 7, 9}), frozenset({arm.V6})),
    ("Tag_CPU_arch", frozenset({8}), frozenset({arm.V6T2})),
    ("Tag_CPU_arch", frozenset({10}), frozenset({arm.V7})),
    ("Tag_CPU_arch", frozenset({14}), frozenset({arm.V8})),
    ("Tag_FP_arch", frozenset({0}), frozenset()),
    ("Tag_FP_arch", frozenset({1, 2}), frozenset({arm.VFP2})),
    ("Tag_FP_arch", frozenset({4}), frozenset({arm.VFP3})),
    ("Tag_FP_arch", frozenset({3}), frozenset({arm.VFP3, arm.D32})),
    ("Tag_FP_arch", frozenset({6}), frozenset({arm.VFP4})),
    ("Tag_FP_arch", frozenset({5}), frozenset({arm.VFP4, arm.D32})),
    ("Tag_FP_arch", frozenset({7, 8}), frozenset({arm.V8})),
    ("Tag_Advanced_SIMD_arch", frozenset({0}), frozenset()),
    ("Tag_Advanced_SIMD_arch", frozenset({1}), frozenset({arm.NEON})),
    ("Tag_Advanced_SIMD_arch", frozenset({2}), frozenset({arm.NEON, arm.VFP4})),
    ("Tag_Advanced_SIMD_arch", frozenset({3, 4}), frozenset({arm.NEON, arm.V8})),
    ("Tag_THUMB_ISA_use", frozenset({0, 1}), frozenset()),
    ("Tag_THUMB_ISA_use", frozenset({2, 3}), frozenset({arm.THUMB2})),
)
"""Tags, values of them, and what a processor must have for these."""


def attributes_of(has: frozenset[str]) -> Mapping[str, frozenset[int]]:
    """The values of `.ARM.attributes`, by tag, that fit a processor of 32-bit ARM."""
    fitting: dict[str, frozenset[int]] = {}
    for tag, values, required in _ATTRIBUTES:
        if required <= has:
            fitting[tag] = fitting.get(tag, frozenset()) | values
    return fitting


def implied_by(tag: str, value: int) -> frozenset[str]:
    """What a processor must have for one value of `.ARM.attributes`."""
    rows = (required for name, values, required in _ATTRIBUTES if name == tag and value in values)
    return next(rows, frozenset())


def for_arm(*has: str, hard_float: bool | None = True) -> Baseline:
    """A processor of 32-bit ARM with this beyond ARMv5TE."""
    return Baseline(
        machine="EM_ARM",
        bits=32,
        code="arm",
        has=frozenset(has),
        attributes=attributes_of(frozenset(has)),
        hard_float=hard_float,
    )


def for_x86(*has: str, isa_levels: int = 1) -> Baseline:
    """A processor of x86-64 with this beyond SSE2."""
    return Baseline(
        machine="EM_X86_64", bits=64, code="x86_64", has=frozenset(has), isa_levels=isa_levels
    )


def for_aarch64(*has: str) -> Baseline:
    """A processor of 64-bit ARM with this beyond ARMv8.0."""
    return Baseline(machine="EM_AARCH64", bits=64, code="aarch64", has=frozenset(has))


def for_ppc(*has: str) -> Baseline:
    """A processor of 64-bit PowerPC with this beyond POWER8."""
    return Baseline(machine="EM_PPC64", bits=64, code="ppc", has=frozenset(has))


_V7 = (arm.V6, arm.V6T2, arm.V7, arm.VFP2, arm.VFP3, arm.THUMB2)
# Without integer division: of the processors with NEON and VFPv4 the Cortex-A5 has none.
_VFP4 = (*_V7, arm.D32, arm.HALF, arm.VFP4, arm.NEON)
# The Arm Architecture Reference Manual (DDI 0487), section A2.2: what a version makes mandatory.
_V8_1 = (aarch64.LSE, aarch64.RDM, aarch64.LOR, aarch64.CRC)
_V8_2 = (*_V8_1, aarch64.PERSISTENT)
# The x86-64 psABI, table 3.1.
_V2 = (x86.CX16, x86.LAHF, x86.POPCNT, x86.SSE3, x86.SSSE3, x86.SSE41, x86.SSE42)
_V3 = (*_V2, x86.AVX, x86.BMI, x86.MOVBE, x86.XSAVE)
_V4 = (*_V3, x86.AVX512)
BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "armv5te": for_arm(hard_float=False),
        "armv6-vfpv2": for_arm(arm.V6, arm.VFP2),
        "armv7-vfpv3-d16": for_arm(*_V7),
        "neon-vfpv4": for_arm(*_VFP4),
        "armv8.0": for_aarch64(),
        "armv8.1-a": for_aarch64(*_V8_1),
        "armv8.2-a": for_aarch64(*_V8_2),
        "x86-64": for_x86(),
        "x86-64-v2": for_x86(*_V2, isa_levels=0x3),
        "x86-64-v3": for_x86(*_V3, isa_levels=0x7),
        "x86-64-v4": for_x86(*_V4, isa_levels=0xF),
        "i686-sse2": Baseline(machine="EM_386", bits=32, code="x86_32"),
        "rv64gc": Baseline(machine="EM_RISCV", bits=64, code="riscv"),
        "power8": for_ppc(),
        "power9": for_ppc(ppc.POWER9),
    }
)


def of(name: str, *, machine: str, bits: Literal[32, 64], little_endian: bool) -> Baseline:
    """The processor of that name; without one all that a machine's binaries have in common."""
    return BASELINES.get(name) or Baseline(machine=machine, bits=bits, little_endian=little_endian)
