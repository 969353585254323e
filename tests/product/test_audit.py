"""The audit against the real assembler: one instruction of every class, refused in its own words,
and those that the baseline has, let through. Wants `nox -s build-all` first."""

from __future__ import annotations

import contextlib
import io
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipes.audit import aarch64, allowed, arm, audit, objects, verdict, x86
from recipes.audit.baseline import BASELINES
from recipes.audit.finding import Refused
from tests.product.conftest import Product, output

Cases = tuple[tuple[str, set[str]], ...]
"""An instruction, and what it needs beyond the least of its kind."""
ARM: Cases = (
    # what a processor got after ARMv5TE, or a floating point unit after none
    ("rev r0, r1", {arm.V6}),
    ("sxtb r0, r1", {arm.V6}),
    ("ssat r0, #5, r1", {arm.V6}),
    ("uadd8 r0, r1, r2", {arm.V6}),
    ("umaal r0, r1, r2, r3", {arm.V6}),
    ("ldrex r0, [r1]", {arm.V6}),
    ("strexd r0, r2, r3, [r1]", {arm.V6}),
    ("clrex", {arm.V6}),
    ("movw r0, #1", {arm.V6T2}),
    ("movt r0, #1", {arm.V6T2}),
    ("bfi r0, r1, #2, #3", {arm.V6T2}),
    ("bfc r0, #2, #3", {arm.V6T2}),
    ("ubfx r0, r1, #2, #3", {arm.V6T2}),
    ("sbfx r0, r1, #2, #3", {arm.V6T2}),
    ("rbit r0, r1", {arm.V6T2}),
    ("mls r0, r1, r2, r3", {arm.V6T2}),
    ("ldrht r0, [r1], #2", {arm.V6T2}),
    ("dmb ish", {arm.V7}),
    ("dsb sy", {arm.V7}),
    ("isb", {arm.V7}),
    ("pli [r0]", {arm.V7}),
    ("pldw [r0]", {arm.V7}),
    ("sdiv r0, r1, r2", {arm.DIV}),
    ("udiv r0, r1, r2", {arm.DIV}),
    ("lda r0, [r1]", {arm.V8}),
    ("stlex r0, r1, [r2]", {arm.V8}),
    ("crc32b r0, r1, r2", {arm.V8}),
    ("vadd.f32 s0, s1, s2", {arm.VFP2}),
    ("vadd.f64 d0, d1, d2", {arm.VFP2}),
    ("vadd.f64 d16, d1, d2", {arm.VFP2, arm.D32}),
    ("vadd.f64 d0, d1, d31", {arm.VFP2, arm.D32}),
    ("vadd.f32 s31, s1, s3", {arm.VFP2}),
    ("vmov.f32 s0, #1.0", {arm.VFP3}),
    ("vmov.f64 d0, #1.0", {arm.VFP3}),
    ("vmov.f64 d17, #1.0", {arm.VFP3, arm.D32}),
    ("vmov.f64 d0, d1", {arm.VFP2}),
    ("vsqrt.f64 d0, d1", {arm.VFP2}),
    ("vcmp.f64 d0, #0.0", {arm.VFP2}),
    ("vcmp.f64 d0, d20", {arm.VFP2, arm.D32}),
    ("vcvt.f64.f32 d0, s1", {arm.VFP2}),
    ("vcvt.f64.f32 d16, s1", {arm.VFP2, arm.D32}),
    ("vcvt.f32.f64 s1, d0", {arm.VFP2}),
    ("vcvt.f32.f64 s1, d18", {arm.VFP2, arm.D32}),
    ("vcvt.s32.f64 s1, d0", {arm.VFP2}),
    ("vcvt.f64.s32 d0, s31", {arm.VFP2}),
    ("vcvt.f64.s32 d30, s31", {arm.VFP2, arm.D32}),
    ("vcvt.f32.s32 s0, s0, #4", {arm.VFP3}),
    ("vcvtb.f32.f16 s0, s1", {arm.HALF}),
    ("vfma.f64 d0, d1, d2", {arm.VFP4}),
    ("vfnms.f32 s0, s1, s2", {arm.VFP4}),
    ("vmov r0, s1", {arm.VFP2}),
    ("vmov r0, r1, d2", {arm.VFP2}),
    ("vmov r0, r1, d22", {arm.VFP2, arm.D32}),
    ("vmov.32 d0[1], r0", {arm.VFP2}),
    ("vmov.32 r0, d17[1]", {arm.VFP2, arm.D32}),
    ("vmov.u8 r0, d0[1]", {arm.NEON}),
    ("vmov.16 d0[1], r0", {arm.NEON}),
    ("vdup.32 d0, r0", {arm.NEON}),
    ("vmrs r0, fpscr", {arm.VFP2}),
    ("vldr d0, [r0]", {arm.VFP2}),
    ("vldr d16, [r0, #200]", {arm.VFP2, arm.D32}),
    ("vldr d15, [r0, #200]", {arm.VFP2}),
    ("vldmia r0!, {d0-d15}", {arm.VFP2}),
    ("vldmia r0!, {d8-d17}", {arm.VFP2, arm.D32}),
    ("vpush {s0-s31}", {arm.VFP2}),
    ("vadd.i32 q0, q1, q2", {arm.NEON}),
    ("vld1.8 {d0}, [r0]", {arm.NEON}),
    ("aese.8 q0, q1", {arm.NEON}),
    ("vselge.f32 s0, s1, s2", {arm.V8}),
    ("vrinta.f64 d0, d1", {arm.V8}),
    ("vrintz.f64 d0, d1", {arm.V8}),
    (".inst 0xee300981", {arm.F16}),  # vadd.f16 s0, s1, s2
    # by number, where the assembler wants another architecture for them
    (".inst 0xfcb20844", {arm.NEON}),  # vcmla
    (".inst 0xfe920842", {arm.NEON}),  # vcmla by element
    (".inst 0xfc220d44", {arm.NEON}),  # vsdot
    (".inst 0xfc220c44", {arm.NEON}),  # vsmmla
    (".inst 0xfc210852", {arm.NEON}),  # vfmsl
    (".inst 0xfc020d44", {arm.NEON}),  # vdot.bf16
    (".inst 0xf57ff070", {arm.V8}),  # sb
    (".inst 0xe1000071", {arm.V8}),  # hlt
    (".inst 0xf1100200", {arm.V8}),  # setpan
    (".inst 0xe1400070", {arm.VIRTUAL}),  # hvc
    (".inst 0xe160006e", {arm.VIRTUAL}),  # eret
    (".inst 0xe1000200", {arm.VIRTUAL}),  # mrs of another mode's register
    (".inst 0xec510f1e", {arm.SYSTEM}),  # mrrc p15, 1, r0, r1, c14: the counter
    ("mrc p15, 0, r0, c9, c13, 0", {arm.SYSTEM}),
    (".inst 0xecf00102", {arm.COPROCESSOR}),
    (".inst 0xfe100f10", {arm.SYSTEM}),  # mrc2 p15
    (".inst 0xfcb08101", {arm.COPROCESSOR}),  # ldc2 p1
    ("mrc p15, 0, r0, c13, c0, 3", {arm.V6}),
    ("mcr p15, 0, r0, c7, c10, 5", {arm.V6}),
    # what needs nothing
    ("udf #0", set()),
    (".inst 0xe7ffdefe", set()),  # LLVM's trap
    ("ldrd r0, r1, [r2]", set()),
    ("clz r0, r1", set()),
    ("smlabb r0, r1, r2, r3", set()),
    ("qadd r0, r1, r2", set()),
    ("pld [r0]", set()),
    (".inst 0xe1020091", set()),  # swp: ARMv8 has it no more, and the assembler refuses it
    ("strh r0, [r1, #2]!", set()),
    ("ldrsb r0, [r1, r2]", set()),
    ("umull r0, r1, r2, r3", set()),
    ("svc #0", set()),
    ("blx r0", set()),
)
THUMB: Cases = (
    ("adds r0, r1, r2", set()),
    ("bl there", set()),
    ("rev r0, r1", {arm.V6}),
    ("uxtb r0, r1", {arm.V6}),
    ("setend be", {arm.V6}),
    ("push {r4, lr}", set()),
    ("bkpt #1", set()),
    (".inst.w 0xfc220d44", {arm.THUMB2, arm.NEON}),  # vsdot
    (".inst.w 0xf3bf8f70", {arm.THUMB2, arm.V8}),  # sb
    (".inst.w 0xf7e08000", {arm.THUMB2, arm.VIRTUAL}),  # hvc
    (".inst.w 0xf000d000", {arm.THUMB2}),  # a bl that Thumb takes for a branch and another half
    (".inst.n 0xba81", {arm.V8}),  # hlt
    (".inst.n 0xb618", {arm.V8}),  # setpan
    (".inst.w 0xee300981", {arm.THUMB2, arm.F16}),  # vadd.f16 s0, s1, s2
    ("it eq\nmoveq r0, r1", {arm.THUMB2}),
    ("cbz r0, there", {arm.THUMB2}),
    ("add.w r0, r1, r2", {arm.THUMB2}),
    ("movw r0, #1", {arm.THUMB2}),
    ("dmb ish", {arm.THUMB2}),
    ("sdiv r0, r1, r2", {arm.THUMB2, arm.DIV}),
    ("ldaex r0, [r1]", {arm.THUMB2, arm.V8}),
    ("ldrexd r0, r1, [r2]", {arm.THUMB2}),
    ("crc32w r0, r1, r2", {arm.THUMB2, arm.V8}),
    ("vadd.f64 d0, d1, d2", {arm.THUMB2, arm.VFP2}),
    ("vmov.f64 d20, #1.0", {arm.THUMB2, arm.VFP3, arm.D32}),
    ("vadd.i32 q0, q1, q2", {arm.THUMB2, arm.NEON}),
    ("vst1.8 {d0}, [r0]", {arm.THUMB2, arm.NEON}),
    ("vrinta.f64 d0, d1", {arm.THUMB2, arm.V8}),
    ("vdup.8 d0, r0", {arm.THUMB2, arm.NEON}),
)
HEAD = ".syntax unified\n.arch armv8-a\n.arch_extension crc\n.fpu crypto-neon-fp-armv8\n"


