"""What must not pass, and which witness says so: `docs/witnesses.md` is written by this test.

Wants `nox -s build-all` first. `MUSLIN_GOLDEN=write` writes the tables anew, a target's at a time.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from muslin.audit import allowed, audit
from muslin.audit.baseline import BASELINES
from muslin.audit.finding import Refused
from muslin.cli import errors
from muslin.cli.context import Context
from muslin.engine.console import Report
from tests import opened
from tests.product.conftest import PROJECT, Product, output

PAGE = PROJECT / "docs" / "witnesses.md"
MAIN = """\
#include <stdio.h>
static _Alignas(64) unsigned char memory[256];
extern void f(void *);
int main(void) { f(memory); puts("ran"); }
"""
PLAIN = '#include <stdio.h>\nint main(void) { puts("ran"); }\n'
FLOATS = "double f(double a, unsigned b) { return a * (b % 7 + 0x12345678u); }\n"
FITS, RUNS, UNSEEN = "fits", "runs", "not looked at"

# In front of an instruction, and behind it so that the attributes know nothing of it.
ARM_HEAD = ".syntax unified\n.arch armv8-a\n.arch_extension crc\n.fpu crypto-neon-fp-armv8\n"
TAILS = {
    "armv6": ".arch armv6\n.fpu vfp\n",
    "armv7": ".arch armv7-a\n.fpu vfpv3-d16\n",
}
A64_HEAD = ".arch armv8.6-a+sve2+sha3+sha2+aes+crc+fp16fml+memtag\n"
THUMB = ".thumb\n.thumb_func\n"

ARM_BOTH = {
    "integer division": "sdiv r0, r1, r2",
    "ARMv8 load and acquire": "lda r1, [r0]",
    "ARMv8 CRC32": "crc32b r0, r1, r2",
    "VFPv4 fused multiplication": "vfma.f64 d0, d1, d2",
    "half precision": "vcvtb.f32.f16 s0, s1",
    "d16-d31": "vadd.f64 d16, d1, d2",
    "NEON arithmetic": "vadd.i32 q0, q1, q2",
    "NEON load": "vld1.8 {d0}, [r0]",
    "ARMv8 AES": "aese.8 q0, q1",
    "ARMv8 rounding": "vrinta.f64 d0, d1",
}
INSTRUCTIONS: dict[str, dict[str, str]] = {
    "armv6": {
        "movw": "movw r0, #1",
        "movt": "movt r0, #1",
        "bfi": "bfi r0, r1, #2, #3",
        "ubfx": "ubfx r0, r1, #2, #3",
        "rbit": "rbit r0, r1",
        "mls": "mls r0, r1, r2, r3",
        "ARMv7 dmb": "dmb ish",
        "ARMv7 dsb": "dsb sy",
        "ARMv7 isb": "isb",
        "Thumb-2, wide": f"{THUMB}add.w r0, r1, r2",
        "Thumb-2, it": f"{THUMB}it eq\nmoveq r0, r1",
        "Thumb-2, cbz": f"{THUMB}cbz r0, 1f\n1:",
        "VFPv3 constant": "vmov.f64 d0, #1.0",
        "VFPv3 fixed point": "vcvt.f32.s32 s0, s0, #4",
        **ARM_BOTH,
    },
    "armv7": ARM_BOTH,
    "aarch64": {
        "LSE cas": "cas w1, w2, [x0]",
        "LSE ldadd": "ldadd w1, w2, [x0]",
        "LSE swp": "swpal x1, x2, [x0]",
        "SVE": "ptrue p0.b",
        "AES": "aese v0.16b, v1.16b",
        "SHA-1": "sha1c q0, s1, v2.4s",
        "SHA-256": "sha256h q0, q1, v2.4s",
        "polynomial multiplication": "pmull v0.1q, v1.1d, v2.1d",
        "SHA-512": "sha512h q0, q1, v2.2d",
        "SHA-3": "eor3 v0.16b, v1.16b, v2.16b, v3.16b",
        "CRC32": "crc32b w0, w1, w2",
        "rounding multiplication": "sqrdmlah v0.4s, v1.4s, v2.4s",
        "dot product": "udot v0.4s, v1.16b, v2.16b",
        "half precision": "fadd v0.8h, v1.8h, v2.8h",
        "complex numbers": "fcmla v0.4s, v1.4s, v2.4s, #90",
        "conversion for JavaScript": "fjcvtzs w0, d0",
        "release consistency": "ldapr w1, [x0]",
        "pointer authentication": "pacga x0, x1, x2",
        "BF16": "bfdot v0.4s, v1.8h, v2.8h",
        "8-bit matrices": "smmla v0.4s, v1.16b, v2.16b",
        "memory tags": "irg x0, x1",
        "flag manipulation": "cfinv",
        "rounding to 32 bits": "frint32z s0, s1",
    },
    "x86_64": {
        "SSE3": "haddps %xmm0, %xmm1",
        "SSSE3": "pshufb %xmm0, %xmm1",
        "SSE4.1": "pmulld %xmm0, %xmm1",
        "SSE4.2": "pcmpgtq %xmm0, %xmm1",
        "SSE4.2 CRC32": "crc32b %al, %ecx",
        "POPCNT": "popcnt %rax, %rcx",
        "AES": "aesenc %xmm0, %xmm1",
        "PCLMULQDQ": "pclmulqdq $0, %xmm0, %xmm1",
        "SHA": "sha256msg1 %xmm0, %xmm1",
        "AVX": "vaddps %xmm0, %xmm1, %xmm2",
        "AVX2": "vpaddd %ymm0, %ymm1, %ymm2",
        "AVX-512": "vpxorq %zmm0, %zmm1, %zmm2",
        "BMI1": "andn %rax, %rcx, %rdx",
        "BMI2": "rorx $1, %rax, %rcx",
        "LZCNT": "lzcnt %rax, %rcx",
        "ADX": "adcx %rax, %rcx",
        "MOVBE": "movbe (%rdi), %rcx",
        "CMPXCHG16B": "push %rbx\nlock cmpxchg16b (%rdi)\npop %rbx",
        "RDRAND": "rdrand %rax",
        "XSAVE": "xor %edx, %edx\nxor %eax, %eax\nxsave (%rdi)",
        "3DNow!": "pfadd %mm0, %mm1\nemms",
    },
}


@dataclass(frozen=True, kw_only=True)
class Control:
    """Something that must not pass."""

    name: str
    make: Callable[[Product, Path], Path]
    program: bool = True
    """Whether it can be run; an object or archive cannot."""


def gcc(product: Product, folder: Path, *options: str, text: str = PLAIN) -> Path:
    (folder / "x.c").write_text(text)
    compiler = product.toolchain / "bin" / f"{product.target.triple}-gcc"
    output([compiler, "-O2", "x.c", *options, "-o", "made"], cwd=folder)
    return folder / "made"


def instruction(text: str) -> Callable[[Product, Path], Path]:
    def make(product: Product, folder: Path) -> Path:
        name = product.target.name
        head = {"aarch64": A64_HEAD, "x86_64": ""}.get(name, ARM_HEAD)
        back = {"aarch64": "ret", "x86_64": "ret"}.get(name, "bx lr")
        kind = "%function" if name != "x86_64" else "@function"
        thumb, _, bare = text.rpartition(THUMB) if THUMB in text else ("", "", text)
        lead = THUMB if THUMB in text else thumb
        (folder / "f.s").write_text(
            f"{head}.text\n.globl f\n.type f, {kind}\n{lead}f:\n{bare}\n{back}\n"
            f'.size f, .-f\n{TAILS.get(name, "")}.section .note.GNU-stack,"",{kind[0]}progbits\n'
        )
        return gcc(product, folder, "f.s", "-static", text=MAIN)

    return make


LATER = {
    "armv6": ("-march=armv7-a+fp",),
    "armv7": ("-march=armv8-a+simd", "-mfpu=neon-fp-armv8"),
    "aarch64": ("-march=armv8.2-a",),
    "x86_64": ("-march=x86-64-v3",),
}


def archive(product: Product, folder: Path) -> Path:
    """Objects of the target with one among them that is for a later processor."""
    programs, triple = product.toolchain / "bin", product.target.triple
    later = gcc(product, folder, "-c", "-ftree-vectorize", *LATER[product.target.name], text=LOOP)
    later.rename(folder / "slipped.o")
    gcc(product, folder, "-c").rename(folder / "fine.o")
    output([programs / f"{triple}-ar", "rc", "made.a", "fine.o", "slipped.o"], cwd=folder)
    return folder / "made.a"


LOOP = """\
void f(float *restrict a, const float *restrict b) { for (int i = 0; i < 64; i++) a[i] += b[i]; }
int g(int *a) { return __atomic_fetch_add(a, 1, __ATOMIC_SEQ_CST); }
"""


def patched(offset: int, content: bytes) -> Callable[[Product, Path], Path]:
    def make(product: Product, folder: Path) -> Path:
        made = gcc(product, folder, "-static")
        whole = bytearray(made.read_bytes())
        whole[offset : offset + len(content)] = content
        made.write_bytes(whole)
        return made

    return make


def without_sections(product: Product, folder: Path) -> Path:
    """The same program, whose header knows no sections."""
    wide = product.target.name in ("aarch64", "x86_64")
    offset, size, counts = (40, 8, 60) if wide else (32, 4, 48)
    made = patched(offset, bytes(size))(product, folder)
    whole = bytearray(made.read_bytes())
    whole[counts : counts + 4] = bytes(4)
    made.write_bytes(whole)
    return made


def truncated(product: Product, folder: Path) -> Path:
    made = gcc(product, folder, "-static")
    whole = made.read_bytes()
    made.write_bytes(whole[: len(whole) // 2])
    return made


def noted(product: Product, folder: Path) -> Path:
    """A later processor's instruction in an executable section of notes, which linkers keep."""
    name = product.target.name
    mark = "@" if name == "x86_64" else "%"
    words = "popcnt %rax, %rcx\nret" if name == "x86_64" else BY_NUMBER[name]
    (folder / "f.s").write_text(
        f'.section .later,"ax",{mark}note\n.globl f\n.type f, {mark}function\n'
        f"f:\n{words}\n.size f, .-f\n"
        f'.section .note.GNU-stack,"",{mark}progbits\n'
    )
    return gcc(product, folder, "f.s", "-static", text=MAIN)


