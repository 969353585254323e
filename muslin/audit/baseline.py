"""The processors that binaries are for: what each may claim and contain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from muslin.audit import aarch64, arm, x86

Code = Literal["arm", "aarch64", "x86_64", ""]


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
    """What instructions may need, in the words of `arm`, `aarch64` and `x86`."""
    attributes: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """Values of `.ARM.attributes`, by tag, that fit; the ABI for the Arm Architecture, IHI 0045."""
    hard_float: bool = False
    """Floating point is passed in its own registers (32-bit ARM)."""


def words() -> frozenset[str]:
    """All that an instruction may be said to need."""
    return frozenset(
        value
        for module in (aarch64, arm, x86)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str)
    )


# Values of Tag_CPU_arch: 4 v5TE, 5 v5TEJ, 6 v6, 7 v6KZ, 8 v6T2, 9 v6K, 10 v7.
# Tag_FP_arch: 1 VFPv1, 2 VFPv2, 3 VFPv3, 4 VFPv3-D16. Tag_THUMB_ISA_use: 1 Thumb, 2 Thumb-2,
# 3 as the architecture has it.
_ARM_V5 = frozenset(range(6))
_ARM_V6 = _ARM_V5 | {6, 7, 9}
BASELINES: Mapping[str, Baseline] = MappingProxyType(
    {
        "armv5te": Baseline(
            machine="EM_ARM",
            bits=32,
            code="arm",
            attributes={
                "Tag_CPU_arch": _ARM_V5,
                "Tag_FP_arch": frozenset({0}),
                "Tag_Advanced_SIMD_arch": frozenset({0}),
                "Tag_THUMB_ISA_use": frozenset({0, 1}),
            },
        ),
        "armv6-vfpv2": Baseline(
            machine="EM_ARM",
            bits=32,
            code="arm",
            has=frozenset({arm.V6, arm.VFP2}),
            attributes={
                "Tag_CPU_arch": _ARM_V6,
                "Tag_FP_arch": frozenset({0, 1, 2}),
                "Tag_Advanced_SIMD_arch": frozenset({0}),
                "Tag_THUMB_ISA_use": frozenset({0, 1}),
            },
            hard_float=True,
        ),
        "armv7-vfpv3-d16": Baseline(
            machine="EM_ARM",
            bits=32,
            code="arm",
            has=frozenset({arm.V6, arm.V6T2, arm.V7, arm.VFP2, arm.VFP3, arm.THUMB2}),
            attributes={
                "Tag_CPU_arch": _ARM_V6 | {8, 10},
                "Tag_FP_arch": frozenset({0, 1, 2, 4}),
                "Tag_Advanced_SIMD_arch": frozenset({0}),
                "Tag_THUMB_ISA_use": frozenset({0, 1, 2, 3}),
            },
            hard_float=True,
        ),
        "armv8.0": Baseline(machine="EM_AARCH64", bits=64, code="aarch64"),
        "x86-64": Baseline(machine="EM_X86_64", bits=64, code="x86_64"),
    }
)


def of(name: str, *, machine: str, bits: Literal[32, 64], little_endian: bool) -> Baseline:
    """The processor of that name; without one all that a machine's binaries have in common."""
    return BASELINES.get(name) or Baseline(machine=machine, bits=bits, little_endian=little_endian)