def assembled(product: Product, folder: Path, text: str) -> Path:
    source, made = folder / "x.s", folder / "x.o"
    source.write_text(text)
    output([product.toolchain / "bin" / f"{product.target.triple}-as", source, "-o", made])
    return made


def needs(path: Path, *, without: frozenset[str] = frozenset()) -> dict[str, set[str]]:
    """Symbol -> what its code needs beyond ARMv5TE without floating point."""
    nothing = BASELINES["armv5te"]
    found: dict[str, set[str]] = {}
    for finding in audit.of(path, path.name, nothing).findings:
        if finding.symbol and finding.what not in without:
            found.setdefault(finding.symbol, set()).add(finding.what)
    return found


@pytest.mark.only("armv6")
@pytest.mark.parametrize(("mode", "cases"), [("arm", ARM), ("thumb", THUMB)])
def test_every_class_of_instruction(
    product: Product, tmp_path: Path, mode: str, cases: Cases
) -> None:
    text = (
        HEAD
        + f".{mode}\n"
        + "".join(f"f{number}:\n{instruction}\n" for number, (instruction, _) in enumerate(cases))
    )
    # Literal pools are data: these would be NEON, vldr d16 and an undefined Thumb instruction.
    text += "there:\n bx lr\ndata:\n.word 0xf2000000, 0xed900b00, 0xffffffff\n"
    found = needs(assembled(product, tmp_path, text))
    differing = {
        instruction: (wanted, found.get(f"f{number}", set()))
        for number, (instruction, wanted) in enumerate(cases)
        if wanted != found.get(f"f{number}", set())
    }
    assert differing == {}
    assert "data" not in found