BY_NUMBER = {
    "armv6": "nop\n.word 0xe3000001\nbx lr",  # movw
    "armv7": ".arm\nnop\n.word 0xf2220844\nbx lr",  # vadd.i32 q0, q1, q2
    "aarch64": "nop\n.word 0x88a17c02\nret",  # cas w1, w2, [x0]
}
"""For old assemblers people write instructions as numbers; to a linker that is data."""


def by_number(product: Product, folder: Path) -> Path:
    (folder / "f.s").write_text(
        f".text\n.globl f\n.type f, %function\nf:\n{BY_NUMBER[product.target.name]}\n"
        '.size f, .-f\n.section .note.GNU-stack,"",%progbits\n'
    )
    return gcc(product, folder, "f.s", "-static", text=MAIN)


def not_marked(product: Product, folder: Path) -> Path:
    """A program whose table of sections calls its code data; it is loaded as before."""
    made = gcc(product, folder, "-static")
    whole = bytearray(made.read_bytes())
    with made.open("rb") as file:
        elf = ELFFile(file)
        index = next(at for at, one in enumerate(elf.iter_sections()) if one.name == ".text")
        flags = elf["e_shoff"] + index * elf["e_shentsize"] + 8
    whole[flags] &= ~0x4  # SHF_EXECINSTR
    made.write_bytes(whole)
    return made


