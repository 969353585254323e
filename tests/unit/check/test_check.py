"""The check of any program: every kind of input, what cannot be read, and what it says."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import resource
import struct
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from muslin.audit import arm, baseline
from muslin.check import budget, command, computers, platforms, problem_formats
from muslin.check.__main__ import main
from muslin.check.arguments import parser
from muslin.check.assessment import Options
from muslin.check.programs import Unreadable
from muslin.check.result import Result
from tests import elf, sarif

PROJECT = Path(__file__).resolve().parents[3]


def program(code: str = "1eff2fe1", machine: str = "arm") -> bytes:
    """An object with one function: `bx lr`, or other instructions before it."""
    names: list[elf.Name] = [
        ("f", 0, 0, elf.FUNC),
        (f"${'a' if machine == 'arm' else 'x'}", 0, 0, 0),
    ]
    if machine == "arm":
        return elf.arm(bytes.fromhex(code), names)
    text = elf.Part(name=".text", content=bytes.fromhex(code), flags=elf.ALLOC | elf.EXEC)
    return elf.made("EM_AARCH64", [text], names=names)


PLAIN = program()
NEON = program("400822f2" + "1eff2fe1")  # vadd.i32 q0, q1, q0


def tar(*members: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return made.getvalue()


def deb(*members: tuple[str, bytes]) -> bytes:
    made = b"!<arch>\n"
    for name, content in (("debian-binary", b"2.0\n"), *members):
        made += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        made += content + b"\n" * (len(content) % 2)
    return made


def cpio(*members: tuple[str, bytes]) -> bytes:
    made = b""
    for name, content in (*members, ("TRAILER!!!", b"")):
        numbers = (1, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        made += b"070701" + b"".join(b"%08x" % number for number in numbers)
        made += name.encode() + b"\0"
        made += bytes(-len(made) % 4) + content
        made += bytes(-len(made) % 4)
    return made


def rpm(payload: bytes) -> bytes:
    def header(size: int) -> bytes:
        return b"\x8e\xad\xe8\x01" + bytes(4) + struct.pack(">II", 1, size) + bytes(16 + size)

    made = b"\xed\xab\xee\xdb" + bytes(92) + header(5)
    return made + bytes(-len(made) % 8) + header(11) + payload


def apk(*members: tuple[str, bytes]) -> bytes:
    """As version 2: three streams, of which the first two do not end as tars do."""
    parts = [tar((".SIGN.RSA.x", b"s")), tar((".PKGINFO", b"pkgname = x")), tar(*members)]
    cut = [part[:1024] for part in parts[:2]]
    return b"".join(gzip.compress(part) for part in (*cut, parts[2]))


INPUTS: dict[str, tuple[bytes, str]] = {
    "program": (NEON, "x"),
    "tar": (tar(("./bin/p", NEON), ("readme", b"text")), "x/bin/p"),
    "tar.gz": (gzip.compress(tar(("p", NEON))), "x/p"),
    "tar.bz2": (bz2.compress(tar(("p", NEON))), "x/p"),
    "tar.xz": (lzma.compress(tar(("p", NEON))), "x/p"),
    "tar.lzma": (lzma.compress(tar(("p", NEON)), lzma.FORMAT_ALONE), "x/p"),
    "tar.zst": (zstd.compress(tar(("p", NEON))), "x/p"),
    "gz": (gzip.compress(NEON), "x"),
    "whl": (zipped(("a.data/scripts/p", NEON), ("a.py", b"import a")), "x/a.data/scripts/p"),
    "deb": (deb(("data.tar.xz", lzma.compress(tar(("./p", NEON))))), "x/data.tar.xz/p"),
    "apk": (apk(("usr/bin/p", NEON)), "x/usr/bin/p"),
    "rpm": (rpm(zstd.compress(cpio(("./usr/bin/p", NEON), ("t", b"")))), "x/usr/bin/p"),
    "cpio": (cpio(("p", NEON)), "x/p"),
    "nested": (zipped(("in.tar.gz", gzip.compress(tar(("p", NEON))))), "x/in.tar.gz/p"),
    "a": (b"!<arch>\n" + deb(("p.o/", NEON))[8 + 64 :], "x"),
}


def checked(path: Path, *words: str) -> Result:
    chosen = parser().parse_args([str(path), *words])
    options = Options(accept_unseen=chosen.accept_unseen, allow_dynamic=chosen.allow_dynamic)
    return command.check([path], command.requirements(chosen), options)


@pytest.mark.parametrize("kind", INPUTS)
def test_every_kind_of_input(tmp_path: Path, kind: str) -> None:
    content, name = INPUTS[kind]
    (tmp_path / "x").write_bytes(content)
    found = checked(tmp_path / "x")
    assert found.unreadable == ()
    (one,) = found.assessments
    assert (one.program, one.needs) == (name, ("NEON",))
    assert found.exit_code == 0
    assert checked(tmp_path / "x", "--target", "armv6").exit_code == 1


def test_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "bin").mkdir(parents=True)
    for name, content in (("bin/p", PLAIN), ("text", b"text"), ("x.tar", tar(("q", NEON)))):
        (folder / name).write_bytes(content)
    (folder / "link").symlink_to("/")
    found = checked(folder)
    assert [one.program for one in found.assessments] == ["folder/x.tar/q", "folder/bin/p"]
    assert found.exit_code == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither an ELF file, nor an archive"),
        (b"#!/bin/sh\n", "neither an ELF file, nor an archive"),
        (b"\x7fELF", "is not a sound ELF file"),
        (b"!<thin>\n", "is a thin archive"),
        (tar(("readme", b"text")), "it holds no ELF file"),
        (tar(("p", NEON))[:700], "it is no sound tar"),
        (gzip.compress(tar(("p", NEON)))[:-20], "unable to decompress it (gzip)"),
        (b"\x1f\x8b" + bytes(40), "unable to decompress it (gzip)"),
        (lzma.compress(tar(("p", NEON)))[:-40], "unable to decompress it (xz)"),
        (zstd.compress(tar(("p", NEON)))[:-10], "unable to decompress it (zstd)"),
        (zipped(("p", NEON))[:-30], "it is no sound zip"),
        (deb(("data.tar", tar(("p", NEON))))[:-600], "it is no sound Debian package"),
        (rpm(b"")[:90], "it is no sound RPM package"),
        (rpm(b"")[:110] + bytes(200), "it is no sound RPM package"),
        (cpio(("p", NEON))[:200], "it is no sound cpio archive"),
        (b"070701" + b"x" * 200, "it is no sound cpio archive"),
        (b"07070X" + bytes(200), "files of 4 GiB or more"),
        (b"ADBd" + bytes(600), "an apk package of version 3"),
        (tar(("index.json", b'{"manifests": [{}]}')), "it is no sound image: KeyError"),
        (tar(("index.json", b'{"manifests": []}')), "it holds no ELF file"),
        (tar(("p", NEON))[: 512 + len(NEON) // 2], "it is no sound tar: "),
        (gzip.compress(b"text"), "neither an ELF file, nor an archive"),
    ],
    ids=lambda value: value if isinstance(value, str) else "input",  # some hold the time
)
def test_what_cannot_be_read(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "x").write_bytes(content)
    found = checked(tmp_path / "x")
    (fault,) = found.unreadable
    assert why in fault.reason
    assert found.exit_code == 2


def nested(depth: int) -> bytes:
    content = NEON
    for _ in range(depth):
        content = zipped(("p", content))
    return content


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(nested(budget.DEPTH))
    assert checked(path).exit_code == 0
    path.write_bytes(nested(budget.DEPTH + 1))
    assert "more than 5 archives" in checked(path).unreadable[0].reason
    path.write_bytes(gzip.compress(tar(("p", NEON + bytes(5_000_000)))))
    assert checked(path).exit_code == 0
    monkeypatch.setattr(budget.Budget, "__init__", lambda self: self.__dict__.update(SMALL))
    assert "unpacks to more than" in checked(path).unreadable[0].reason
    path.write_bytes(tar(*((f"{number}", b"") for number in range(40))))
    assert "members" in checked(path).unreadable[0].reason


SMALL = {"members": 30, "bytes": 1_000_000}


def test_nothing_is_written_by_the_names_in_an_archive(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "x"
    for content in (tar(("../../out", NEON), ("/out", PLAIN)), zipped(("../../out", NEON))):
        path.write_bytes(content)
        assert checked(path).assessments[0].program == "x/out"
    assert [one.name for one in tmp_path.rglob("*")] == ["in", "x"]


def test_an_encrypted_member(tmp_path: Path) -> None:
    content = bytearray(zipped(("p", NEON)))
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "x").write_bytes(content)
    (fault,) = checked(tmp_path / "x").unreadable
    assert "unable to read it from the zip" in fault.reason


# --- images -------------------------------------------------------------------------------------


def saved(platform: dict[str, str], content: bytes) -> bytes:
    manifest = [{"Config": "config.json", "Layers": ["0.tar"]}]
    return tar(
        ("0.tar", tar(("bin/p", content))),
        ("config.json", json.dumps(platform).encode()),
        ("manifest.json", json.dumps(manifest).encode()),
    )


def test_an_image_is_held_to_its_platform(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(saved({"architecture": "arm", "variant": "v6"}, NEON)))
    (one,) = checked(path).assessments
    assert one.program == "x[linux/arm/v6]/bin/p"
    assert (one.held_to, one.needs) == ("linux/arm/v6 (armv6-vfpv2)", ("NEON",))
    path.write_bytes(saved({"architecture": "mips"}, PLAIN))
    (one,) = checked(path).assessments
    assert one.unseen == ("no rules are written for linux/mips",)
    assert checked(path).exit_code == 1
    assert checked(path, "--accept-unseen").exit_code == 0


def test_the_platforms_of_the_targets_images() -> None:
    """Each has the target's baseline."""
    for target in sorted((PROJECT / "toolchains").glob("*.toml")):
        declared = tomllib.loads(target.read_text())
        platform = str(platforms.of(declared["image"]))
        assert computers.baseline_of_platform(platform) == declared.get("baseline", ""), target