A64: Cases = (
    ("cas w0, w1, [x2]", {aarch64.LSE}),
    ("casp w0, w1, w2, w3, [x4]", {aarch64.LSE}),
    ("ldadd w0, w1, [x2]", {aarch64.LSE}),
    ("swpal x0, x1, [x2]", {aarch64.LSE}),
    ("stadd w0, [x2]", {aarch64.LSE}),
    ("ldapr w0, [x1]", {aarch64.RCPC}),
    ("ldapur w0, [x1, #4]", {aarch64.RCPC}),
    ("ldlar w0, [x1]", {aarch64.LOR}),
    ("add z0.s, z1.s, z2.s", {aarch64.SVE}),
    ("ptrue p0.b", {aarch64.SVE}),
    ("aese v0.16b, v1.16b", {aarch64.AES}),
    ("aesimc v0.16b, v1.16b", {aarch64.AES}),
    ("sha1c q0, s1, v2.4s", {aarch64.SHA}),
    ("sha256h q0, q1, v2.4s", {aarch64.SHA}),
    ("sha256su0 v0.4s, v1.4s", {aarch64.SHA}),
    ("pmull v0.1q, v1.1d, v2.1d", {aarch64.PMULL}),
    ("sha512h q0, q1, v2.2d", {aarch64.SHA3}),
    ("eor3 v0.16b, v1.16b, v2.16b, v3.16b", {aarch64.SHA3}),
    ("crc32b w0, w1, w2", {aarch64.CRC}),
    ("crc32cx w0, w1, x2", {aarch64.CRC}),
    ("sqrdmlah v0.4s, v1.4s, v2.4s", {aarch64.RDM}),
    ("udot v0.4s, v1.16b, v2.16b", {aarch64.DOT}),
    ("sdot v0.4s, v1.16b, v2.4b[1]", {aarch64.DOT}),
    ("fadd h0, h1, h2", {aarch64.FP16}),
    ("fadd v0.8h, v1.8h, v2.8h", {aarch64.FP16}),
    ("fcmla v0.4s, v1.4s, v2.4s, #90", {aarch64.COMPLEX}),
    ("fjcvtzs w0, d0", {aarch64.COMPLEX}),
    ("braaz x0", {aarch64.PAUTH}),
    ("retaa", {aarch64.PAUTH}),
    ("ldraa x0, [x1]", {aarch64.PAUTH}),
    ("pacga x0, x1, x2", {aarch64.PAUTH}),
    ("fmadd h0, h1, h2, h3", {aarch64.FP16}),
    ("fneg v0.8h, v1.8h", {aarch64.FP16}),
    ("fsqrt v0.4h, v1.4h", {aarch64.FP16}),
    ("fmul v0.8h, v1.8h, v2.h[1]", {aarch64.FP16}),
    ("fmla h0, h1, v2.h[3]", {aarch64.FP16}),
    ("fmov v0.8h, #1.0", {aarch64.FP16}),
    ("scvtf h0, h1", {aarch64.FP16}),
    ("fmaxnmv h0, v1.8h", {aarch64.FP16}),
    ("sqrdmlah v0.4s, v1.4s, v2.s[1]", {aarch64.RDM}),
    ("sqrdmlsh h0, h1, v2.h[1]", {aarch64.RDM}),
    ("fcmla v0.4s, v1.4s, v2.s[1], #90", {aarch64.COMPLEX}),
    ("bfdot v0.4s, v1.8h, v2.8h", {aarch64.BF16}),
    ("bfcvt h0, s1", {aarch64.BF16}),
    ("bfmlalb v0.4s, v1.8h, v2.h[1]", {aarch64.BF16}),
    ("usdot v0.4s, v1.16b, v2.16b", {aarch64.I8MM}),
    ("smmla v0.4s, v1.16b, v2.16b", {aarch64.I8MM}),
    ("sudot v0.4s, v1.16b, v2.4b[1]", {aarch64.I8MM}),
    ("fmlal v0.4s, v1.4h, v2.4h", {aarch64.FHM}),
    ("fmlsl2 v0.4s, v1.4h, v2.h[1]", {aarch64.FHM}),
    ("cpyfp [x0]!, [x1]!, x2!", {aarch64.MOPS}),
    ("setp [x0]!, x1!, x2", {aarch64.MOPS}),
    ("stg x0, [x1]", {aarch64.MTE}),
    ("addg x0, x1, #16, #1", {aarch64.MTE}),
    ("irg x0, x1", {aarch64.MTE}),
    ("smax x0, x1, x2", {aarch64.MTE}),
    ("ctz x0, x1", {aarch64.MTE}),
    ("cfinv", {aarch64.FLAGM}),
    ("rmif x0, #1, #2", {aarch64.FLAGM}),
    ("frint32z s0, s1", {aarch64.FRINTTS}),
    ("frint64x v0.2d, v1.2d", {aarch64.FRINTTS}),
    ("pacia x0, x1", {aarch64.PAUTH}),
    # by number, where the assembler wants another architecture for them
    (".inst 0x69000400", {aarch64.MTE}),  # stgp
    (".inst 0x1ec2fc00", {aarch64.FP16}),  # to and from fixed point: scalars, vectors
    (".inst 0x1ed9c550", {aarch64.FP16}),
    (".inst 0x0f1ffc20", {aarch64.FP16}),
    (".inst 0x7f14e609", {aarch64.FP16}),
    (".inst 0x5e30c820", {aarch64.FP16}),  # fmaxnmp of a pair
    (".inst 0x5eb0cbfe", {aarch64.FP16}),
    (".inst 0x54000030", {aarch64.NEWER}),  # bc.eq
    (".inst 0x19201000", {aarch64.NEWER}),  # ldclrp
    (".inst 0x19200820", {aarch64.NEWER}),  # rcwcas
    (".inst 0xbc200000", {aarch64.NEWER}),  # ldfadd
    (".inst 0xd91f0c20", {aarch64.NEWER}),  # gcsstr
    (".inst 0x0ea0dc00", {aarch64.NEWER}),  # famax
    (".inst 0x9a022020", {aarch64.NEWER}),  # addpt
    (".inst 0x9b600000", {aarch64.NEWER}),  # maddpt
    (".inst 0x74000000", {aarch64.NEWER}),  # cbgt
    (".inst 0x4e801000", {aarch64.NEWER}),  # luti
    (".inst 0xd53b2400", {aarch64.SYSTEM}),  # mrs rndr
    (".inst 0xd503415f", {aarch64.SYSTEM}),  # msr dit
    (".inst 0xd50330ff", {aarch64.SYSTEM}),  # sb
    (".inst 0xd503437f", {aarch64.SYSTEM}),  # smstart
    (".inst 0xd503323f", {aarch64.SYSTEM}),  # dsb nXS
    (".inst 0xd50b7c20", {aarch64.SYSTEM}),  # dc cvap
    (".inst 0xd5233060", {aarch64.SYSTEM}),  # tstart
    # what every processor has, or takes for a hint
    ("paciasp", set()),
    ("bti c", set()),
    ("ldxr w0, [x1]", set()),
    ("ldaxp x0, x1, [x2]", set()),
    ("stlr w0, [x1]", set()),
    ("ldar x0, [x1]", set()),
    ("dmb ish", set()),
    ("fcvt s0, h1", set()),
    ("fcvt h0, d1", set()),
    ("fadd d0, d1, d2", set()),
    ("fmadd s0, s1, s2, s3", set()),
    ("pmull v0.8h, v1.8b, v2.8b", set()),
    ("mul v0.4s, v1.4s, v2.4s", set()),
    ("sqrdmulh v0.4s, v1.4s, v2.4s", set()),
    ("umull v0.2d, v1.2s, v2.2s", set()),
    ("ldr x0, [x1, x2, lsl #3]", set()),
    ("ldrsw x0, [x1], #4", set()),
    ("prfm pldl1keep, [x0]", set()),
    ("add x0, x1, #1, lsl #12", set()),
    ("fmov v0.4s, #1.0", set()),
    ("fmla v0.4s, v1.4s, v2.s[1]", set()),
    ("fmulx d0, d1, v2.d[1]", set()),
    ("mla v0.4s, v1.4s, v2.s[1]", set()),
    ("sqdmull v0.4s, v1.4h, v2.h[1]", set()),
    ("smlal2 v0.2d, v1.4s, v2.s[0]", set()),
    ("frintx d0, d1", set()),
    ("fcvtl v0.4s, v1.4h", set()),
    ("fcvtn v0.4h, v1.4s", set()),
    ("clz x0, x1", set()),
    ("rev16 w0, w1", set()),
    ("lslv x0, x1, x2", set()),
    ("udiv x0, x1, x2", set()),
    ("adcs x0, x1, x2", set()),
    ("ccmp x0, x1, #0, eq", set()),
    ("msr fpcr, x0", set()),
    ("hint #20", set()),
    ("ubfx x0, x1, #3, #4", set()),
    ("csel x0, x1, x2, eq", set()),
    ("mrs x0, tpidr_el0", set()),
    ("mrs x0, cntvct_el0", set()),
    ("mrs x0, midr_el1", set()),  # the kernel answers
    ("dc zva, x0", set()),
    ("dsb sy", set()),
    ("isb", set()),
    ("clrex", set()),
    ("ldp x0, x1, [x2]", set()),
    ("ldpsw x0, x1, [x2]", set()),
    ("scvtf d0, x1, #3", set()),
    ("fcvtzs v0.4s, v1.4s, #3", set()),
    ("faddp s0, v1.2s", set()),
    ("tbl v0.16b, {v1.16b, v2.16b}, v3.16b", set()),
)
X86: Cases = (
    ("haddps %xmm0, %xmm1", {x86.SSE3}),
    ("lddqu (%rax), %xmm0", {x86.SSE3}),
    ("fisttpll (%rax)", {x86.SSE3}),
    ("pshufb %xmm0, %xmm1", {x86.SSSE3}),
    ("pmulld %xmm0, %xmm1", {x86.SSE41}),
    ("ptest %xmm0, %xmm1", {x86.SSE41}),
    ("pextrq $1, %xmm0, %rax", {x86.SSE41}),
    ("roundsd $1, %xmm0, %xmm1", {x86.SSE41}),
    ("crc32b %al, %ecx", {x86.SSE42}),
    ("pcmpgtq %xmm0, %xmm1", {x86.SSE42}),
    ("popcnt %rax, %rcx", {x86.POPCNT}),
    ("aesenc %xmm0, %xmm1", {x86.AES}),
    ("pclmulqdq $0, %xmm0, %xmm1", {x86.PCLMUL}),
    ("sha256rnds2 %xmm0, %xmm1, %xmm2", {x86.SHA}),
    ("vaddps %ymm0, %ymm1, %ymm2", {x86.AVX}),
    ("vpxorq %zmm0, %zmm1, %zmm2", {x86.AVX}),
    ("vzeroupper", {x86.AVX}),
    ("kmovw %eax, %k1", {x86.AVX}),
    ("andn %rax, %rcx, %rdx", {x86.BMI}),
    ("mulx %rax, %rcx, %rdx", {x86.BMI}),
    ("adcx %rax, %rcx", {x86.BMI}),
    ("lzcnt %rax, %rcx", {x86.BMI}),
    ("movbe (%rax), %rcx", {x86.MOVBE}),
    ("lock cmpxchg16b (%rax)", {x86.CX16}),
    ("rdrand %rax", {x86.RANDOM}),
    ("xsave (%rax)", {x86.XSAVE}),
    ("xtest", {x86.TSX}),
    ("wrfsbase %rax", {x86.OTHERS}),
    ("clflushopt (%rax)", {x86.OTHERS}),
    ("pfadd %mm0, %mm1", {x86.THREE_D_NOW}),
    ("movdir64b (%rax), %rcx", {x86.OTHERS}),
    ("lahf", {x86.OTHERS}),
    ("vaddph %zmm0, %zmm1, %zmm2", {x86.UNKNOWN}),
    ("pextrw $3, %xmm0, (%rdi)", {x86.SSE41}),
    ("pavgusb %mm0, %mm1", {x86.THREE_D_NOW}),
    ("xstore-rng", {x86.OTHERS}),
    ("rdpkru", {x86.OTHERS}),
    ("wrssq %rax, (%rsi)", {x86.CET}),
    ("incsspq %rax", {x86.CET}),
    ("sysenter", {x86.OTHERS}),
    # Traps with operands, as sanitizers write them: what comes behind is looked at from its start.
    (".byte 0x67, 0x0f, 0xb9, 0x40, 0x01\npopcnt %rax, %rcx", {x86.POPCNT}),
    ("ud1 0x1000(%rax, %rcx), %eax\nret", set()),
    ("addps %xmm0, %xmm1", set()),
    ("pmuludq %xmm0, %xmm1", set()),
    ("pextrw $1, %xmm0, %eax", set()),
    ("lock cmpxchg %rax, (%rcx)", set()),
    ("rep bsf %rax, %rcx", set()),  # tzcnt, which older processors run as bsf
    ("endbr64", set()),
    ("pause", set()),
    ("cpuid", set()),
    ("rdsspq %rax", set()),
    ("faddp", set()),
    ("cmpltpd %xmm0, %xmm1", set()),
    ("pextrw $3, %xmm0, %ecx", set()),
    ("xgetbv", set()),  # how a program asks whether AVX may be used
    ("rep movsb", set()),
    ("verr %ax", set()),
    ("mfence", set()),
    ("cvttsd2si %xmm0, %rax", set()),
    ("fxsave (%rax)", set()),
)