def controls(target: str) -> Iterator[Control]:
    for name, text in INSTRUCTIONS[target].items():
        yield Control(name=f"{name}: `{shown(text)}`", make=instruction(text))
    yield Control(name="an object for a later processor in an archive", make=archive, program=False)
    yield Control(name="a program that wants an interpreter", make=gcc)
    yield Control(name="a program whose header names another machine", make=patched(18, b"\x08\0"))
    yield Control(name="a program that breaks off", make=truncated)
    yield Control(name="a program without a table of sections", make=without_sections)
    yield Control(name="a program whose code is called data", make=not_marked)
    yield Control(name="code in a section of notes", make=noted)
    slim = lambda product, folder: gcc(product, folder, "-c", "-flto", "-fno-fat-lto-objects")  # noqa: E731
    yield Control(name="an object for the linker's optimiser (LTO)", make=slim, program=False)
    if target != "x86_64":
        yield Control(name="an instruction written as a number", make=by_number)
        strip = lambda product, folder: gcc(product, folder, "-static", "-s")  # noqa: E731
        yield Control(name="a stripped program", make=strip)
    if target in TAILS:  # AArch64's linker keeps them
        hide = lambda product, folder: gcc(product, folder, "-static", "-Wl,-x")  # noqa: E731
        yield Control(name="a program without mapping symbols", make=hide)
        soft = lambda product, folder: gcc(product, folder, "-c", "-mfloat-abi=soft", text=FLOATS)  # noqa: E731
        big = lambda product, folder: gcc(product, folder, "-c", "-mbig-endian", text=FLOATS)  # noqa: E731
        yield Control(name="an object with soft float", make=soft, program=False)
        yield Control(name="a big-endian object", make=big, program=False)


