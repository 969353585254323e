"""What an instruction of x86-64 needs beyond SSE2, by its name.

Names are capstone's; which extension has them is in Intel's Software Developer's Manual, volume 2.
"""

from __future__ import annotations

from collections.abc import Iterator

SSE3 = "SSE3"
SSSE3 = "SSSE3"
SSE41 = "SSE4.1"
SSE42 = "SSE4.2"
POPCNT = "POPCNT"
AES = "AES-NI"
PCLMUL = "PCLMULQDQ"
SHA = "SHA"
AVX = "AVX or later"
BMI = "BMI or ADX"
MOVBE = "MOVBE"
CX16 = "CMPXCHG16B"
RANDOM = "RDRAND or RDSEED"
XSAVE = "XSAVE"
TSX = "TSX"
TBM = "TBM"
THREE_D_NOW = "3DNow!"
OTHERS = "another extension"
UNKNOWN = "something that the disassembler does not know"

BY_NAME = {
    SSE3: "addsubpd addsubps fisttp haddpd haddps hsubpd hsubps lddqu monitor movddup movshdup "
    "movsldup mwait",
    SSSE3: "pabsb pabsd pabsw palignr phaddd phaddsw phaddw phsubd phsubsw phsubw pmaddubsw "
    "pmulhrsw pshufb psignb psignd psignw",
    SSE41: "blendpd blendps blendvpd blendvps dppd dpps extractps insertps movntdqa mpsadbw "
    "packusdw pblendvb pblendw pcmpeqq pextrb pextrd pextrq phminposuw pinsrb pinsrd pinsrq pmaxsb "
    "pmaxsd pmaxud pmaxuw pminsb pminsd pminud pminuw pmovsxbd pmovsxbq pmovsxbw pmovsxdq pmovsxwd "
    "pmovsxwq pmovzxbd pmovzxbq pmovzxbw pmovzxdq pmovzxwd pmovzxwq pmuldq pmulld ptest roundpd "
    "roundps roundsd roundss",
    SSE42: "crc32 pcmpestri pcmpestrm pcmpgtq pcmpistri pcmpistrm",
    POPCNT: "popcnt",
    AES: "aesdec aesdeclast aesenc aesenclast aesimc aeskeygenassist",
    PCLMUL: "pclmulqdq pclmullqlqdq pclmulhqlqdq pclmullqhqdq pclmulhqhqdq",
    SHA: "sha1msg1 sha1msg2 sha1nexte sha1rnds4 sha256msg1 sha256msg2 sha256rnds2",
    BMI: "adcx adox andn bextr blsi blsmsk blsr bzhi lzcnt mulx pdep pext rorx sarx shlx shrx",
    MOVBE: "movbe",
    CX16: "cmpxchg16b",
    RANDOM: "rdrand rdseed",
    XSAVE: "xrstor xrstor64 xrstors xrstors64 xsave xsave64 xsavec xsavec64 xsaveopt xsaveopt64 "
    "xsaves xsaves64",
    TSX: "xabort xbegin xend xtest",
    TBM: "blcfill blci blcic blcmsk blcs blsfill blsic t1mskc tzmsk",
    THREE_D_NOW: "femms pf2id pf2iw pfacc pfadd pfcmpeq pfcmpge pfcmpgt pfmax pfmin pfmul pfnacc "
    "pfpnacc pfrcp pfrcpit1 pfrcpit2 pfrsqit1 pfrsqrt pfsub pfsubr pi2fd pi2fw pswapd",
    OTHERS: "cldemote clflushopt clwb clzero enqcmd enqcmds extrq gf2p8affineinvqb gf2p8affineqb "
    "gf2p8mulb insertq lahf monitorx movdir64b movdiri movntsd movntss mwaitx pconfig prefetchw "
    "prefetchwt1 ptwrite rdfsbase rdgsbase rdpid rdpru rdtscp sahf serialize tpause umonitor "
    "umwait wrfsbase wrgsbase",
}
NEEDS = {name: needs for needs, names in BY_NAME.items() for name in names.split()}
NOT_AVX = {
    "verr",
    "verw",
    "vmcall",
    "vmclear",
    "vmfunc",
    "vmlaunch",
    "vmload",
    "vmmcall",
    "vmptrld",
}
"""Names with a v that are no vector instructions."""
MASKS = ("kadd", "kand", "kmov", "knot", "kor", "kshift", "ktest", "kunpck", "kxnor", "kxor")
"""How instructions begin that work on AVX-512's mask registers."""
# tzcnt is not here: older processors run it as bsf, and compilers write it where both agree.


def needs(name: str) -> Iterator[str]:
    """Everything that an instruction of this name needs beyond the baseline."""
    name = name.rsplit(" ", 1)[-1]  # less lock and rep
    if name == ".byte":
        yield UNKNOWN
    elif name in NEEDS:
        yield NEEDS[name]
    elif (name.startswith("v") and name not in NOT_AVX) or name.startswith(MASKS):
        yield AVX