@pytest.mark.only("aarch64")
def test_every_class_of_instruction_of_aarch64(product: Product, tmp_path: Path) -> None:
    head = ".arch armv9.4-a+sve2+sha3+sha2+aes+crc+fp16fml+memtag+cssc+mops\n"
    compare(product, tmp_path, head, A64, "armv8.0")


@pytest.mark.only("x86_64")
def test_every_class_of_instruction_of_x86(product: Product, tmp_path: Path) -> None:
    compare(product, tmp_path, "", X86, "x86-64")


def compare(product: Product, tmp_path: Path, head: str, cases: Cases, baseline: str) -> None:
    text = head + "".join(f"f{number}:\n{one}\n" for number, (one, _) in enumerate(cases))
    made = assembled(product, tmp_path, text)
    found: dict[str, set[str]] = {}
    for finding in audit.of(made, made.name, BASELINES[baseline]).findings:
        found.setdefault(finding.symbol, set()).add(finding.what)
    differing = {
        instruction: (wanted, found.get(f"f{number}", set()))
        for number, (instruction, wanted) in enumerate(cases)
        if wanted != found.get(f"f{number}", set())
    }
    assert differing == {}


# --- negative controls: what must not pass, and which witness says so ---------------------------

SOURCE = "double f(double a, unsigned b) { return a * (b % 7 + 0x12345678u); }"


