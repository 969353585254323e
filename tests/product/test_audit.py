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

from muslin.audit import allowed, arm, audit, objects, verdict
from muslin.audit.baseline import BASELINES
from muslin.audit.finding import Refused
from tests.instructions import Cases, ppc, riscv
from tests.instructions.aarch64 import A64, ARCHITECTURE
from tests.instructions.arm import A32, HEAD, THUMB
from tests.instructions.x86 import X86, X86_32
from tests.product.conftest import Product, output


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
@pytest.mark.parametrize(("mode", "cases"), [("arm", A32), ("thumb", THUMB)])
def test_every_class_of_instruction(
    product: Product, tmp_path: Path, mode: str, cases: Cases
) -> None:
    text = (
        HEAD
        + f".{mode}\n"
        + "".join(
            f"f{number}:\n{instruction}\n" for number, (instruction, _, _) in enumerate(cases)
        )
    )
    # Literal pools are data: these would be NEON, vldr d16 and an undefined Thumb instruction.
    text += "there:\n bx lr\ndata:\n.word 0xf2000000, 0xed900b00, 0xffffffff\n"
    found = needs(assembled(product, tmp_path, text))
    differing = {
        instruction: (wanted, found.get(f"f{number}", set()))
        for number, (instruction, _, wanted) in enumerate(cases)
        if wanted != found.get(f"f{number}", set())
    }
    assert differing == {}
    assert "data" not in found


@pytest.mark.only("aarch64")
def test_every_class_of_instruction_of_aarch64(product: Product, tmp_path: Path) -> None:
    compare(product, tmp_path, ARCHITECTURE, A64, "armv8.0")


@pytest.mark.only("x86_64")
def test_every_class_of_instruction_of_x86(product: Product, tmp_path: Path) -> None:
    compare(product, tmp_path, "", X86, "x86-64")


@pytest.mark.only("i686")
def test_every_class_of_instruction_of_32_bit_x86(product: Product, tmp_path: Path) -> None:
    compare(product, tmp_path, "", X86_32, "i686-sse2")


@pytest.mark.only("riscv64")
def test_every_class_of_instruction_of_riscv(product: Product, tmp_path: Path) -> None:
    compare(product, tmp_path, riscv.HEAD, riscv.RV64, "rv64gc")


@pytest.mark.only("ppc64le")
def test_every_class_of_instruction_of_powerpc(product: Product, tmp_path: Path) -> None:
    compare(product, tmp_path, ppc.HEAD, ppc.PPC64, "power8")


def compare(product: Product, tmp_path: Path, head: str, cases: Cases, baseline: str) -> None:
    text = head + "".join(f"f{number}:\n{one}\n" for number, (one, _, _) in enumerate(cases))
    made = assembled(product, tmp_path, text)
    found: dict[str, set[str]] = {}
    for finding in audit.of(made, made.name, BASELINES[baseline]).findings:
        found.setdefault(finding.symbol, set()).add(finding.what)
    differing = {
        instruction: (wanted, found.get(f"f{number}", set()))
        for number, (instruction, _, wanted) in enumerate(cases)
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
    """What muslin/audit/allowed.toml says of musl: the function that chooses names both."""
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
    """What muslin/audit/allowed.toml says of libcrypto and libgcc."""
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
