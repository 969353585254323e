"""Of 64-bit ARM, beyond ARMv8.0."""

from __future__ import annotations

from recipes.audit import aarch64
from tests.instructions import Cases

A64: Cases = (
    ("cas w0, w1, [x2]", "417ca088", {aarch64.LSE}),
    ("casp w0, w1, w2, w3, [x4]", "827c2008", {aarch64.LSE}),
    ("ldadd w0, w1, [x2]", "410020b8", {aarch64.LSE}),
    ("swpal x0, x1, [x2]", "4180e0f8", {aarch64.LSE}),
    ("stadd w0, [x2]", "5f0020b8", {aarch64.LSE}),
    ("ldapr w0, [x1]", "20c0bfb8", {aarch64.RCPC}),
    ("ldapur w0, [x1, #4]", "20404099", {aarch64.RCPC}),
    ("ldlar w0, [x1]", "207cdf88", {aarch64.LOR}),
    ("add z0.s, z1.s, z2.s", "2000a204", {aarch64.SVE}),
    ("ptrue p0.b", "e0e31825", {aarch64.SVE}),
    ("aese v0.16b, v1.16b", "2048284e", {aarch64.AES}),
    ("aesimc v0.16b, v1.16b", "2078284e", {aarch64.AES}),
    ("sha1c q0, s1, v2.4s", "2000025e", {aarch64.SHA}),
    ("sha256h q0, q1, v2.4s", "2040025e", {aarch64.SHA}),
    ("sha256su0 v0.4s, v1.4s", "2028285e", {aarch64.SHA}),
    ("pmull v0.1q, v1.1d, v2.1d", "20e0e20e", {aarch64.PMULL}),
    ("sha512h q0, q1, v2.2d", "208062ce", {aarch64.SHA3}),
    ("eor3 v0.16b, v1.16b, v2.16b, v3.16b", "200c02ce", {aarch64.SHA3}),
    ("crc32b w0, w1, w2", "2040c21a", {aarch64.CRC}),
    ("crc32cx w0, w1, x2", "205cc29a", {aarch64.CRC}),
    ("sqrdmlah v0.4s, v1.4s, v2.4s", "2084826e", {aarch64.RDM}),
    ("udot v0.4s, v1.16b, v2.16b", "2094826e", {aarch64.DOT}),
    ("sdot v0.4s, v1.16b, v2.4b[1]", "20e0a24f", {aarch64.DOT}),
    ("fadd h0, h1, h2", "2028e21e", {aarch64.FP16}),
    ("fadd v0.8h, v1.8h, v2.8h", "2014424e", {aarch64.FP16}),
    ("fcmla v0.4s, v1.4s, v2.4s, #90", "20cc826e", {aarch64.COMPLEX}),
    ("fjcvtzs w0, d0", "00007e1e", {aarch64.COMPLEX}),
    ("braaz x0", "1f081fd6", {aarch64.PAUTH}),
    ("retaa", "ff0b5fd6", {aarch64.PAUTH}),
    ("ldraa x0, [x1]", "200420f8", {aarch64.PAUTH}),
    ("pacga x0, x1, x2", "2030c29a", {aarch64.PAUTH}),
    ("fmadd h0, h1, h2, h3", "200cc21f", {aarch64.FP16}),
    ("fneg v0.8h, v1.8h", "20f8f86e", {aarch64.FP16}),
    ("fsqrt v0.4h, v1.4h", "20f8f92e", {aarch64.FP16}),
    ("fmul v0.8h, v1.8h, v2.h[1]", "2090124f", {aarch64.FP16}),
    ("fmla h0, h1, v2.h[3]", "2010325f", {aarch64.FP16}),
    ("fmov v0.8h, #1.0", "00fe034f", {aarch64.FP16}),
    ("scvtf h0, h1", "20d8795e", {aarch64.FP16}),
    ("fmaxnmv h0, v1.8h", "20c8304e", {aarch64.FP16}),
    ("sqrdmlah v0.4s, v1.4s, v2.s[1]", "20d0a26f", {aarch64.RDM}),
    ("sqrdmlsh h0, h1, v2.h[1]", "20f0527f", {aarch64.RDM}),
    ("fcmla v0.4s, v1.4s, v2.s[1], #90", "2038826f", {aarch64.COMPLEX}),
    ("bfdot v0.4s, v1.8h, v2.8h", "20fc426e", {aarch64.BF16}),
    ("bfcvt h0, s1", "2040631e", {aarch64.BF16}),
    ("bfmlalb v0.4s, v1.8h, v2.h[1]", "20f0d20f", {aarch64.BF16}),
    ("usdot v0.4s, v1.16b, v2.16b", "209c824e", {aarch64.I8MM}),
    ("smmla v0.4s, v1.16b, v2.16b", "20a4824e", {aarch64.I8MM}),
    ("sudot v0.4s, v1.16b, v2.4b[1]", "20f0224f", {aarch64.I8MM}),
    ("fmlal v0.4s, v1.4h, v2.4h", "20ec224e", {aarch64.FHM}),
    ("fmlsl2 v0.4s, v1.4h, v2.h[1]", "20c0926f", {aarch64.FHM}),
    ("cpyfp [x0]!, [x1]!, x2!", "40040119", {aarch64.MOPS}),
    ("setp [x0]!, x1!, x2", "2004c219", {aarch64.MOPS}),
    ("stg x0, [x1]", "200820d9", {aarch64.MTE}),
    ("addg x0, x1, #16, #1", "20048191", {aarch64.MTE}),
    ("irg x0, x1", "2010df9a", {aarch64.MTE}),
    ("smax x0, x1, x2", "2060c29a", {aarch64.MTE}),
    ("ctz x0, x1", "2018c0da", {aarch64.MTE}),
    ("cfinv", "1f4000d5", {aarch64.FLAGM}),
    ("rmif x0, #1, #2", "028400ba", {aarch64.FLAGM}),
    ("frint32z s0, s1", "2040281e", {aarch64.FRINTTS}),
    ("frint64x v0.2d, v1.2d", "20f8616e", {aarch64.FRINTTS}),
    ("pacia x0, x1", "2000c1da", {aarch64.PAUTH}),
    # by number, where the assembler wants another architecture for them
    (".inst 0x69000400", "00040069", {aarch64.MTE}),  # stgp
    (".inst 0x1ec2fc00", "00fcc21e", {aarch64.FP16}),  # to and from fixed point: scalars, vectors
    (".inst 0x1ed9c550", "50c5d91e", {aarch64.FP16}),
    (".inst 0x0f1ffc20", "20fc1f0f", {aarch64.FP16}),
    (".inst 0x7f14e609", "09e6147f", {aarch64.FP16}),
    (".inst 0x5e30c820", "20c8305e", {aarch64.FP16}),  # fmaxnmp of a pair
    (".inst 0x5eb0cbfe", "fecbb05e", {aarch64.FP16}),
    (".inst 0x54000030", "30000054", {aarch64.NEWER}),  # bc.eq
    (".inst 0x19201000", "00102019", {aarch64.NEWER}),  # ldclrp
    (".inst 0x19200820", "20082019", {aarch64.NEWER}),  # rcwcas
    (".inst 0xbc200000", "000020bc", {aarch64.NEWER}),  # ldfadd
    (".inst 0xd91f0c20", "200c1fd9", {aarch64.NEWER}),  # gcsstr
    (".inst 0x0ea0dc00", "00dca00e", {aarch64.NEWER}),  # famax
    (".inst 0x9a022020", "2020029a", {aarch64.NEWER}),  # addpt
    (".inst 0x9b600000", "0000609b", {aarch64.NEWER}),  # maddpt
    (".inst 0x74000000", "00000074", {aarch64.NEWER}),  # cbgt
    (".inst 0x4e801000", "0010804e", {aarch64.NEWER}),  # luti
    (".inst 0xd53b2400", "00243bd5", {aarch64.SYSTEM}),  # mrs rndr
    (".inst 0xd503415f", "5f4103d5", {aarch64.SYSTEM}),  # msr dit
    (".inst 0xd50330ff", "ff3003d5", {aarch64.SYSTEM}),  # sb
    (".inst 0xd503437f", "7f4303d5", {aarch64.SYSTEM}),  # smstart
    (".inst 0xd503323f", "3f3203d5", {aarch64.SYSTEM}),  # dsb nXS
    (".inst 0xd50b7c20", "207c0bd5", {aarch64.SYSTEM}),  # dc cvap
    (".inst 0xd5233060", "603023d5", {aarch64.SYSTEM}),  # tstart
    # what every processor has, or takes for a hint
    ("paciasp", "3f2303d5", set()),
    ("bti c", "5f2403d5", set()),
    ("ldxr w0, [x1]", "207c5f88", set()),
    ("ldaxp x0, x1, [x2]", "40847fc8", set()),
    ("stlr w0, [x1]", "20fc9f88", set()),
    ("ldar x0, [x1]", "20fcdfc8", set()),
    ("dmb ish", "bf3b03d5", set()),
    ("fcvt s0, h1", "2040e21e", set()),
    ("fcvt h0, d1", "20c0631e", set()),
    ("fadd d0, d1, d2", "2028621e", set()),
    ("fmadd s0, s1, s2, s3", "200c021f", set()),
    ("pmull v0.8h, v1.8b, v2.8b", "20e0220e", set()),
    ("mul v0.4s, v1.4s, v2.4s", "209ca24e", set()),
    ("sqrdmulh v0.4s, v1.4s, v2.4s", "20b4a26e", set()),
    ("umull v0.2d, v1.2s, v2.2s", "20c0a22e", set()),
    ("ldr x0, [x1, x2, lsl #3]", "207862f8", set()),
    ("ldrsw x0, [x1], #4", "204480b8", set()),
    ("prfm pldl1keep, [x0]", "000080f9", set()),
    ("add x0, x1, #1, lsl #12", "20044091", set()),
    ("fmov v0.4s, #1.0", "00f6034f", set()),
    ("fmla v0.4s, v1.4s, v2.s[1]", "2010a24f", set()),
    ("fmulx d0, d1, v2.d[1]", "2098c27f", set()),
    ("mla v0.4s, v1.4s, v2.s[1]", "2000a26f", set()),
    ("sqdmull v0.4s, v1.4h, v2.h[1]", "20b0520f", set()),
    ("smlal2 v0.2d, v1.4s, v2.s[0]", "2020824f", set()),
    ("frintx d0, d1", "2040671e", set()),
    ("fcvtl v0.4s, v1.4h", "2078210e", set()),
    ("fcvtn v0.4h, v1.4s", "2068210e", set()),
    ("clz x0, x1", "2010c0da", set()),
    ("rev16 w0, w1", "2004c05a", set()),
    ("lslv x0, x1, x2", "2020c29a", set()),
    ("udiv x0, x1, x2", "2008c29a", set()),
    ("adcs x0, x1, x2", "200002ba", set()),
    ("ccmp x0, x1, #0, eq", "000041fa", set()),
    ("msr fpcr, x0", "00441bd5", set()),
    ("hint #20", "9f2203d5", set()),
    ("ubfx x0, x1, #3, #4", "201843d3", set()),
    ("csel x0, x1, x2, eq", "2000829a", set()),
    ("mrs x0, tpidr_el0", "40d03bd5", set()),
    ("mrs x0, cntvct_el0", "40e03bd5", set()),
    ("mrs x0, midr_el1", "000038d5", set()),  # the kernel answers
    ("dc zva, x0", "20740bd5", set()),
    ("dsb sy", "9f3f03d5", set()),
    ("isb", "df3f03d5", set()),
    ("clrex", "5f3f03d5", set()),
    ("ldp x0, x1, [x2]", "400440a9", set()),
    ("ldpsw x0, x1, [x2]", "40044069", set()),
    ("scvtf d0, x1, #3", "20f4429e", set()),
    ("fcvtzs v0.4s, v1.4s, #3", "20fc3d4f", set()),
    ("faddp s0, v1.2s", "20d8307e", set()),
    ("tbl v0.16b, {v1.16b, v2.16b}, v3.16b", "2020034e", set()),
)
ARCHITECTURE = ".arch armv9.4-a+sve2+sha3+sha2+aes+crc+fp16fml+memtag+cssc+mops\n"