def said(path: Path, name: str = "armv6-vfpv2") -> tuple[set[str], set[str]]:
    """What the first witness says of a file, and what the second."""
    found, entries = audit.of(path, path.name, BASELINES[name]), allowed.load()
    refused = [
        one
        for one in found.findings
        if not any(each.covers(one, name, found.names) for each in entries)
    ]
    claims = {one.what for one in refused if not one.section}
    return claims, {one.what for one in refused if one.section}


@pytest.fixture
def armv6(product: Product) -> Product:
    """The controls are ARMv6's."""
    return product


def compiled(product: Product, folder: Path, *options: str, text: str = SOURCE) -> Path:
    (folder / "x.c").write_text(text)
    gcc = product.toolchain / "bin" / f"{product.target.triple}-gcc"
    output([gcc, "-O2", *options, folder / "x.c", "-o", folder / "made"])
    return folder / "made"


@pytest.mark.only("armv6")
def test_the_look_before_allowed_code_is_there(armv6: Product) -> None:
    """What recipes/audit/allowed.toml says of musl: the function that chooses names both."""
    triple = armv6.target.triple
    nm, libc = armv6.toolchain / "bin" / f"{triple}-nm", armv6.toolchain / triple / "lib" / "libc.a"
    wanted = output([nm, libc]).split("__set_thread_area.lo:")[1].split("\n\n")[0].split()
    for version in ("v6", "v7"):
        assert {f"__a_cas_{version}", f"__a_barrier_{version}"} <= set(wanted)
    assert {"__hwcap", "__libc"} <= set(wanted)


