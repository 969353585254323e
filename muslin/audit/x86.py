"""What an instruction of x86 needs beyond SSE2, by its name.

Names are capstone's; which extension has them is in Intel's Software Developer's Manual, volume 2.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from muslin.audit import x86_vectors
from muslin.audit.x86_vectors import AVX, AVX512, MASKS, PREFIXES, VECTORS

__all__ = ["AVX", "AVX512", "VECTORS"]  # words too, for `baseline.words`

SSE3 = "SSE3"
SSSE3 = "SSSE3"
SSE41 = "SSE4.1"
SSE42 = "SSE4.2"
POPCNT = "POPCNT"
AES = "AES-NI"
PCLMUL = "PCLMULQDQ"
SHA = "SHA"
BMI = "BMI or LZCNT"
ADX = "ADX"
MOVBE = "MOVBE"
CX16 = "CMPXCHG16B"
RANDOM = "RDRAND or RDSEED"
LAHF = "LAHF and SAHF"
XSAVE = "XSAVE"
XSAVEOPT = "XSAVEOPT, XSAVEC or XSAVES"
TSX = "TSX"
TBM = "TBM"
THREE_D_NOW = "3DNow!"
CET = "shadow stacks (CET)"
OTHERS = "another extension"
UNKNOWN = "something that the disassembler does not know"
TWO_WAYS = "one reading of near branches with prefix 66, where AMD and Intel differ"

BY_NAME = {
    SSE3: "addsubpd addsubps fisttp haddpd haddps hsubpd hsubps lddqu movddup movshdup movsldup",
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
    ADX: "adcx adox",
    BMI: "andn bextr blsi blsmsk blsr bzhi lzcnt mulx pdep pext rorx sarx shlx shrx",
    MOVBE: "movbe",
    CX16: "cmpxchg16b",
    RANDOM: "rdrand rdseed",
    LAHF: "lahf sahf",
    XSAVE: "xrstor xrstor64 xsave xsave64",
    XSAVEOPT: "xrstors xrstors64 xsavec xsavec64 xsaveopt xsaveopt64 xsaves xsaves64",
    TSX: "xabort xbegin xend xtest",
    TBM: "blcfill blci blcic blcmsk blcs blsfill blsic t1mskc tzmsk",
    THREE_D_NOW: "femms pf2id pf2iw pfacc pfadd pfcmpeq pfcmpge pfcmpgt pfmax pfmin pfmul pfnacc "
    "pfpnacc pfrcp pfrcpit1 pfrcpit2 pfrsqit1 pfrsqrt pfsub pfsubr pavgusb pi2fd pi2fw pmulhrw "
    "prefetch pswapd",
    CET: "clrssbsy incsspd incsspq rstorssp saveprevssp setssbsy wrssd wrssq wrussd wrussq",
    OTHERS: "cldemote clflushopt clwb clzero enqcmd enqcmds extrq gf2p8affineinvqb gf2p8affineqb "
    "gf2p8mulb insertq monitor monitorx movdir64b movdiri movntsd movntss mwait mwaitx pconfig "
    "prefetchw prefetchwt1 ptwrite rdfsbase rdgsbase rdpid rdpru rdtscp serialize tpause umonitor "
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
BY_MODE = {
    32: "aaa aad aam aas bound daa das into jcxz lahf lds les popal popaw popfd pushal pushaw "
    "pushfd sahf salc sysenter sysexit"
}
"""What 64-bit mode took away, or gave back later; Pentium 4 and later have all of it."""
NAMES_OF_32_BITS = frozenset(BY_MODE[32].split())
AMD_ALONE = ("syscall", "sysret")
"""In 32-bit code."""
BASELINE = {
    *(name for names in BEGAN_WITH.values() for name in names.split()),
    *(f"{name}{when}" for name in ("cmov", "j", "set") for when in CONDITIONS),
    *(f"cmp{how}{kind}" for how in COMPARISONS for kind in ("pd", "ps", "sd", "ss")),
}
"""x86-64 as it began. endbr, rdssp and xacquire do nothing where they are not known; tzcnt is bsf
there, with another result for 0. xgetbv is how a program asks whether AVX may be used."""
NEEDS = {name: needs for needs, names in BY_NAME.items() for name in names.split()}
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
EXITS_OF_32_BITS = ("eax, 1", "eax, 0xfc")


def number(name: str, operands: str, bits: int = 64) -> int:
    """What stands for an instruction in `flow.is_exit`."""
    if bits == 32:
        if name == "mov" and operands in EXITS_OF_32_BITS:
            return -1
        return -2 if name == "int" and operands == "0x80" else 0
    if name == "mov" and operands in EXITS:
        return -1
    return -2 if name == "syscall" else 0


def leads(name: str, operands: str) -> bool:
    """Whether it goes to an address that it holds."""
    return is_branch(name) and operands[:1].isdigit()


def needs(name: str, operands: str, code: bytes, bits: int = 64) -> Iterator[str]:
    """Everything that an instruction needs beyond the baseline."""
    name = name.rsplit(" ", 1)[-1]  # less lock and rep
    if 0x66 in code and is_read_two_ways(code):
        yield TWO_WAYS
    if bits == 32 and name in NAMES_OF_32_BITS:
        return
    if name == "pextrw" and "[" in operands:
        yield SSE41  # to a register it is SSE's
    elif name in BASELINE and not (bits == 32 and name in AMD_ALONE):
        return
    elif name == ".byte":
        yield UNKNOWN
    elif name in NEEDS:
        yield NEEDS[name]
    elif name.startswith(MASKS) or (name.startswith("v") and not name.startswith(VIRTUAL)):
        yield x86_vectors.level(name, code)
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


SHORT = {0xEB, *range(0x70, 0x80), *range(0xE0, 0xE4)}
"""Branches with an offset of one byte."""
NEAR = {0xE8, 0xE9}
RETURNS = {0xC2, 0xC3}


def _operation(code: bytes) -> bytes:
    """What comes behind the prefixes of an instruction with 66 and without REX.W; nothing else."""
    at, seen, wide = 0, False, False
    while at < len(code) and (code[at] in PREFIXES or code[at] & 0xF0 == 0x40):
        seen |= code[at] == 0x66
        wide = code[at] & 0xF8 == 0x48  # a REX prefix counts right before the operation alone
        at += 1
    return code[at:] if seen and not wide else b""


def is_read_two_ways(code: bytes) -> bool:
    """Whether it is a near branch with prefix 66: Intel's processors ignore that in 64-bit mode,
    AMD's take 16 bits of the address, and of the offset. In 32-bit mode both cut the address.

    Intel's manual, volume 2, and AMD's (24594): `jmp`, `jcc`, `call` and `ret`.
    """
    first, second = (_operation(code) + b"\0\0")[:2]
    if first == 0x0F:
        return second & 0xF0 == 0x80
    if first == 0xFF:
        return second >> 3 & 7 in (2, 4)
    return first in SHORT or first in NEAR or first in RETURNS


def other_reading(at: int, code: bytes, name: str) -> tuple[int, ...]:
    """Where AMD's processors go by a near branch of 64-bit code that `is_read_two_ways`; capstone
    says where Intel's go."""
    if 0x66 not in code or not leads(name, "0") or not is_read_two_ways(code):
        return ()
    operation = _operation(code)
    if operation[0] == 0xFF:
        return ()
    short = operation[0] in SHORT
    behind = at + len(code) - (0 if short else 2)
    offset = code[-1:] if short else code[-4:-2]
    to = behind + int.from_bytes(offset, "little", signed=True) & 0xFFFF
    return (to,) if name.endswith("jmp") else (to, behind)