# --- needs and computers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "needs", "where"),
    [
        ("", "the least of its kind", "every Raspberry Pi; ARM9 boards such as Kirkwood plugs"),
        ("9f0f91e1", "ARMv6", "every Raspberry Pi; "),  # ldrex r0, [r1]
        ("5bf07ff5", "ARMv7", "Raspberry Pi 2 and later; Tegra 2 boards; BeagleBone"),  # dmb ish
        ("000bb7ee", "VFPv3-D16", "Raspberry Pi 2 and later; Tegra 2 boards"),  # vmov.f64 d0, #1
        ("400822f2", "NEON", "Raspberry Pi 2 and later; BeagleBone"),
        ("12f011e7", "integer division", "Raspberry Pi 2 and later"),
        ("410bb8fe", "ARMv8", "Raspberry Pi 3 and later"),  # vrinta.f64 d0, d1
        ("100a07ee", "VFPv2", "every Raspberry Pi; "),
    ],
)
def test_what_a_program_needs(tmp_path: Path, code: str, needs: str, where: str) -> None:
    (tmp_path / "x").write_bytes(program(code + "1eff2fe1"))
    (line,) = checked(tmp_path / "x").lines()
    assert line.startswith(f"x: 32-bit ARM, needs at least {needs}: {where}")