def unguarded(archive: Path, entry: allowed.Entry) -> dict[str, list[str]]:
    """Members with the entry's code of which neither they nor all that call them read a probe."""
    symbols = {place.member: _global_symbols(content) for place, content in objects.of(archive, "")}
    found = {}
    for member, (_, gives) in symbols.items():
        mine = {name for name in gives if any(fnmatchcase(name, one) for one in entry.symbols)}
        if not mine or not any(fnmatchcase(member, one) for one in entry.members):
            continue
        knows = {name for name, (reads, own) in symbols.items() if {*entry.probes} & (reads | own)}
        callers = {name for name, (reads, _) in symbols.items() if mine & reads}
        if member not in knows and (blind := callers - knows):
            found[member] = sorted(blind)
    return found


def _global_symbols(content: bytes) -> tuple[set[str], set[str]]:
    """The names that an object wants of others, and those that it gives."""
    table = ELFFile(io.BytesIO(content)).get_section_by_name(".symtab")
    names: tuple[set[str], set[str]] = (set(), set())
    # libgcc has members with nothing in them.
    for symbol in table.iter_symbols() if isinstance(table, SymbolTableSection) else ():
        if symbol.entry.st_info.bind != "STB_LOCAL":
            names[symbol.entry.st_shndx != "SHN_UNDEF"].add(symbol.name)
    return names


