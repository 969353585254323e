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
    ("aese.8 q0, q1", "0203b0f3", {arm.NEON, arm.CRYPTO}),
    ("vselge.f32 s0, s1, s2", "810a20fe", {arm.V8}),
    ("vrinta.f64 d0, d1", "410bb8fe", {arm.V8}),
    ("vrintz.f64 d0, d1", "c10bb6ee", {arm.V8}),
    ("vhadd.s8 q0, q1, q2", "440002f2", {arm.NEON}),
    ("vqadd.u64 d0, d1, d2", "120031f3", {arm.NEON}),
    ("vrhadd.u16 d0, d1, d2", "020111f3", {arm.NEON}),
    ("vand q0, q1, q2", "540102f2", {arm.NEON}),
    ("vorn d0, d1, d2", "120131f2", {arm.NEON}),
    ("vbsl q0, q1, q2", "540112f3", {arm.NEON}),
    ("vcgt.s32 q0, q1, q2", "440322f2", {arm.NEON}),
    ("vcge.u8 d0, d1, d2", "120301f3", {arm.NEON}),
    ("vshl.s64 q0, q1, q2", "420434f2", {arm.NEON}),
    ("vqrshl.u32 d0, d1, d2", "110522f3", {arm.NEON}),
    ("vmax.s16 q0, q1, q2", "440612f2", {arm.NEON}),
    ("vabd.u8 q0, q1, q2", "440702f3", {arm.NEON}),
    ("vaba.s32 d0, d1, d2", "120721f2", {arm.NEON}),
    ("vsub.i64 q0, q1, q2", "440832f3", {arm.NEON}),
    ("vtst.8 q0, q1, q2", "540802f2", {arm.NEON}),
    ("vceq.i32 d0, d1, d2", "120821f3", {arm.NEON}),
    ("vmla.i16 q0, q1, q2", "440912f2", {arm.NEON}),
    ("vmul.p8 q0, q1, q2", "540902f3", {arm.NEON}),
    ("vpmax.u32 d0, d1, d2", "020a21f3", {arm.NEON}),
    ("vqdmulh.s16 q0, q1, q2", "440b12f2", {arm.NEON}),
    ("vqrdmulh.s32 d0, d1, d2", "020b21f3", {arm.NEON}),
    ("vpadd.i8 d0, d1, d2", "120b01f2", {arm.NEON}),
    ("vadd.f32 q0, q1, q2", "440d02f2", {arm.NEON}),
    ("vpadd.f32 d0, d1, d2", "020d01f3", {arm.NEON}),
    ("vabd.f32 q0, q1, q2", "440d22f3", {arm.NEON}),
    ("vmls.f32 q0, q1, q2", "540d22f2", {arm.NEON}),
    ("vmul.f32 d0, d1, d2", "120d01f3", {arm.NEON}),
    ("vceq.f32 q0, q1, q2", "440e02f2", {arm.NEON}),
    ("vcgt.f32 q0, q1, q2", "440e22f3", {arm.NEON}),
    ("vacge.f32 d0, d1, d2", "120e01f3", {arm.NEON}),
    ("vmin.f32 q0, q1, q2", "440f22f2", {arm.NEON}),
    ("vpmax.f32 d0, d1, d2", "020f01f3", {arm.NEON}),
    ("vrecps.f32 q0, q1, q2", "540f02f2", {arm.NEON}),
    ("vrsqrts.f32 d0, d1, d2", "120f21f2", {arm.NEON}),
    ("vmov.i32 q0, #1", "510080f2", {arm.NEON}),
    ("vmvn.i16 d0, #0x100", "310a80f2", {arm.NEON}),
    ("vorr.i32 q0, #0xff00", "5f0387f3", {arm.NEON}),
    ("vmov.f32 q0, #1.0", "500f87f2", {arm.NEON}),
    ("vmov.i64 d0, #0xff00ff00ff00ff00", "3a0e82f3", {arm.NEON}),
    ("vshr.u32 q0, q1, #3", "5200bdf3", {arm.NEON}),
    ("vrsra.s64 d0, d1, #9", "9103b7f2", {arm.NEON}),
    ("vsri.16 q0, q1, #4", "52049cf3", {arm.NEON}),
    ("vsli.8 d0, d1, #4", "11058cf3", {arm.NEON}),
    ("vqshlu.s32 q0, q1, #3", "5206a3f3", {arm.NEON}),
    ("vqshl.u64 d0, d1, #5", "910785f3", {arm.NEON}),
    ("vrshrn.i32 d0, q1, #3", "52089df2", {arm.NEON}),
    ("vqshrun.s64 d0, q1, #3", "1208bdf3", {arm.NEON}),
    ("vqrshrn.u16 d0, q1, #3", "52098df3", {arm.NEON}),
    ("vshll.s8 q0, d1, #3", "110a8bf2", {arm.NEON}),
    ("vmovl.u32 q0, d1", "110aa0f3", {arm.NEON}),
    ("vcvt.f32.s32 q0, q1, #5", "520ebbf2", {arm.NEON}),
    ("vcvt.u32.f32 d0, d1, #5", "110fbbf3", {arm.NEON}),
    ("vaddl.s8 q0, d1, d2", "020081f2", {arm.NEON}),
    ("vsubw.u16 q0, q1, d2", "020392f3", {arm.NEON}),
    ("vraddhn.i32 d0, q1, q2", "040492f3", {arm.NEON}),
    ("vabal.u8 q0, d1, d2", "020581f3", {arm.NEON}),
    ("vmlal.s16 q0, d1, d2", "020891f2", {arm.NEON}),
    ("vqdmlal.s32 q0, d1, d2", "0209a1f2", {arm.NEON}),
    ("vmull.u32 q0, d1, d2", "020ca1f3", {arm.NEON}),
    ("vqdmull.s16 q0, d1, d2", "020d91f2", {arm.NEON}),
    ("vmull.p8 q0, d1, d2", "020e81f2", {arm.NEON}),
    ("vmla.i32 q0, q1, d2[1]", "6200a2f3", {arm.NEON}),
    ("vmls.f32 d0, d1, d2[0]", "4205a1f2", {arm.NEON}),
    ("vmlsl.u16 q0, d1, d2[3]", "6a0691f3", {arm.NEON}),
    ("vqdmlsl.s32 q0, d1, d2[0]", "4207a1f2", {arm.NEON}),
    ("vmul.f32 q0, q1, d2[1]", "6209a2f3", {arm.NEON}),
    ("vmull.s32 q0, d1, d2[1]", "620aa1f2", {arm.NEON}),
    ("vqdmulh.s32 q0, q1, d2[0]", "420ca2f3", {arm.NEON}),
    ("vqrdmulh.s16 d0, d1, d2[2]", "620d91f2", {arm.NEON}),
    ("vext.8 q0, q1, q2, #3", "4403b2f2", {arm.NEON}),
    ("vtbl.8 d0, {d1, d2}, d3", "0309b1f3", {arm.NEON}),
    ("vtbx.8 d0, {d1}, d3", "4308b1f3", {arm.NEON}),
    ("vdup.16 q0, d1[2]", "410cbaf3", {arm.NEON}),
    ("vrev64.8 q0, q1", "4200b0f3", {arm.NEON}),
    ("vrev16.8 d0, d1", "0101b0f3", {arm.NEON}),
    ("vpaddl.u16 q0, q1", "c202b4f3", {arm.NEON}),
    ("vpadal.s8 d0, d1", "0106b0f3", {arm.NEON}),
    ("vcls.s32 q0, q1", "4204b8f3", {arm.NEON}),
    ("vclz.i16 d0, d1", "8104b4f3", {arm.NEON}),
    ("vcnt.8 q0, q1", "4205b0f3", {arm.NEON}),
    ("vmvn q0, q1", "c205b0f3", {arm.NEON}),
    ("vqabs.s8 q0, q1", "4207b0f3", {arm.NEON}),
    ("vqneg.s32 d0, d1", "8107b8f3", {arm.NEON}),
    ("vcgt.s8 q0, q1, #0", "4200b1f3", {arm.NEON}),
    ("vclt.f32 q0, q1, #0", "4206b9f3", {arm.NEON}),
    ("vabs.f32 q0, q1", "4207b9f3", {arm.NEON}),
    ("vneg.s16 d0, d1", "8103b5f3", {arm.NEON}),
    ("vswp q0, q1", "4200b2f3", {arm.NEON}),
    ("vtrn.8 d0, d1", "8100b2f3", {arm.NEON}),
    ("vuzp.16 q0, q1", "4201b6f3", {arm.NEON}),
    ("vzip.8 q0, q1", "c201b2f3", {arm.NEON}),
    ("vmovn.i64 d0, q1", "0202baf3", {arm.NEON}),
    ("vqmovun.s32 d0, q1", "4202b6f3", {arm.NEON}),
    ("vqmovn.u16 d0, q1", "c202b2f3", {arm.NEON}),
    ("vshll.i16 q0, d1, #16", "0103b6f3", {arm.NEON}),
    ("vrecpe.u32 q0, q1", "4204bbf3", {arm.NEON}),
    ("vrsqrte.f32 d0, d1", "8105bbf3", {arm.NEON}),
    ("vcvt.f32.u32 q0, q1", "c206bbf3", {arm.NEON}),
    ("vcvt.s32.f32 d0, d1", "0107bbf3", {arm.NEON}),
    ("vld4.16 {d0, d1, d2, d3}, [r0]", "4f0020f4", {arm.NEON}),
    ("vld1.32 {d0[1]}, [r0]", "8f08a0f4", {arm.NEON}),
    ("vld2.8 {d0[], d1[]}, [r0]", "0f0da0f4", {arm.NEON}),
    ("vst3.32 {d0, d2, d4}, [r0]!", "8d0500f4", {arm.NEON}),
    ("vfma.f32 q0, q1, q2", "540c02f2", {arm.NEON, arm.VFP4}),
    ("vfms.f32 d0, d1, d2", "120c21f2", {arm.NEON, arm.VFP4}),
    ("vcvt.f16.f32 d0, q1", "0206b6f3", {arm.NEON, arm.HALF}),
    ("vcvt.f32.f16 q0, d1", "0107b6f3", {arm.NEON, arm.HALF}),
    ("vmaxnm.f32 q0, q1, q2", "540f02f3", {arm.NEON, arm.V8}),
    ("vminnm.f32 d0, d1, d2", "120f21f3", {arm.NEON, arm.V8}),
    ("vrintn.f32 q0, q1", "4204baf3", {arm.NEON, arm.V8}),
    ("vrintz.f32 d0, d1", "8105baf3", {arm.NEON, arm.V8}),
    ("vcvta.s32.f32 q0, q1", "4200bbf3", {arm.NEON, arm.V8}),
    ("vcvtm.u32.f32 d0, d1", "8103bbf3", {arm.NEON, arm.V8}),
    ("aesd.8 q0, q1", "4203b0f3", {arm.NEON, arm.CRYPTO}),
    ("aesmc.8 q0, q1", "8203b0f3", {arm.NEON, arm.CRYPTO}),
    ("aesimc.8 q0, q1", "c203b0f3", {arm.NEON, arm.CRYPTO}),
    ("sha1h.32 q0, q1", "c202b9f3", {arm.NEON, arm.CRYPTO}),
    ("sha1su1.32 q0, q1", "8203baf3", {arm.NEON, arm.CRYPTO}),
    ("sha256su0.32 q0, q1", "c203baf3", {arm.NEON, arm.CRYPTO}),
    ("sha1c.32 q0, q1, q2", "440c02f2", {arm.NEON, arm.CRYPTO}),
    ("sha1su0.32 q0, q1, q2", "440c32f2", {arm.NEON, arm.CRYPTO}),
    ("sha256h.32 q0, q1, q2", "440c02f3", {arm.NEON, arm.CRYPTO}),
    ("sha256su1.32 q0, q1, q2", "440c22f3", {arm.NEON, arm.CRYPTO}),
    ("vmull.p64 q0, d1, d2", "020ea1f2", {arm.NEON, arm.CRYPTO}),
    (".inst 0xf2120d44", "440d12f2", {arm.NEON, arm.NEON_LATER}),  # vadd.f16 q0, q1, q2
    (".inst 0xf3b60442", "4204b6f3", {arm.NEON, arm.NEON_LATER}),  # vrintn.f16 q0, q1
    (".inst 0xf3b70642", "4206b7f3", {arm.NEON, arm.NEON_LATER}),  # vcvt.f16.s16 q0, q1
    (".inst 0xf291014a", "4a0191f2", {arm.NEON, arm.NEON_LATER}),  # vmla.f16 d0, d1, d2[1]
    (".inst 0xf3220b54", "540b22f3", {arm.NEON, arm.NEON_LATER}),  # vqrdmlah.s32 q0, q1, q2
    (".inst 0xf2910f4a", "4a0f91f2", {arm.NEON, arm.NEON_LATER}),  # vqrdmlsh.s16 d0, d1, d2[1]
    (".inst 0xf2310d02", "020d31f2", {arm.NEON, arm.NEON_LATER}),  # vsub.f16 d0, d1, d2
    (".inst 0xf3110d02", "020d11f3", {arm.NEON, arm.NEON_LATER}),  # vpadd.f16 d0, d1, d2
    (".inst 0xf3320d44", "440d32f3", {arm.NEON, arm.NEON_LATER}),  # vabd.f16 q0, q1, q2
    (".inst 0xf2120d54", "540d12f2", {arm.NEON, arm.NEON_LATER}),  # vmla.f16 q0, q1, q2
    (".inst 0xf3110d12", "120d11f3", {arm.NEON, arm.NEON_LATER}),  # vmul.f16 d0, d1, d2
    (".inst 0xf2120e44", "440e12f2", {arm.NEON, arm.NEON_LATER}),  # vceq.f16 q0, q1, q2
    (".inst 0xf3320e44", "440e32f3", {arm.NEON, arm.NEON_LATER}),  # vcgt.f16 q0, q1, q2
    (".inst 0xf3110e12", "120e11f3", {arm.NEON, arm.NEON_LATER}),  # vacge.f16 d0, d1, d2
    (".inst 0xf2320f44", "440f32f2", {arm.NEON, arm.NEON_LATER}),  # vmin.f16 q0, q1, q2
    (".inst 0xf2120f54", "540f12f2", {arm.NEON, arm.NEON_LATER}),  # vrecps.f16 q0, q1, q2
    (".inst 0xf2310f12", "120f31f2", {arm.NEON, arm.NEON_LATER}),  # vrsqrts.f16 d0, d1, d2
    (".inst 0xf2120c54", "540c12f2", {arm.NEON, arm.NEON_LATER}),  # vfma.f16 q0, q1, q2
    (".inst 0xf3120f54", "540f12f3", {arm.NEON, arm.NEON_LATER}),  # vmaxnm.f16 q0, q1, q2
    (".inst 0xf3b70042", "4200b7f3", {arm.NEON, arm.NEON_LATER}),  # vcvta.s16.f16 q0, q1
    (".inst 0xf3b50742", "4207b5f3", {arm.NEON, arm.NEON_LATER}),  # vabs.f16 q0, q1
    (".inst 0xf3b50781", "8107b5f3", {arm.NEON, arm.NEON_LATER}),  # vneg.f16 d0, d1
    (".inst 0xf3b50442", "4204b5f3", {arm.NEON, arm.NEON_LATER}),  # vcgt.f16 q0, q1, #0
    (".inst 0xf3b70542", "4205b7f3", {arm.NEON, arm.NEON_LATER}),  # vrecpe.f16 q0, q1
    (".inst 0xf3b70581", "8105b7f3", {arm.NEON, arm.NEON_LATER}),  # vrsqrte.f16 d0, d1
    (".inst 0xf3b707c2", "c207b7f3", {arm.NEON, arm.NEON_LATER}),  # vcvt.u16.f16 q0, q1
    (".inst 0xf2bd0c52", "520cbdf2", {arm.NEON, arm.NEON_LATER}),  # vcvt.f16.s16 q0, q1, #3
    (".inst 0xf392094a", "4a0992f3", {arm.NEON, arm.NEON_LATER}),  # vmul.f16 q0, q1, d2[1]
    (".inst 0xee300981", "810930ee", {arm.F16}),  # vadd.f16 s0, s1, s2
    # by number, where the assembler wants another architecture for them
    (".inst 0xfcb20844", "4408b2fc", {arm.NEON_LATER}),  # vcmla
    (".inst 0xfe920842", "420892fe", {arm.NEON_LATER}),  # vcmla by element
    (".inst 0xfc220d44", "440d22fc", {arm.NEON_LATER}),  # vsdot
    (".inst 0xfc220c44", "440c22fc", {arm.NEON_LATER}),  # vsmmla
    (".inst 0xfc210852", "520821fc", {arm.NEON_LATER}),  # vfmsl
    (".inst 0xfc020d44", "440d02fc", {arm.NEON_LATER}),  # vdot.bf16
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
    (".inst.w 0xfc220d44", "22fc440d", {arm.THUMB2, arm.NEON_LATER}),  # vsdot
    (".inst.w 0xf3bf8f70", "bff3708f", {arm.THUMB2, arm.V8}),  # sb
    (".inst.w 0xf7e08000", "e0f70080", {arm.THUMB2, arm.VIRTUAL}),  # hvc
    (
        ".inst.w 0xf000d000",
        "00f000d0",
        {arm.THUMB2},
    ),  # a bl that Thumb takes for a branch and another half
    (".inst.n 0xba81", "81ba", {arm.V8}),  # hlt
    (".inst.n 0xb618", "18b6", {arm.V8}),  # setpan
    ("vfma.f32 q0, q1, q2", "02ef540c", {arm.THUMB2, arm.NEON, arm.VFP4}),
    ("vcvt.f16.f32 d0, q1", "b6ff0206", {arm.THUMB2, arm.NEON, arm.HALF}),
    ("vmaxnm.f32 q0, q1, q2", "02ff540f", {arm.THUMB2, arm.NEON, arm.V8}),
    ("vrintn.f32 q0, q1", "baff4204", {arm.THUMB2, arm.NEON, arm.V8}),
    ("aese.8 q0, q1", "b0ff0203", {arm.THUMB2, arm.NEON, arm.CRYPTO}),
    ("sha256h.32 q0, q1, q2", "02ff440c", {arm.THUMB2, arm.NEON, arm.CRYPTO}),
    ("vmul.i32 q0, q1, q2", "22ef5409", {arm.THUMB2, arm.NEON}),
    ("vclt.f32 q0, q1, #0", "b9ff4206", {arm.THUMB2, arm.NEON}),
    (".inst.w 0xef120d44", "12ef440d", {arm.THUMB2, arm.NEON, arm.NEON_LATER}),  # vadd.f16
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
