"""Of 32-bit ARM, beyond ARMv5TE without floating point."""

from __future__ import annotations

from muslin.audit import arm
from tests.instructions import Cases

A32: Cases = (
    # what a processor got after ARMv5TE, or a floating point unit after none
    ("rev r0, r1", "310fbfe6", {arm.V6}),
    ("sxtb r0, r1", "7100afe6", {arm.V6}),
    ("ssat r0, #5, r1", "1100a4e6", {arm.V6}),
    ("uadd8 r0, r1, r2", "920f51e6", {arm.V6}),
    ("umaal r0, r1, r2, r3", "920341e0", {arm.V6}),
    ("ldrex r0, [r1]", "9f0f91e1", {arm.V6}),
    ("strexd r0, r2, r3, [r1]", "920fa1e1", {arm.V6}),
    ("clrex", "1ff07ff5", {arm.V6}),
    ("movw r0, #1", "010000e3", {arm.V6T2}),
    ("movt r0, #1", "010040e3", {arm.V6T2}),
    ("bfi r0, r1, #2, #3", "1101c4e7", {arm.V6T2}),
    ("bfc r0, #2, #3", "1f01c4e7", {arm.V6T2}),
    ("ubfx r0, r1, #2, #3", "5101e2e7", {arm.V6T2}),
    ("sbfx r0, r1, #2, #3", "5101a2e7", {arm.V6T2}),
    ("rbit r0, r1", "310fffe6", {arm.V6T2}),
    ("mls r0, r1, r2, r3", "913260e0", {arm.V6T2}),
    ("ldrht r0, [r1], #2", "b200f1e0", {arm.V6T2}),
    ("dmb ish", "5bf07ff5", {arm.V7}),
    ("dsb sy", "4ff07ff5", {arm.V7}),
    ("isb", "6ff07ff5", {arm.V7}),
    ("pli [r0]", "00f0d0f4", {arm.V7}),
    ("pldw [r0]", "00f090f5", {arm.V7}),
    ("sdiv r0, r1, r2", "11f210e7", {arm.DIV}),
    ("udiv r0, r1, r2", "11f230e7", {arm.DIV}),
    ("lda r0, [r1]", "9f0c91e1", {arm.V8}),
    ("stlex r0, r1, [r2]", "910e82e1", {arm.V8}),
    ("crc32b r0, r1, r2", "420001e1", {arm.V8}),
    ("vadd.f32 s0, s1, s2", "810a30ee", {arm.VFP2}),
    ("vadd.f64 d0, d1, d2", "020b31ee", {arm.VFP2}),
    ("vadd.f64 d16, d1, d2", "020b71ee", {arm.VFP2, arm.D32}),
    ("vadd.f64 d0, d1, d31", "2f0b31ee", {arm.VFP2, arm.D32}),
    ("vadd.f32 s31, s1, s3", "a1fa70ee", {arm.VFP2}),
    ("vmov.f32 s0, #1.0", "000ab7ee", {arm.VFP3}),
    ("vmov.f64 d0, #1.0", "000bb7ee", {arm.VFP3}),
    ("vmov.f64 d17, #1.0", "001bf7ee", {arm.VFP3, arm.D32}),
    ("vmov.f64 d0, d1", "410bb0ee", {arm.VFP2}),
    ("vsqrt.f64 d0, d1", "c10bb1ee", {arm.VFP2}),
    ("vcmp.f64 d0, #0.0", "400bb5ee", {arm.VFP2}),
    ("vcmp.f64 d0, d20", "640bb4ee", {arm.VFP2, arm.D32}),
    ("vcvt.f64.f32 d0, s1", "e00ab7ee", {arm.VFP2}),
    ("vcvt.f64.f32 d16, s1", "e00af7ee", {arm.VFP2, arm.D32}),
    ("vcvt.f32.f64 s1, d0", "c00bf7ee", {arm.VFP2}),
    ("vcvt.f32.f64 s1, d18", "e20bf7ee", {arm.VFP2, arm.D32}),
    ("vcvt.s32.f64 s1, d0", "c00bfdee", {arm.VFP2}),
    ("vcvt.f64.s32 d0, s31", "ef0bb8ee", {arm.VFP2}),
    ("vcvt.f64.s32 d30, s31", "efebf8ee", {arm.VFP2, arm.D32}),
    ("vcvt.f32.s32 s0, s0, #4", "ce0abaee", {arm.VFP3}),
    ("vcvtb.f32.f16 s0, s1", "600ab2ee", {arm.HALF}),
    ("vfma.f64 d0, d1, d2", "020ba1ee", {arm.VFP4}),
    ("vfnms.f32 s0, s1, s2", "810a90ee", {arm.VFP4}),
    ("vmov r0, s1", "900a10ee", {arm.VFP2}),
    ("vmov r0, r1, d2", "120b51ec", {arm.VFP2}),
    ("vmov r0, r1, d22", "360b51ec", {arm.VFP2, arm.D32}),
    ("vmov.32 d0[1], r0", "100b20ee", {arm.VFP2}),
    ("vmov.32 r0, d17[1]", "900b31ee", {arm.VFP2, arm.D32}),
    ("vmov.u8 r0, d0[1]", "300bd0ee", {arm.NEON}),
    ("vmov.16 d0[1], r0", "700b00ee", {arm.NEON}),
    ("vdup.32 d0, r0", "100b80ee", {arm.NEON}),
    ("vmrs r0, fpscr", "100af1ee", {arm.VFP2}),
    ("vldr d0, [r0]", "000b90ed", {arm.VFP2}),
    ("vldr d16, [r0, #200]", "320bd0ed", {arm.VFP2, arm.D32}),
    ("vldr d15, [r0, #200]", "32fb90ed", {arm.VFP2}),
    ("vldmia r0!, {d0-d15}", "200bb0ec", {arm.VFP2}),
    ("vldmia r0!, {d8-d17}", "148bb0ec", {arm.VFP2, arm.D32}),
    ("vpush {s0-s31}", "200a2ded", {arm.VFP2}),
    ("vadd.i32 q0, q1, q2", "440822f2", {arm.NEON}),
    ("vld1.8 {d0}, [r0]", "0f0720f4", {arm.NEON}),
    ("aese.8 q0, q1", "0203b0f3", {arm.NEON}),
    ("vselge.f32 s0, s1, s2", "810a20fe", {arm.V8}),
    ("vrinta.f64 d0, d1", "410bb8fe", {arm.V8}),
    ("vrintz.f64 d0, d1", "c10bb6ee", {arm.V8}),
    (".inst 0xee300981", "810930ee", {arm.F16}),  # vadd.f16 s0, s1, s2
    # by number, where the assembler wants another architecture for them
    (".inst 0xfcb20844", "4408b2fc", {arm.NEON}),  # vcmla
    (".inst 0xfe920842", "420892fe", {arm.NEON}),  # vcmla by element
    (".inst 0xfc220d44", "440d22fc", {arm.NEON}),  # vsdot
    (".inst 0xfc220c44", "440c22fc", {arm.NEON}),  # vsmmla
    (".inst 0xfc210852", "520821fc", {arm.NEON}),  # vfmsl
    (".inst 0xfc020d44", "440d02fc", {arm.NEON}),  # vdot.bf16
    (".inst 0xf57ff070", "70f07ff5", {arm.V8}),  # sb
    (".inst 0xe1000071", "710000e1", {arm.V8}),  # hlt
    (".inst 0xf1100200", "000210f1", {arm.V8}),  # setpan
    (".inst 0xe1400070", "700040e1", {arm.VIRTUAL}),  # hvc
    (".inst 0xe160006e", "6e0060e1", {arm.VIRTUAL}),  # eret
    (".inst 0xe1000200", "000200e1", {arm.VIRTUAL}),  # mrs of another mode's register
    (".inst 0xec510f1e", "1e0f51ec", {arm.SYSTEM}),  # mrrc p15, 1, r0, r1, c14: the counter
    ("mrc p15, 0, r0, c9, c13, 0", "1d0f19ee", {arm.SYSTEM}),
    (".inst 0xecf00102", "0201f0ec", {arm.COPROCESSOR}),
    (".inst 0xfe100f10", "100f10fe", {arm.SYSTEM}),  # mrc2 p15
    (".inst 0xfcb08101", "0181b0fc", {arm.COPROCESSOR}),  # ldc2 p1
    ("mrc p15, 0, r0, c13, c0, 3", "700f1dee", {arm.V6}),
    ("mcr p15, 0, r0, c7, c10, 5", "ba0f07ee", {arm.V6}),
    (".inst 0xe120f200", "00f220e1", {arm.VIRTUAL}),  # msr r8_usr, r0
    ("ldrsbt r0, [r1], #2", "d200f1e0", {arm.V6T2}),
    ("ldrsht r0, [r1], #2", "f200f1e0", {arm.V6T2}),
    ("dbg #3", "f3f020e3", {arm.V7}),
    ("pli [r0, r1]", "01f0d0f6", {arm.V7}),
    ("pldw [r0, r1]", "01f090f7", {arm.V7}),
    ("cpsid i", "80000cf1", {arm.V6}),
    ("cps #16", "100002f1", {arm.V6}),
    ("setend be", "000201f1", {arm.V6}),
    (".inst 0xfc000a00", "000a00fc", {arm.V8}),
    ("mcr p15, 0, r0, c7, c5, 4", "950f07ee", {arm.V6}),
    ("mcr p15, 0, r0, c7, c10, 4", "9a0f07ee", {arm.V6}),
    ("mcr p15, 0, r0, c13, c0, 2", "500f0dee", {arm.V6}),
    ("mrc p15, 0, r0, c13, c0, 2", "500f1dee", {arm.V6}),
    ("mcr p15, 0, r0, c13, c0, 3", "700f0dee", {arm.SYSTEM}),
    ("mcr p15, 0, r0, c7, c5, 0", "150f07ee", {arm.SYSTEM}),
    ("vcvt.u32.f64 s1, d0", "c00bfcee", {arm.VFP2}),
    ("vcvt.u32.f64 s1, d16", "e00bfcee", {arm.VFP2, arm.D32}),
    ("vcvt.s32.f64 s1, d16", "e00bfdee", {arm.VFP2, arm.D32}),
    ("vcvt.f32.s16 s0, s0, #4", "460abaee", {arm.VFP3}),
    ("vcvt.f32.u16 s0, s0, #4", "460abbee", {arm.VFP3}),
    ("vcvt.s16.f32 s0, s0, #4", "460abeee", {arm.VFP3}),
    ("vcvt.u16.f32 s1, s1, #4", "460affee", {arm.VFP3}),
    ("vcvt.f64.s16 d16, d16, #4", "460bfaee", {arm.VFP3, arm.D32}),
    ("vcvt.f64.u32 d16, d16, #4", "ce0bfbee", {arm.VFP3, arm.D32}),
    ("vcvt.s32.f64 d17, d17, #3", "ee1bfeee", {arm.VFP3, arm.D32}),
    ("vcvt.u16.f64 d16, d16, #4", "460bffee", {arm.VFP3, arm.D32}),
    ("vcmp.f64 d16, #0.0", "400bf5ee", {arm.VFP2, arm.D32}),
    ("vcmp.f64 d16, d1", "410bf4ee", {arm.VFP2, arm.D32}),
    ("vneg.f64 d16, d1", "410bf1ee", {arm.VFP2, arm.D32}),
    ("vabs.f64 d1, d16", "e01bb0ee", {arm.VFP2, arm.D32}),
    ("vldmia r0!, {d16}", "020bf0ec", {arm.VFP2, arm.D32}),
    ("vldmia r0!, {d15}", "02fbb0ec", {arm.VFP2}),
    ("vstmdb r0!, {d14-d16}", "06eb20ed", {arm.VFP2, arm.D32}),
    ("vstr d31, [r0]", "00fbc0ed", {arm.VFP2, arm.D32}),
    ("vmls.f64 d0, d1, d2", "420b01ee", {arm.VFP2}),
    ("vdiv.f64 d0, d1, d2", "020b81ee", {arm.VFP2}),
    ("vfnma.f64 d16, d1, d2", "420bd1ee", {arm.VFP4, arm.D32}),
    ("vdup.32 d16, r0", "900b80ee", {arm.NEON, arm.D32}),
    ("vmov s0, s1, r0, r1", "100a41ec", {arm.VFP2}),
    ("vcvtb.f16.f32 s0, s1", "600ab3ee", {arm.HALF}),
    ("vcvtt.f32.f16 s0, s1", "e00ab2ee", {arm.HALF}),
    ("vrintx.f32 s0, s1", "600ab7ee", {arm.V8}),
    ("vrintr.f64 d0, d1", "410bb6ee", {arm.V8}),
    ("vcvtb.f64.f16 d0, s0", "400bb2ee", {arm.V8}),
    (".inst 0xeeb90bc0", "c00bb9ee", {arm.V8}),  # vjcvt.s32.f64 s0, d0
    # what needs nothing
    ("udf #0", "f000f0e7", set()),
    (".inst 0xe7ffdefe", "fedeffe7", set()),  # LLVM's trap
    ("ldrd r0, r1, [r2]", "d000c2e1", set()),
    ("clz r0, r1", "110f6fe1", set()),
    ("smlabb r0, r1, r2, r3", "813200e1", set()),
    ("qadd r0, r1, r2", "510002e1", set()),
    ("pld [r0]", "00f0d0f5", set()),
    (
        ".inst 0xe1020091",
        "910002e1",
        set(),
    ),  # swp: ARMv8 has it no more, and the assembler refuses it
    ("strh r0, [r1, #2]!", "b200e1e1", set()),
    ("ldrsb r0, [r1, r2]", "d20091e1", set()),
    ("umull r0, r1, r2, r3", "920381e0", set()),
    ("svc #0", "000000ef", set()),
    ("blx r0", "30ff2fe1", set()),
)
THUMB: Cases = (
    ("adds r0, r1, r2", "8818", set()),
    ("bl there", "00f02ef8", set()),
    ("rev r0, r1", "08ba", {arm.V6}),
    ("uxtb r0, r1", "c8b2", {arm.V6}),
    ("setend be", "58b6", {arm.V6}),
    ("push {r4, lr}", "10b5", set()),
    ("bkpt #1", "01be", set()),
    (".inst.w 0xfc220d44", "22fc440d", {arm.THUMB2, arm.NEON}),  # vsdot
    (".inst.w 0xf3bf8f70", "bff3708f", {arm.THUMB2, arm.V8}),  # sb
    (".inst.w 0xf7e08000", "e0f70080", {arm.THUMB2, arm.VIRTUAL}),  # hvc
    (
        ".inst.w 0xf000d000",
        "00f000d0",
        {arm.THUMB2},
    ),  # a bl that Thumb takes for a branch and another half
    (".inst.n 0xba81", "81ba", {arm.V8}),  # hlt
    (".inst.n 0xb618", "18b6", {arm.V8}),  # setpan
    (".inst.w 0xee300981", "30ee8109", {arm.THUMB2, arm.F16}),  # vadd.f16 s0, s1, s2
    ("it eq\nmoveq r0, r1", "08bf0846", {arm.THUMB2}),
    ("cbz r0, there", "c8b1", {arm.THUMB2}),
    ("add.w r0, r1, r2", "01eb0200", {arm.THUMB2}),
    ("movw r0, #1", "40f20100", {arm.THUMB2}),
    ("dmb ish", "bff35b8f", {arm.THUMB2}),
    ("sdiv r0, r1, r2", "91fbf2f0", {arm.THUMB2, arm.DIV}),
    ("ldaex r0, [r1]", "d1e8ef0f", {arm.THUMB2, arm.V8}),
    ("ldrexd r0, r1, [r2]", "d2e87f01", {arm.THUMB2}),
    ("crc32w r0, r1, r2", "c1faa2f0", {arm.THUMB2, arm.V8}),
    ("vadd.f64 d0, d1, d2", "31ee020b", {arm.THUMB2, arm.VFP2}),
    ("vmov.f64 d20, #1.0", "f7ee004b", {arm.THUMB2, arm.VFP3, arm.D32}),
    ("vadd.i32 q0, q1, q2", "22ef4408", {arm.THUMB2, arm.NEON}),
    ("vst1.8 {d0}, [r0]", "00f90f07", {arm.THUMB2, arm.NEON}),
    ("vrinta.f64 d0, d1", "b8fe410b", {arm.THUMB2, arm.V8}),
    ("vdup.8 d0, r0", "c0ee100b", {arm.THUMB2, arm.NEON}),
)
HEAD = ".syntax unified\n.arch armv8-a\n.arch_extension crc\n.fpu crypto-neon-fp-armv8\n"