def test_a_probe_is_read_before_allowed_code(product: Product) -> None:
    """What recipes/audit/allowed.toml says of libcrypto and libgcc."""
    for entry in allowed.load():
        if fnmatchcase(entry.file, "*.rlib") or "ring_core" in entry.file:  # no archive of ours
            continue
        if entry.probes and product.target.baseline in entry.baselines:
            places = (product.openssl / "usr", product.toolchain)
            archives = [path for place in places for path in place.glob(f"**/{entry.file}")]
            assert archives, entry.file
            for archive in archives:
                assert unguarded(archive, entry) == {}, (archive.name, entry.reason)


def test_a_caller_that_reads_no_probe_is_found(product: Product, tmp_path: Path) -> None:
    entry = allowed.Entry(
        baselines=(), file="x.a", members=("quick.o",), symbols=("quick",), needs=(),
        probes=("cap",), reason="",
    )  # fmt: skip
    texts = {
        "quick": "int quick(void) { return 1; }",
        "careful": "extern int cap, quick(void); int f(void) { return cap ? quick() : 0; }",
        "careless": "int quick(void); int g(void) { return quick(); }",
    }
    archive, programs = tmp_path / "x.a", product.toolchain / "bin"
    for name, blind in (("quick", {}), ("careful", {}), ("careless", {"quick.o": ["careless.o"]})):
        made = compiled(product, tmp_path, "-c", text=texts[name]).rename(tmp_path / f"{name}.o")
        output([programs / f"{product.target.triple}-ar", "rc", archive, made])
        assert unguarded(archive, entry) == blind


@pytest.mark.only("armv6")
def test_an_object_of_the_target_passes(armv6: Product, tmp_path: Path) -> None:
    assert said(compiled(armv6, tmp_path, "-c")) == (set(), set())


@pytest.mark.only("armv6")
def test_an_object_for_armv7(armv6: Product, tmp_path: Path) -> None:
    claims, needs = said(compiled(armv6, tmp_path, "-c", "-march=armv7-a+fp", "-mthumb"))
    assert {"Tag_CPU_arch is v7"} <= claims, claims
    assert {arm.THUMB2, arm.V6T2} & needs


@pytest.mark.only("armv6")
def test_an_object_for_armv7_that_says_armv6(armv6: Product, tmp_path: Path) -> None:
    """Attributes can lie; then the code tells."""
    made = compiled(armv6, tmp_path, "-c", "-march=armv7-a+fp")
    objcopy = armv6.toolchain / "bin" / f"{armv6.target.triple}-objcopy"
    output([objcopy, "--remove-section=.ARM.attributes", made])
    claims, needs = said(made)
    assert not any("CPU_arch" in claim for claim in claims)
    assert needs == {arm.V6T2}


@pytest.mark.only("armv6")
def test_an_object_for_armv7_slipped_into_an_archive(armv6: Product, tmp_path: Path) -> None:
    made = compiled(armv6, tmp_path, "-c", "-march=armv7-a+fp")
    made.rename(tmp_path / "slipped.o")
    archive = Path(
        shutil.copy(armv6.toolchain / armv6.target.triple / "lib" / "libatomic.a", tmp_path)
    )
    archive.chmod(0o644)
    before = audit.of(archive, "libatomic.a", BASELINES["armv6-vfpv2"])
    output(
        [
            armv6.toolchain / "bin" / f"{armv6.target.triple}-ar",
            "r",
            archive,
            tmp_path / "slipped.o",
        ]
    )
    after = audit.of(archive, "libatomic.a", BASELINES["armv6-vfpv2"])
    assert (before.findings, after.members) == ([], before.members + 1)
    assert {finding.place.member for finding in after.findings} == {"slipped.o"}
    assert "libatomic.a(slipped.o): f at 0x" in str(after.findings[-1])