def test_claims_count_as_needs(tmp_path: Path) -> None:
    names: list[elf.Name] = [("f", 0, 0, elf.FUNC), ("$a", 0, 0, 0)]
    code = bytes.fromhex("1eff2fe1")
    (tmp_path / "x").write_bytes(elf.arm(code, names, {6: 10, 9: 2, 10: 3, 12: 1}))
    first, second = checked(tmp_path / "x").lines()
    assert "needs at least ARMv7, NEON: Raspberry Pi 2 and later" in first
    assert second == "  its attributes claim: ARMv7, NEON"


@pytest.mark.parametrize(
    ("code", "where"),
    [
        ("c0035fd6", "Raspberry Pi 3 and later"),
        ("2040c21ac0035fd6", "Raspberry Pi 3 and later"),  # crc32b
        ("417ca088c0035fd6", "Raspberry Pi 5"),  # cas
        ("e0e31825c0035fd6", "no known computer"),  # ptrue
    ],
)
def test_where_an_aarch64_program_runs(tmp_path: Path, code: str, where: str) -> None:
    (tmp_path / "x").write_bytes(program(code, "aarch64"))
    (line,) = checked(tmp_path / "x").lines()
    assert line.endswith(f": {where}")


def test_boards(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(NEON)
    found = checked(path, "--boards", "pi-zero,Pi 3,raspi2b")
    assert [(one.held_to, one.fits) for one in found.assessments] == [
        ("Raspberry Pi 1", False),
        ("Raspberry Pi 3", True),
        ("Raspberry Pi 2", True),
    ]
    path.write_bytes(program("c0035fd6", "aarch64"))
    old, new = checked(path, "--boards", "pi-2,pi-3").assessments
    assert [finding.what for finding in old.refused] == ["is for EM_AARCH64, not for EM_ARM"]
    assert new.fits


def test_the_boards_words_are_the_audits() -> None:
    for computer in computers.known():
        for has in computer.has.values():
            assert has <= baseline.words(), computer.name
    names = [*computers.names()]
    assert len(names) == len({*names})
    for board in (PROJECT / "boards").glob("*.toml"):
        assert computers.named(board.stem), board


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--target", "armv66"), "unknown target 'armv66'; did you mean armv6"),
        (("--baseline", "zzz"), "unknown baseline 'zzz': use "),
        (("--boards", "pi-zro"), "unknown board 'pi-zro'; did you mean pi-zero"),
    ],
)
def test_names_that_are_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    assert main(["x", *words], tmp_path) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [(), ("x", "--nonsense"), ("x", "--json", "--sarif"), ("x", "--boards", "a,,b")]
)
def test_wrong_use(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert main(words, tmp_path) == 2


# --- what is printed ------------------------------------------------------------------------------


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_bytes(NEON)
    assert main(["x", "nowhere", "--baseline=armv6-vfpv2", "--json"], tmp_path) == 1
    printed = capsys.readouterr()
    said = json.loads(printed.out)
    assert said["schema"] == "muslin-check/1"
    assert (said["fits"], said["exit_code"]) == (False, 1)
    assert said["programs"][0]["refused"][0]["what"] == arm.NEON
    assert said["unreadable"][0]["reason"] == "no such file or folder"
    assert printed.err == "1 program(s) looked at, exit code 1\n"


def test_sarif(tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(NEON)
    log = sarif.valid(
        problem_formats.sarif(
            checked(tmp_path / "a b", "--target", "armv6").problems(), tool="muslin-check"
        )
    )
    (result,) = log["runs"][0]["results"]
    assert result["ruleId"] == "does-not-fit"
    assert "needs NEON (held to armv6)" in result["message"]["text"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "a%20b"}
    assert place["address"] == {"absoluteAddress": 0}
    (function,) = result["locations"][0]["logicalLocations"]
    assert function == {"name": "f", "kind": "function", "fullyQualifiedName": "a b::f"}
    assert result["properties"] == {
        "instruction": "vadd.i32 q0, q1, q0",
        "needs": "NEON",
        "count": 1,
    }
    assert {"does-not-fit"} <= {rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]}


def test_annotations_are_one_line_each(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(tar(("a\n::error::b,c", NEON)))
    (line,) = problem_formats.github(checked(tmp_path / "x", "--target", "armv6").problems())
    assert line.startswith("::error file=x/a%0A%3A%3Aerror%3A%3Ab%2Cc,title=does-not-fit::x/a%0A")
    for text in checked(tmp_path / "x", "--target", "armv6").lines():
        assert "\n" not in text


def test_exit_codes() -> None:
    broken = Unreadable(name="x", reason="y")
    assert Result(assessments=(), unreadable=()).exit_code == 2
    assert Result(assessments=(), unreadable=(broken,)).exit_code == 2


def test_dynamic_programs(tmp_path: Path) -> None:
    names: list[elf.Name] = [("f", 0x8000, 4, elf.FUNC), ("$a", 0x8000, 0, 0)]
    text = elf.Part(
        name=".text", content=bytes.fromhex("1eff2fe1"), flags=elf.ALLOC | elf.EXEC, address=0x8000
    )
    interpreter = elf.Part(name=".interp", content=b"/lib/ld.so\0", flags=elf.ALLOC, address=0x9000)
    segments = [
        elf.Loaded(part=1, size=4, address=0x8000),
        elf.Loaded(part=2, size=11, address=0x9000, kind=elf.INTERP, flags=4),
        elf.Loaded(part=2, size=11, address=0x9000, flags=4),
    ]
    (tmp_path / "x").write_bytes(
        elf.made(
            *("EM_ARM", [text, interpreter]), names=names, segments=segments, kind=elf.PROGRAM,
            flags=elf.EABI5, start=0x8000, bits=32,
        )
    )  # fmt: skip
    assert list(checked(tmp_path / "x").lines())[1] == "  dynamic: /lib/ld.so"
    assert checked(tmp_path / "x").exit_code == 0
    assert checked(tmp_path / "x", "--target", "armv5").exit_code == 1
    assert checked(tmp_path / "x", "--target", "armv5", "--allow-dynamic").exit_code == 0


# --- on its own -----------------------------------------------------------------------------------


def test_it_starts_without_the_pipeline(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(PLAIN)
    code = (
        "import sys; from pathlib import Path; from muslin.check.__main__ import main\n"
        "main(['x'], Path()); print(*sorted(sys.modules))"
    )
    words = [sys.executable, "-c", code]
    environment = {"PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, check=True, text=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"pydantic", "requests", "nox", "urllib3", "tqdm", "filelock"}
    ours = {name for name in done.stdout.split() if name.startswith("muslin.")}
    assert {name.split(".")[1] for name in ours} == {"audit", "check", "installation"}


def test_help_is_quick(benchmarked: Callable[..., float]) -> None:
    assert benchmarked("-m", "muslin.check", "--help") < 0.3


@pytest.fixture
def benchmarked() -> Callable[..., float]:
    """Seconds of the processor, which a busy machine does not lengthen."""

    def run(*words: str) -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([sys.executable, *words], cwd=PROJECT, capture_output=True, check=True)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - usage

    return run