def shown(text: str) -> str:
    return "; ".join(line for line in text.splitlines() if not line.startswith((".", "1:")))


def heard(path: Path, baseline: str) -> tuple[str, str]:
    """What the first witness says of a file, and what the second."""
    try:
        found = audit.of(path, path.name, BASELINES[baseline])
    except Refused as fault:
        return str(fault), UNSEEN
    entries = allowed.load()
    refused = [
        one
        for one in found.findings
        if not any(each.covers(one, baseline, found.names) for each in entries)
    ]
    said = sorted({one.what for one in refused if not one.section})
    needs = sorted({f"needs {one.what}" for one in refused if one.section})
    if found.unseen:
        return "; ".join([*said, *found.unseen]), UNSEEN
    return "; ".join(said) or FITS, "; ".join(needs) or FITS


def ran(product: Product, path: Path) -> str:
    """What becomes of it under QEMU on the baseline."""
    path.chmod(0o755)
    done = subprocess.run(
        product.emulated(path), capture_output=True, check=False, text=True, timeout=60
    )
    if done.returncode < 0:
        return f"dies of {signal.Signals(-done.returncode).name}"
    if done.returncode:
        return "cannot be loaded"
    assert done.stdout == "ran\n"
    return RUNS


def is_stopped(product: Product, path: Path) -> bool:
    """Whether the session says no, in one line."""
    context = Context(PROJECT, Report(io.StringIO()))
    words = (product.target.name, "--file", path.name)
    with pytest.raises((errors.NotAudited, errors.DoesNotFit)) as caught:
        opened.session(context, "verify", words, path.parent)
    return len(str(caught.value).splitlines()) == 1


def table(product: Product, folder: Path) -> str:
    target = product.target
    rows = []
    for number, control in enumerate(controls(target.name)):
        place = folder / f"{number}"
        place.mkdir()
        path = control.make(product, place)
        claims, needs = heard(path, target.baseline)
        fate = ran(product, path) if control.program else "is no program"
        assert (claims, needs) != (FITS, FITS), control.name
        assert is_stopped(product, path), control.name
        rows.append(f"| {control.name} | {claims} | {needs} | {fate} |")
        shutil.rmtree(place)
    head = f"On `{target.qemu.program} -cpu {target.qemu.cpu}`"
    lines = (
        f"## {target.name}: {target.baseline}",
        "",
        f"| what must not pass | what it claims | what it contains | {head} |",
        "|---|---|---|---|",
        *rows,
    )
    return "\n".join(lines)


def test_every_control_is_stopped_and_the_page_says_by_whom(
    product: Product, tmp_path: Path
) -> None:
    name = product.target.name
    found = table(product, tmp_path).replace(str(tmp_path), "")
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
    page = PAGE.read_text()
    (standing,) = pattern.finditer(page)
    if os.environ.get("MUSLIN_GOLDEN") == "write":
        PAGE.write_text(page[: standing.end(1)] + found + page[standing.start(2) :])
    else:
        assert standing[0] == f"{standing[1]}{found}{standing[2]}"


def test_a_program_of_the_target_passes_all_three(product: Product, tmp_path: Path) -> None:
    made = gcc(product, tmp_path, "-static-pie")
    assert heard(made, product.target.baseline) == (FITS, FITS)
    assert ran(product, made) == RUNS