@pytest.mark.only("armv6")
def test_a_claim_is_allowed_only_beside_the_code_that_it_comes_of(
    armv6: Product, tmp_path: Path
) -> None:
    """musl's atomics make every program say Thumb-2; nothing else may."""
    head = ".eabi_attribute Tag_THUMB_ISA_use, 2\n"
    barrier = (
        ".arch armv7-a\n.type __a_barrier_v7,%function\n__a_barrier_v7: dmb ish\n.arch armv6\n"
    )
    refused = []
    for text in (head, barrier + head):
        made = assembled(armv6, tmp_path, text)
        said = verdict.of(
            made,
            "made",
            held_to=BASELINES["armv6-vfpv2"],
            baseline="armv6-vfpv2",
            entries=allowed.load(),
        )
        refused.append([one.what for one in said.refused if "THUMB" in one.what])
    assert refused == [["Tag_THUMB_ISA_use is 2"], []]


@pytest.mark.only("armv6")
def test_a_soft_float_object(armv6: Product, tmp_path: Path) -> None:
    claims, needs = said(compiled(armv6, tmp_path, "-c", "-mfloat-abi=soft"))
    assert any("soft float" in claim for claim in claims)
    assert needs == set()


@pytest.mark.only("armv6")
def test_a_program_with_an_interpreter(armv6: Product, tmp_path: Path) -> None:
    claims, _ = said(compiled(armv6, tmp_path, text="int main(void) { return 0; }"))
    assert "wants the interpreter /lib/ld-musl-armhf.so.1" in claims
    assert "needs libc.so" in claims


@pytest.mark.only("armv6")
def test_a_program_of_the_target_passes(armv6: Product, tmp_path: Path) -> None:
    made = compiled(armv6, tmp_path, "-static-pie", text="int main(void) { return 0; }")
    assert said(made) == (set(), set())


@pytest.mark.only("armv6")
def test_a_stripped_program_says_that_it_was_not_looked_into(
    armv6: Product, tmp_path: Path
) -> None:
    made = compiled(armv6, tmp_path, "-static-pie", "-s", text="int main(void) { return 0; }")
    (note,) = audit.of(made, "made", BASELINES["armv6-vfpv2"]).unseen
    assert "made is stripped" in note


@pytest.mark.only("armv6")
def test_a_program_whose_sections_are_gone_is_refused(armv6: Product, tmp_path: Path) -> None:
    made = compiled(armv6, tmp_path, "-static-pie", text="int main(void) { return 0; }")
    content = bytearray(made.read_bytes())
    content[32:36] = bytes(4)  # e_shoff
    content[48:50] = content[50:52] = bytes(2)  # e_shnum, e_shstrndx
    made.write_bytes(content)
    with pytest.raises(Refused, match="has code and no section that says where"):
        audit.of(made, "made", BASELINES["armv6-vfpv2"])


@pytest.mark.only("armv6")
def test_code_that_no_symbol_tells_from_data_is_refused(armv6: Product, tmp_path: Path) -> None:
    """What `strip -x` and `ld -x` leave: names, and no mapping symbols."""
    text = "int main(void) { return 0; }"
    claims, _ = said(compiled(armv6, tmp_path, "-static-pie", "-Wl,-x", text=text))
    assert "no mapping symbols say what in .text is code" in claims


@pytest.mark.only("armv6")
def test_big_endian(armv6: Product, tmp_path: Path) -> None:
    claims, _ = said(compiled(armv6, tmp_path, "-c", "-mbig-endian"))
    assert "is big-endian" in claims


@pytest.mark.only("armv6")
@pytest.mark.parametrize("keep", [3, 40, 52, 200, 0.5, 0.99])
def test_a_truncated_file(armv6: Product, tmp_path: Path, keep: float) -> None:
    made = compiled(armv6, tmp_path, "-c")
    content = made.read_bytes()
    made.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    with pytest.raises(Refused, match=r"made (is|breaks)"):
        audit.of(made, "made", BASELINES["armv6-vfpv2"])


@pytest.mark.only("armv6")
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=8))
def test_mutated_files_are_accepted_or_refused(
    armv6: Product, tmp_path: Path, changes: list[tuple[int, int]]
) -> None:
    """No traceback and no hang."""
    made = tmp_path / "made"
    if not (tmp_path / "kept").exists():
        compiled(armv6, tmp_path, "-c").rename(tmp_path / "kept")
    content = bytearray((tmp_path / "kept").read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    made.write_bytes(content)
    with contextlib.suppress(Refused):
        audit.of(made, "made", BASELINES["armv6-vfpv2"])
