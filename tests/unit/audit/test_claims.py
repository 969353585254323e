"""What files say of themselves, each claim alone: files made by hand for every baseline."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from muslin.audit import audit
from muslin.audit.baseline import BASELINES
from muslin.audit.finding import Refused
from tests import elf

V5, V6, V7 = "armv5te", "armv6-vfpv2", "armv7-vfpv3-d16"
CPU_ARCH, THUMB_ISA, FP_ARCH, SIMD_ARCH, VFP_ARGS, ENUM_SIZE, DENORMAL = 6, 9, 10, 12, 28, 26, 20
"""Numbers of tags (the ABI for the Arm Architecture, IHI 0045, section 3.3)."""
COMPILED = {ENUM_SIZE: 2}
"""What a compiler writes and an assembler does not."""
HARD, CORE = 1, 0
RETURN = bytes.fromhex("1eff2fe1")
NAMES = [("f", 0, 4, elf.FUNC), ("$a", 0, 0, elf.NOTYPE)]
HARD_FLOAT = 0x400


def said(folder: Path, content: bytes, name: str) -> set[str]:
    path = folder / "x.o"
    path.write_bytes(content)
    return {one.what for one in audit.of(path, "x.o", BASELINES[name]).findings}


def arm(values: dict[int, int | str]) -> bytes:
    return elf.arm(RETURN, NAMES, values)


FITTING = [
    *((name, {CPU_ARCH: value}) for name in (V5, V6, V7) for value in range(6)),
    *((name, {CPU_ARCH: value}) for name in (V6, V7) for value in (6, 7, 9)),
    *((V7, {CPU_ARCH: value}) for value in (8, 10)),
    *((name, {THUMB_ISA: value}) for name in (V5, V6, V7) for value in (0, 1)),
    *((V7, {THUMB_ISA: value}) for value in (2, 3)),
    *((name, {FP_ARCH: value}) for name in (V6, V7) for value in (0, 1, 2)),
    (V7, {FP_ARCH: 4}),
    *((V5, {**COMPILED, VFP_ARGS: value}) for value in (CORE, 2, 3)),
    *((name, {**COMPILED, VFP_ARGS: value}) for name in (V6, V7) for value in (HARD, 3)),
    # assembler files say nothing of it
    *((name, {VFP_ARGS: CORE}) for name in (V5, V6, V7)),
    *((name, {}) for name in (V5, V6, V7)),
]


@pytest.mark.parametrize(("name", "values"), FITTING)
def test_attributes_that_fit(tmp_path: Path, name: str, values: dict[int, int | str]) -> None:
    assert said(tmp_path, arm({5: "a name", **values}), name) == set()


SOFT = "floating point is passed in core registers (Tag_ABI_VFP_args is 0): soft float"
OTHERS = [
    *(
        (V5, {CPU_ARCH: value}, f"Tag_CPU_arch is {words}")
        for value, words in ((6, "v6"), (7, "v6KZ"), (8, "v6T2"), (9, "v6K"), (10, "v7"), (14, 14))
    ),
    *(
        (V6, {CPU_ARCH: value}, f"Tag_CPU_arch is {words}")
        for value, words in ((8, "v6T2"), (10, "v7"), (11, 11), (14, 14))
    ),
    *((V7, {CPU_ARCH: value}, f"Tag_CPU_arch is {value}") for value in (11, 12, 13, 14)),
    *(
        (name, {THUMB_ISA: value}, f"Tag_THUMB_ISA_use is {value}")
        for name in (V5, V6)
        for value in (2, 3)
    ),
    *((V5, {FP_ARCH: value}, f"Tag_FP_arch is {value}") for value in (1, 2, 3, 4)),
    *((V6, {FP_ARCH: value}, f"Tag_FP_arch is {value}") for value in (3, 4, 5, 7)),
    *((V7, {FP_ARCH: value}, f"Tag_FP_arch is {value}") for value in (3, 5, 6, 7, 8)),
    *((name, {SIMD_ARCH: 1}, "Tag_Advanced_SIMD_arch is 1") for name in (V5, V6, V7)),
    *((name, {SIMD_ARCH: 2}, "Tag_Advanced_SIMD_arch is 2") for name in (V5, V6, V7)),
    *((name, COMPILED, SOFT) for name in (V6, V7)),
    *((name, {DENORMAL: 1}, SOFT) for name in (V6, V7)),
    *((name, {**COMPILED, VFP_ARGS: 2}, SOFT) for name in (V6, V7)),
    (
        *(V5, {VFP_ARGS: HARD}),
        "floating point is passed in its own registers (Tag_ABI_VFP_args is 1): hard float",
    ),
]


@pytest.mark.parametrize(("name", "values", "words"), OTHERS)
def test_attributes_that_do_not_fit(
    tmp_path: Path, name: str, values: dict[int, int | str], words: str
) -> None:
    assert said(tmp_path, arm(values), name) == {words}


def test_attributes_of_another_vendor_say_nothing(tmp_path: Path) -> None:
    part = elf.attributes({CPU_ARCH: 14})
    other = elf.Part(
        name=part.name, content=part.content.replace(b"aeabi", b"other"), kind=part.kind
    )
    text = elf.Part(name=".text", content=RETURN, flags=elf.ALLOC | elf.EXEC)
    made = elf.made("EM_ARM", [text, other], names=NAMES, flags=elf.EABI5, bits=32)
    assert said(tmp_path, made, V6) == set()


def text(code: bytes = RETURN, *, address: int = 0) -> elf.Part:
    return elf.Part(name=".text", content=code, flags=elf.ALLOC | elf.EXEC, address=address)


@pytest.mark.parametrize("name", [V5, V6, V7])
@pytest.mark.parametrize("version", [0, 0x04000000, 0x07000000])
def test_another_version_of_the_eabi(tmp_path: Path, name: str, version: int) -> None:
    made = elf.made("EM_ARM", [text()], names=NAMES, flags=version, bits=32)
    assert said(tmp_path, made, name) == {"is not of version 5 of the EABI"}


@pytest.mark.parametrize(
    ("name", "flags", "words"),
    [
        (V5, 0, set()),
        (V5, HARD_FLOAT, set()),
        (V6, HARD_FLOAT, set()),
        (V7, HARD_FLOAT, set()),
        (V6, 0, {"its header does not say hard float"}),
        (V7, 0x200, {"its header does not say hard float"}),
    ],
)
def test_the_float_abi_of_a_program(tmp_path: Path, name: str, flags: int, words: set[str]) -> None:
    made = elf.made(
        "EM_ARM",
        [text(address=0x1000)],
        names=[(one, value + 0x1000, size, kind) for one, value, size, kind in NAMES],
        segments=[elf.Loaded(part=1, size=4, address=0x1000)],
        kind=elf.PROGRAM,
        flags=elf.EABI5 | flags,
        start=0x1000,
        bits=32,
    )
    assert said(tmp_path, made, name) == words


@pytest.mark.parametrize("name", BASELINES)
def test_a_file_of_another_machine(tmp_path: Path, name: str) -> None:
    machine = BASELINES[name].machine
    for other in ("EM_ARM", "EM_AARCH64", "EM_X86_64", "EM_RISCV"):
        if other != machine:
            made = elf.made(other, [text()], names=NAMES, flags=elf.EABI5)
            assert said(tmp_path, made, name) == {f"is for {other}, not for {machine}"}


CODE = {
    **{"EM_AARCH64": "c0035fd6", "EM_X86_64": "c3", "EM_386": "c3"},
    **{"EM_RISCV": "8280", "EM_PPC64": "2000804e"},
}
"""A return."""


@pytest.mark.parametrize("name", BASELINES)
def test_addresses_of_another_width(tmp_path: Path, name: str) -> None:
    bits = 96 - BASELINES[name].bits
    code = CODE.get(BASELINES[name].machine)
    mark = "$a" if BASELINES[name].code == "arm" else "$x"
    names = [("f", 0, 0, elf.NOTYPE), (mark, 0, 0, elf.NOTYPE)]
    made = elf.made(
        BASELINES[name].machine,
        [text(bytes.fromhex(code) if code else RETURN)],
        names=names,
        flags=elf.EABI5,
        bits=bits,
    )
    assert said(tmp_path, made, name) == {f"has addresses of {bits} bits"}


def test_the_other_order_of_bytes(tmp_path: Path) -> None:
    made = elf.made("EM_ARM", [text()], names=NAMES, flags=elf.EABI5, bits=32, order=">")
    assert "is big-endian" in said(tmp_path, made, V6)


def note(isa: int, kind: int = 0xC0008002) -> elf.Part:
    """A property of x86-64 (x86-64 psABI, section 5.1.3); `kind` is X86_ISA_1_NEEDED."""
    content = struct.pack("<III4sIIII", 4, 16, 5, b"GNU", kind, 4, isa, 0)
    return elf.Part(name=".note.gnu.property", content=content, kind=elf.NOTE, flags=elf.ALLOC)


@pytest.mark.parametrize(
    ("isa", "words"),
    [
        (0, set()),
        (1, set()),
        *((isa, {f"says that it needs x86-64 levels {isa:#x}"}) for isa in (2, 3, 4, 8, 0xF)),
    ],
)
def test_the_level_of_x86_64_that_a_file_says_it_needs(
    tmp_path: Path, isa: int, words: set[str]
) -> None:
    names = [("f", 0, 1, elf.FUNC)]
    made = elf.made("EM_X86_64", [text(b"\xc3"), note(isa)], names=names)
    assert said(tmp_path, made, "x86-64") == words
    used = elf.made("EM_X86_64", [text(b"\xc3"), note(isa, 0xC0010002)], names=names)
    assert said(tmp_path, used, "x86-64") == set(), "what it uses where it is there is no need"


def program(*segments: elf.Loaded, code: bytes = b"\xc3" * 8) -> bytes:
    return elf.made(
        "EM_X86_64",
        [text(code, address=0x1000)],
        names=[("f", 0x1000, len(code), elf.FUNC)],
        segments=segments,
        kind=elf.PROGRAM,
        start=0x1000,
    )


def test_a_program_whose_segment_loads_its_code(tmp_path: Path) -> None:
    whole = program(elf.Loaded(part=1, size=8, address=0x1000))
    assert said(tmp_path, whole, "x86-64") == set()


@pytest.mark.parametrize(
    ("load", "words"),
    [
        # zeros in memory, and no bytes of the file
        (elf.Loaded(part=1, size=0, memory=8, address=0x1000), "loaded from elsewhere"),
        (elf.Loaded(part=1, size=7, memory=8, address=0x1000), "loaded from elsewhere"),
        (elf.Loaded(part=1, size=8, address=0x1001), "loaded from elsewhere"),
        (elf.Loaded(part=1, size=8, address=0xFFF), "loaded from elsewhere"),
        (elf.Loaded(part=1, size=8, address=0x1000, kind=4), "loaded from elsewhere"),
    ],
)
def test_code_that_is_not_loaded_as_it_lies_is_refused(
    tmp_path: Path, load: elf.Loaded, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        said(tmp_path, program(load), "x86-64")


def test_a_program_that_wants_an_interpreter(tmp_path: Path) -> None:
    name = b"/lib/ld.so\0"
    made = elf.made(
        "EM_X86_64",
        [
            text(b"\xc3", address=0x1000),
            elf.Part(name=".interp", content=name, flags=elf.ALLOC, address=0x2000),
        ],
        names=[("f", 0x1000, 1, elf.FUNC)],
        segments=[
            elf.Loaded(part=1, size=1, address=0x1000),
            elf.Loaded(part=2, size=len(name), address=0x2000, flags=4),
            elf.Loaded(part=2, size=len(name), address=0x2000, flags=4, kind=elf.INTERP),
        ],
        kind=elf.PROGRAM,
        start=0x1000,
    )
    assert said(tmp_path, made, "x86-64") == {"wants the interpreter /lib/ld.so"}
