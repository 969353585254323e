"""What an instruction of x86-64 needs beyond SSE2, by its name.

Names are capstone's; which extension has them is in Intel's Software Developer's Manual, volume 2.
"""

from __future__ import annotations

import functools
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
CET = "shadow stacks (CET)"
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
    XSAVE: "xrstor xrstor64 xrstors xrstors64 xsave xsave64 xsavec xsavec64 xsaveopt "
    "xsaveopt64 xsaves xsaves64",
    TSX: "xabort xbegin xend xtest",
    TBM: "blcfill blci blcic blcmsk blcs blsfill blsic t1mskc tzmsk",
    THREE_D_NOW: "femms pf2id pf2iw pfacc pfadd pfcmpeq pfcmpge pfcmpgt pfmax pfmin pfmul pfnacc "
    "pfpnacc pfrcp pfrcpit1 pfrcpit2 pfrsqit1 pfrsqrt pfsub pfsubr pavgusb pi2fd pi2fw pmulhrw "
    "prefetch pswapd",
    CET: "clrssbsy incsspd incsspq rstorssp saveprevssp setssbsy wrssd wrssq wrussd wrussq",
    OTHERS: "cldemote clflushopt clwb clzero enqcmd enqcmds extrq gf2p8affineinvqb gf2p8affineqb "
    "gf2p8mulb insertq lahf monitorx movdir64b movdiri movntsd movntss mwaitx pconfig prefetchw "
    "prefetchwt1 ptwrite rdfsbase rdgsbase rdpid rdpru rdtscp sahf serialize tpause umonitor "
    "umwait wrfsbase wrgsbase",
}
BEGAN_WITH = {
    "general": (
        "adc add and arpl bsf bsr bswap bt btc btr bts call cbw cdq cdqe clc cld cmc cmp cmpsb "
        "cmpsd cmpsq cmpsw cmpxchg cmpxchg8b cpuid cqo cwd cwde data16 dec div endbr32 endbr64 "
        "enter idiv imul inc int int3 jecxz jmp jrcxz lar lcall lea leave lfs lgs ljmp lock lodsb "
        "lodsd lodsq lodsw loop loope loopne lsl lss mov movabs movsb movsd movsq movsw movsx "
        "movsxd movzx mul neg nop not or pause pop popf popfq push pushf pushfq rcl rcr rdsspd "
        "rdsspq rdtsc rep repne ret retf retfq rex64 rol ror sal sar sbb scasb scasd scasq scasw "
        "sgdt shl shld shr shrd sidt sldt smsw stc std stosb stosd stosq stosw str sub syscall "
        "test tzcnt ud0 ud1 ud2 verr verw xacquire xadd xchg xgetbv xlatb xor xrelease"
    ),
    "kernel": (  # it was there from the beginning too
        "clts hlt invd invlpg lgdt lidt lldt lmsw ltr rdmsr wrmsr swapgs sysret sysretq wbinvd in "
        "insb insd insw out outsb outsd outsw cli sti iret iretd iretq rdpmc int1"
    ),
    "x87": (
        "f2xm1 fabs fadd faddp fbld fbstp fchs fcmovb fcmovbe fcmove fcmovnb fcmovnbe fcmovne "
        "fcmovnp fcmovnu fcmovu fcom fcomi fcomp fcompi fcompp fcos fdecstp fdiv fdivp fdivr "
        "fdivrp ffree "
        "ffreep fiadd ficom ficomp fidiv fidivr fild fimul fincstp fist fistp fisub fisubr fld "
        "fld1 fldcw fldenv fldl2e fldl2t fldlg2 fldln2 fldpi fldz fmul fmulp fnclex fninit fnop "
        "fnsave fnstcw fnstenv fnstsw fpatan fprem fprem1 fptan frndint frstor fscale fsin "
        "fsincos fsqrt fst fstp fstpnce fsub fsubp fsubr fsubrp ftst fucom fucomi fucomp fucompi "
        "fucompp fxam fxch fxtract fyl2x fyl2xp1 wait"
    ),
    "SSE2": (  # with MMX and SSE
        "addpd addps addsd addss andnpd andnps andpd andps clflush cmppd cmpps cmpss comisd "
        "comiss cvtdq2pd cvtdq2ps cvtpd2dq cvtpd2pi cvtpd2ps cvtpi2pd cvtpi2ps cvtps2dq cvtps2pd "
        "cvtps2pi cvtsd2si cvtsd2ss cvtsi2sd cvtsi2ss cvtss2sd cvtss2si cvttpd2dq cvttpd2pi "
        "cvttps2dq cvttps2pi cvttsd2si cvttss2si divpd divps divsd divss emms fxrstor fxrstor64 "
        "fxsave fxsave64 ldmxcsr lfence maskmovdqu maskmovq maxpd maxps maxsd maxss mfence minpd "
        "minps minsd minss movapd movaps movd movdq2q movdqa movdqu movhlps movhpd movhps movlhps "
        "movlpd movlps movmskpd movmskps movntdq movnti movntpd movntps movntq movq movq2dq movss "
        "movupd movups mulpd mulps mulsd mulss orpd orps packssdw packsswb packuswb paddb paddd "
        "paddq paddsb paddsw paddusb paddusw paddw pand pandn pavgb pavgw pcmpeqb pcmpeqd pcmpeqw "
        "pcmpgtb pcmpgtd pcmpgtw pextrw pinsrw pmaddwd pmaxsw pmaxub pminsw pminub pmovmskb "
        "pmulhuw pmulhw pmullw pmuludq por prefetchnta prefetcht0 prefetcht1 prefetcht2 psadbw "
        "pshufd pshufhw pshuflw pshufw pslld pslldq psllq psllw psrad psraw psrld psrldq psrlq "
        "psrlw psubb psubd psubq psubsb psubsw psubusb psubusw psubw punpckhbw punpckhdq "
        "punpckhqdq punpckhwd punpcklbw punpckldq punpcklqdq punpcklwd pxor rcpps rcpss rsqrtps "
        "rsqrtss sfence shufpd shufps sqrtpd sqrtps sqrtsd sqrtss stmxcsr subpd subps subsd subss "
        "ucomisd ucomiss unpckhpd unpckhps unpcklpd unpcklps xorpd xorps"
    ),
}
CONDITIONS = (
    "a",
    "ae",
    "b",
    "be",
    "e",
    "g",
    "ge",
    "l",
    "le",
    "ne",
    "no",
    "np",
    "ns",
    "o",
    "p",
    "s",
)
COMPARISONS = ("eq", "le", "lt", "neq", "nle", "nlt", "ord", "unord")
BASELINE = {
    *(name for names in BEGAN_WITH.values() for name in names.split()),
    *(f"{name}{when}" for name in ("cmov", "j", "set") for when in CONDITIONS),
    *(f"cmp{how}{kind}" for how in COMPARISONS for kind in ("pd", "ps", "sd", "ss")),
}
"""x86-64 as it began. endbr, rdssp and xacquire do nothing where they are not known; tzcnt is bsf
there, with another result for 0. xgetbv is how a program asks whether AVX may be used."""
NEEDS = {name: needs for needs, names in BY_NAME.items() for name in names.split()}
MASKS = ("kadd", "kand", "kmov", "knot", "kor", "kshift", "ktest", "kunpck", "kxnor", "kxor")
"""How instructions begin that work on AVX-512's mask registers."""
VIRTUAL = ("vmc", "vmf", "vml", "vmmcall", "vmptr", "vmr", "vms", "vmw", "vmx")
"""How instructions begin that have a v and are for virtual machines."""


LONGEST = 15
"""Bytes of an instruction."""
ENDS = ("jmp", "ret", "ud2", "hlt")
"""Behind which nothing is run."""


@functools.cache
def is_branch(name: str) -> bool:
    """Whether it goes to where its operand says."""
    return name.rsplit(maxsplit=1)[-1].startswith(("j", "call", "loop", "xbegin"))


BY_VALUE = ("jmp", "call", "ret", "notrack jmp", "bnd jmp", "bnd call", "bnd ret")
"""What can lead to an address that is put together before."""
EXITS = ("eax, 0x3c", "eax, 0xe7")
"""What `mov` writes before the system calls exit and exit_group."""


def number(name: str, operands: str) -> int:
    """What stands for an instruction in `flow.is_exit`."""
    if name == "mov" and operands in EXITS:
        return -1
    return -2 if name == "syscall" else 0


def leads(name: str, operands: str) -> bool:
    """Whether it goes to an address that it holds."""
    return is_branch(name) and operands[:1].isdigit()


def needs(name: str, operands: str) -> Iterator[str]:
    """Everything that an instruction needs beyond the baseline."""
    name = name.rsplit(" ", 1)[-1]  # less lock and rep
    if name == "pextrw" and "[" in operands:
        yield SSE41  # to a register it is SSE's
    elif name in BASELINE:
        return
    elif name == ".byte":
        yield UNKNOWN
    elif name in NEEDS:
        yield NEEDS[name]
    elif name.startswith(MASKS) or (name.startswith("v") and not name.startswith(VIRTUAL)):
        yield AVX
    else:
        yield OTHERS


TRAPS = ("ud0", "ud1")
"""They have operands as others do, which capstone 5 leaves to what comes next."""


def operand_bytes(content: bytes, at: int) -> int:
    """Length of the operands whose first byte (ModRM) is at a place; 0 at the end of the code.

    Intel's manual, volume 2, section 2.1.3.
    """
    if at >= len(content):
        return 0
    mode, register = content[at] >> 6, content[at] & 7
    if mode == 3:
        return 1
    length = 1
    if register == 4:
        based = at + 1 < len(content) and content[at + 1] & 7 == 5
        length += 1 + (4 if mode == 0 and based else 0)
    elif mode == 0 and register == 5:
        length += 4
    return length + (0, 1, 4)[mode]
