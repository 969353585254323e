"""The run lock: over the pins while it applies, gone when the repository's pin has moved."""

from __future__ import annotations

import dataclasses
import io
import shutil
import tarfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import filelock
import pytest
from typing_extensions import override

from muslin.engine import errors as engine_errors
from muslin.engine.fetch import errors as fetch_errors
from muslin.engine.fetch.archive import client, mirrors
from muslin.engine.fetch.archive.located import Located
from muslin.engine.source import ArchiveFile, Source
from muslin.models import declaration, pin_files
from muslin.models import errors as model_errors
from muslin.models import pins as source
from muslin.models.pin_files import PinSet
from muslin.models.pins import Pins
from muslin.sources import available, relock, relock_upstream, source_sets, upstream
from muslin.sources import errors as source_errors
from muslin.sources.available import _part
from muslin.sources.changelog import upstream as _upstream

PINS = Path(__file__).resolve().parents[3] / "recipes" / "pins"
HOST = "bookworm-amd64"
MOVED = """\
form = 2
[moved.openssl]
replaces = "{replaces}"
[moved.openssl.pin]
version = "3.5.99"
series = "3.5"
licence = "Apache-2.0"
package = "openssl"
package-version = "3.5.99-1"
kind = "source"
file = "openssl_3.5.99.orig.tar.gz"
size = 1
sha256 = "{digest}"
unpatched = "none"
"""


CHANGELOG = """\
musl (1.2.5-9) unstable; urgency=medium

  * Fix CVE-2031-0002 and CVE-2031-0001.

 -- Somebody <somebody@example.org>  Thu, 01 Jan 2032 00:00:00 +0000

musl (1.2.5-1) unstable; urgency=medium

  * New release, with the fix of CVE-2030-0001.

 -- Somebody <somebody@example.org>  Wed, 01 Jan 2031 00:00:00 +0000
"""


def nothing(wanted: Source) -> Path:
    """A download of which only the name counts."""
    return Path("/", wanted.name)


@pytest.fixture
def debian_files(tmp_path: Path) -> available.Obtain:
    """A download of a package's archive with a changelog and two patches."""

    def obtain(wanted: Source) -> Path:
        path = tmp_path / wanted.name
        with tarfile.open(path, "w") as tar:
            for name, text in {
                "changelog": CHANGELOG,
                "patches/series": "one.patch\ntwo.patch\n",
            }.items():
                member = tarfile.TarInfo(f"debian/{name}")
                member.size = len(text.encode())
                tar.addfile(member, io.BytesIO(text.encode()))
        return path

    return obtain


@pytest.fixture
def run_lock(tmp_path: Path) -> Path:
    return tmp_path / "run-lock.toml"


def test_repository_pins_load_and_agree_with_public_records() -> None:
    """Digests that other public records state for the same upstream tarballs."""
    pins = declaration.read(PINS / "debian.toml", PinSet).pins
    assert pins["musl"].sha256.startswith("a9a118bbe84d8764da0ea0d28b3ab3fa")
    assert pins["mpfr"].sha256.startswith("b67ba0383ef7e8a8563734e2e889ef5e")
    assert pins["mpc"].sha256.startswith("ab642492f5cf882b74aa0cb730cd410a")
    assert all(pin.version.startswith(pin.series.strip("*")) for pin in pins.values())


def test_run_lock_lies_over_the_pins(run_lock: Path) -> None:
    standing = declaration.read(PINS / "debian.toml", PinSet).pins["openssl"].package_version
    run_lock.write_text(MOVED.format(replaces=standing, digest="0" * 64), encoding="utf-8")
    pins = source.load(PINS, run_lock, host=HOST)
    assert pins.pins["openssl"].version == "3.5.99"
    assert any("3.5.99-1" in note for note in pins.notes)


def test_run_lock_ends_when_the_pin_moves(run_lock: Path) -> None:
    run_lock.write_text(MOVED.format(replaces="3.4.0-1", digest="0" * 64), encoding="utf-8")
    pins = source.load(PINS, run_lock, host=HOST)
    assert pins.pins["openssl"].version != "3.5.99"
    assert pins.notes == ()


def test_wrong_pin_names_file_and_key(tmp_path: Path, run_lock: Path) -> None:
    shutil.copytree(PINS, tmp_path / "pins")
    path = tmp_path / "pins" / "debian.toml"
    path.write_text(path.read_text().replace("size = 1080786", 'size = "big"', 1))
    with pytest.raises(engine_errors.BadDeclaration, match=r"debian\.toml(.|\n)*pins\.musl\.size"):
        source.load(tmp_path / "pins", run_lock, host=HOST)


def test_member_follows_the_version(run_lock: Path) -> None:
    pins = source.load(PINS, run_lock, host=HOST)
    gcc = pins.component("gcc")
    assert gcc.member.endswith(f"gcc-{pins.pins['gcc'].version}-dfsg.tar.xz")
    assert pins.component("musl").member == ""


def test_unknown_component(run_lock: Path) -> None:
    with pytest.raises(model_errors.NotPinned, match=r"no pin 'opensl' \(there is openssl\)"):
        source.load(PINS, run_lock, host=HOST).source("opensl")


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("2:6.3.0+dfsg-3", "6.3.0"),
        ("1.2.5-3.1~deb13u1", "1.2.5"),
        ("14.2.0-19", "14.2.0"),
        ("20250419+deb13u1", "20250419"),
        ("1:1.3.dfsg+really1.3.1-1+deb13u1", "1.3.1"),
        ("1:1.3.dfsg-3", "1.3"),
    ],
)
def test_upstream_version(version: str, upstream: str) -> None:
    assert _upstream(version) == upstream


def test_part_of_a_source_package() -> None:
    assert _part("musl_1.2.5.orig.tar.gz") == _part("musl_1.2.6.orig.tar.xz") == ".orig.tar"
    assert _part("musl_1.2.5-3.debian.tar.xz") == ".debian.tar"
    assert _part("musl_1.2.5.orig.tar.gz.asc") == ".asc"
    assert _part("m4_1.4.19-3_amd64.deb") == ".deb"


class Archive(client.Archive):
    """An archive of a test's own making."""

    def __init__(self, folder: Path, *there: Located) -> None:
        super().__init__(
            folder / "archive",
            certificates=folder,
            public=mirrors.public(()),
            cancelled=threading.Event(),
        )
        self.there = there

    @override
    def locate(self, file: ArchiveFile, name: str) -> Located | None:
        return next((one for one in self.files("", file.package, file.version, "source")), None)

    @override
    def files(
        self, suite: str, package: str, version: str, kind: Literal["binary", "source"]
    ) -> list[Located]:
        return [one for one in self.there if (one.package, one.version) == (package, version)]

    @override
    def versions(self, suite: str, package: str, kind: Literal["binary", "source"]) -> list[str]:
        return list(dict.fromkeys(one.version for one in self.there if one.package == package))

    @override
    def closure(
        self, suite: str, packages: Sequence[str], *, presumed: Sequence[str] | None = None
    ) -> list[Located]:
        return [one for one in self.there if one.package in packages]


def located(package: str, version: str, name: str, digit: str = "a") -> Located:
    return Located(
        package=package, version=version, role="main", path="", name=name, size=7, sha256=digit * 64
    )


@pytest.fixture
def pins(run_lock: Path) -> Pins:
    """The repository's, with an empty run lock."""
    return source.load(PINS, run_lock, host=HOST)


def test_newest_of_the_series_under_another_compression(
    tmp_path: Path, pins: Pins, debian_files: available.Obtain
) -> None:
    archive = Archive(
        tmp_path,
        located("openssl", "3.6.1-1", "openssl_3.6.1.orig.tar.xz"),
        located("openssl", "3.50.0-1", "openssl_3.50.0.orig.tar.xz"),
        located("openssl", "3.5.9-2", "openssl_3.5.9.dsc"),
        located("openssl", "3.5.9-1", "openssl_3.5.9.orig.tar.xz.asc"),
        located("openssl", "3.5.9-1", "openssl_3.5.9.orig.tar.xz"),
        located("openssl", "3.5.9-1", "openssl_3.5.9-1.debian.tar.xz"),
        located("openssl", "3.5.8-1", "openssl_3.5.8.orig.tar.gz"),
    )
    moved = relock.settle(pins, [pins.source("openssl")], archive, print, obtain=debian_files).pins[
        "openssl"
    ]
    assert (moved.version, moved.package_version) == ("3.5.9", "3.5.9-1")
    assert (moved.file, moved.size, moved.sha256) == ("openssl_3.5.9.orig.tar.xz", 7, "a" * 64)


def test_nothing_of_the_series_is_there(tmp_path: Path, pins: Pins) -> None:
    archive = Archive(tmp_path, located("openssl", "3.6.1-1", "openssl_3.6.1.orig.tar.xz"))
    with pytest.raises(source_errors.NotInArchive, match=r"nor another 3\.5; it has 3\.6\.1-1"):
        relock.settle(pins, [pins.source("openssl")], archive, print, obtain=nothing)


def test_a_second_run_uses_what_the_first_one_took(
    tmp_path: Path, pins: Pins, run_lock: Path, debian_files: available.Obtain
) -> None:
    def there(version: str) -> tuple[Located, ...]:
        names = (f"openssl_{version}.orig.tar.gz", f"openssl_{version}-1.debian.tar.xz")
        return tuple(located("openssl", f"{version}-1", name) for name in names)

    archive = Archive(tmp_path, *there("3.5.98"))
    first = relock.settle(pins, [pins.source("openssl")], archive, print, obtain=debian_files)
    second = source.load(PINS, run_lock, host=HOST)
    assert second.source("openssl") == first.source("openssl")
    archive.there = there("3.5.99")
    third = relock.settle(second, [second.source("openssl")], archive, print, obtain=debian_files)
    assert third.pins["openssl"].version == "3.5.99"
    again = source.load(PINS, run_lock, host=HOST)
    assert again.pins["openssl"].version == "3.5.99", "the pin that was replaced is the first one"
    assert {path.name for path in tmp_path.iterdir() if "openssl_" not in path.name} <= {
        "apt",
        "run-lock.toml",
        ".run-lock.toml.lock",
    }


def test_what_two_runs_remember_at_once_is_all_kept(
    tmp_path: Path, pins: Pins, run_lock: Path, debian_files: available.Obtain
) -> None:
    names = ("openssl_3.5.98.orig.tar.gz", "openssl_3.5.98-1.debian.tar.xz")
    archive = Archive(tmp_path, *(located("openssl", "3.5.98-1", name) for name in names))
    gone = [pins.source("openssl")]
    run = threading.Thread(
        target=relock.settle, args=(pins, gone, archive, print), kwargs={"obtain": debian_files}
    )
    with filelock.FileLock(run_lock.with_name(f".{run_lock.name}.lock")):  # another run amends it
        run.start()
        run.join(0.5)
        assert not run_lock.exists(), "a run waits until the other one is done"
        standing = pins.pins["zlib"].package_version
        text = MOVED.replace("openssl", "zlib").format(replaces=standing, digest="0" * 64)
        run_lock.write_text(text, encoding="utf-8")
    run.join()
    assert source.remembered(run_lock).moved.keys() == {"openssl", "zlib"}


def test_sources_and_patches_of_a_package_move_together(
    tmp_path: Path, pins: Pins, debian_files: available.Obtain
) -> None:
    archive = Archive(
        tmp_path,
        located("musl", "1.2.5-9", "musl_1.2.5-9.debian.tar.xz", "b"),
        located("musl", "1.2.5-9", "musl_1.2.5.orig.tar.gz", "c"),
    )
    (gone,) = pins.component("musl").series.files
    moved = relock.settle(pins, [gone], archive, print, obtain=debian_files).component("musl")
    assert [one.sha256 for one in moved.series.files] == ["b" * 64]
    assert moved.source.sha256 == "c" * 64
    assert moved.fixes == ("CVE-2031-0001", "CVE-2031-0002")


def test_a_version_whose_patches_cannot_be_had_is_passed_over(
    tmp_path: Path, pins: Pins, debian_files: available.Obtain
) -> None:
    archive = Archive(
        tmp_path,
        located("musl", "1.2.5-10", "musl_1.2.5-10.debian.tar.xz"),
        located("musl", "1.2.5-10", "musl_1.2.5.orig.tar.gz"),
        located("musl", "1.2.5-9", "musl_1.2.5-9.debian.tar.xz"),
        located("musl", "1.2.5-9", "musl_1.2.5.orig.tar.gz"),
    )

    def obtain(wanted: Source) -> Path:
        if "1.2.5-10" in wanted.name:
            raise fetch_errors.NoNetwork(wanted.name, ["404  Not Found"])
        return debian_files(wanted)

    notes: list[str] = []
    moved = available.newest(archive, "trixie", pins.pins["musl"], notes.append, obtain=obtain)
    assert moved.package_version == "1.2.5-9"
    assert len(notes) == 1
    assert "1.2.5-10 is passed over" in notes[0]


def test_a_pattern_of_left_out_patches_that_matches_none_is_dropped(
    tmp_path: Path, pins: Pins, debian_files: available.Obtain
) -> None:
    archive = Archive(
        tmp_path,
        located("musl", "1.2.5-9", "musl_1.2.5-9.debian.tar.xz"),
        located("musl", "1.2.5-9", "musl_1.2.5.orig.tar.gz"),
    )
    old = pins.pins["musl"]
    assert old.patches is not None
    left_out = {"t*.patch": "why", "gone.patch": "why"}
    old = old.model_copy(update={"patches": old.patches.model_copy(update={"left_out": left_out})})
    moved = available.newest(archive, "trixie", old, print, obtain=debian_files)
    assert moved.patches is not None
    assert moved.patches.left_out == {"t*.patch": "why"}


@pytest.mark.parametrize(
    ("remedy", "fault"),
    [("", "says why none are applied"), ('unpatched = "no"', "says why none are applied")],
)
def test_a_pin_is_patched_or_says_why_not(tmp_path: Path, remedy: str, fault: str) -> None:
    shutil.copytree(PINS, tmp_path / "pins")
    path = tmp_path / "pins" / "debian.toml"
    text = path.read_text()
    line = 'unpatched = "Debian has no patches for it: the package has no series"\n'
    assert line in text
    if remedy:  # beside patches
        text = text.replace('licence = "MIT"\n', f'licence = "MIT"\n{remedy}\n', 1)
    else:
        text = text.replace(line, "", 1)
    path.write_text(text)
    with pytest.raises(engine_errors.BadDeclaration, match=fault):
        declaration.read(path, PinSet)


def test_a_group_moves_as_a_whole(tmp_path: Path, pins: Pins, run_lock: Path) -> None:
    ask = pins.groups["rust"].ask
    archive = Archive(tmp_path, *(located(name, "1.99-1", f"{name}.deb") for name in ask))
    notes: list[str] = []
    moved = relock.settle(pins, [pins.group("rust")[0]], archive, notes.append, obtain=nothing)
    assert [one.version for one in moved.groups["rust"].packages] == ["1.99-1"] * len(ask)
    assert moved.groups["qemu"] == pins.groups["qemu"]
    assert len(notes) == 1
    assert source.load(PINS, run_lock, host=HOST).groups == moved.groups


def test_a_moved_group_ends_when_the_repository_has_another(
    tmp_path: Path, pins: Pins, run_lock: Path
) -> None:
    archive = Archive(tmp_path, *(located(name, "1.98-1", "x.deb") for name in ("m4", "bison")))
    archive.there += tuple(located(name, "1.98-1", "y.deb") for name in ("flex", "patch"))
    once = relock.settle(pins, [pins.group("build-tools")[0]], archive, print, obtain=nothing)
    archive.there = tuple(dataclasses.replace(one, version="1.99-1") for one in archive.there)
    twice = relock.settle(once, [once.group("build-tools")[0]], archive, print, obtain=nothing)
    assert source.load(PINS, run_lock, host=HOST).groups == twice.groups
    shutil.copytree(PINS, tmp_path / "pins")
    path = tmp_path / "pins" / f"host-{HOST}.toml"
    digest = pins.groups["build-tools"].packages[0].sha256
    path.write_text(path.read_text().replace(digest, "d" * 64))
    newer = source.load(tmp_path / "pins", run_lock, host=HOST)
    assert newer.groups["build-tools"].packages[0].sha256 == "d" * 64
    assert newer.notes == ()


def test_a_host_without_a_lock_asks_once(tmp_path: Path, run_lock: Path) -> None:
    host = "trixie-arm64"
    names = (
        *("rustc", "cargo", "rust-src", "m4", "bison", "flex", "patch"),
        *("qemu-user", "qemu-system-arm", "pkgconf-bin", "cmake", "tcl", "binutils-multiarch"),
    )
    archive = Archive(tmp_path, *(located(name, "1-1", f"{name}.deb") for name in names))
    pins = relock.complete(source.load(PINS, run_lock, host=host), archive, print)
    assert pins.groups["rust"].ask == ("rustc", "cargo", "rust-src")
    assert pins.groups["qemu"].suite == "trixie"
    archive.there = ()
    again = relock.complete(source.load(PINS, run_lock, host=host), archive, print)
    assert again.groups == pins.groups


def test_the_packages_of_a_line_are_of_one_release(tmp_path: Path) -> None:
    path = tmp_path / "host.toml"
    path.write_text('[groups]\nqemu = [["qemu-user/trixie", "m4"]]\n')
    with pytest.raises(engine_errors.BadDeclaration, match="must be of one release"):
        declaration.read(path, pin_files.Candidates)


def test_a_run_lock_that_cannot_be_read_names_itself(run_lock: Path) -> None:
    run_lock.write_text("form = 2\n[moved.openssl]\nreplace = 1\n", encoding="utf-8")
    with pytest.raises(
        engine_errors.CacheDamaged, match=r"run-lock\.toml is damaged(.|\n)*openssl\.pin"
    ):
        source.load(PINS, run_lock, host=HOST)


DAMAGES: dict[str, Callable[[str], str]] = {
    "a digest": lambda text: text.replace('sha256 = "', 'sha256 = "f', 1),
    "its sum": lambda text: text.replace("below: ", "below: 0", 1),
    "cut off": lambda text: text[: len(text) // 2],
    "no TOML": lambda _: "[",
    "deep": lambda _: "a = " + "[" * 100_000,
    "not UTF-8": lambda _: "\udcff",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_lock_is_told_and_removed(run_lock: Path, damage: str) -> None:
    pin = source.load(PINS, run_lock, host=HOST).pins["zlib"]
    moved = {"zlib": pin_files.Moved(replaces="1", pin=pin)}
    relock.write(run_lock, pin_files.RunLock(moved=moved))
    assert source.remembered(run_lock).moved == moved
    text = DAMAGES[damage](run_lock.read_text(encoding="utf-8"))
    run_lock.write_text(text, encoding="utf-8", errors="surrogateescape")
    notes: list[str] = []
    source_sets.drop_if_damaged(run_lock, notes.append)
    assert len(notes) == 1
    assert "run-lock.toml is damaged" in notes[0]
    assert "the archive is asked again" in notes[0]
    assert source.remembered(run_lock) == pin_files.RunLock()


def test_a_run_lock_of_an_older_version_is_believed(run_lock: Path) -> None:
    pin = source.load(PINS, run_lock, host=HOST).pins["zlib"]
    moved = {"zlib": pin_files.Moved(replaces="1", pin=pin)}
    relock.write(run_lock, pin_files.RunLock(moved=moved))
    _, _, older = run_lock.read_text(encoding="utf-8").partition("\n")
    run_lock.write_text(older, encoding="utf-8")
    assert source.remembered(run_lock).moved == moved


def test_a_group_that_is_asked_for_no_more_is_forgotten(tmp_path: Path, run_lock: Path) -> None:
    shutil.copytree(PINS, tmp_path / "pins")
    asked = tmp_path / "pins" / "host.toml"
    before = asked.read_text()
    asked.write_text(before + 'more = [["more"]]\n')
    archive = Archive(tmp_path, located("more", "1-1", "more.deb"))
    pins = relock.complete(source.load(tmp_path / "pins", run_lock, host=HOST), archive, print)
    assert "more" in pins.groups
    asked.write_text(before)
    again = source.load(tmp_path / "pins", run_lock, host=HOST)
    assert "more" not in again.groups
    assert again.notes == ()


def test_a_new_name_gets_a_pin_of_its_source_package(
    tmp_path: Path, debian_files: available.Obtain
) -> None:
    folder = tmp_path / "pins"
    shutil.copytree(PINS, folder)
    archive = Archive(
        tmp_path,
        located("jansson", "2.7.1-2", "jansson_2.7.1-2.debian.tar.xz"),
        located("jansson", "2.7.1-2", "jansson_2.7.1.orig.tar.xz"),
    )
    assert relock.relock(
        folder, archive, print, host=HOST, obtain=debian_files, names=["jansson"]
    ) == ["jansson"]
    pin = declaration.read(folder / "debian.toml", PinSet).pins["jansson"]
    assert (pin.version, pin.series, pin.file) == ("2.7.1", "2.7", "jansson_2.7.1.orig.tar.xz")
    assert pin.licence == relock.UNKNOWN_LICENCE
    others = declaration.read(PINS / "debian.toml", PinSet).pins
    assert declaration.read(folder / "debian.toml", PinSet).pins == {**others, "jansson": pin}


def test_a_group_whose_files_cannot_be_had_stays(tmp_path: Path) -> None:
    """An index may name a kernel before every mirror has it."""
    folder, notes = tmp_path / "pins", list[str]()
    shutil.copytree(PINS, folder)
    before = declaration.read(folder / "kernels.toml", pin_files.FixedGroups).groups
    archive = Archive(
        tmp_path, located("linux-image-rpi", "6.99-1", "linux-image-rpi_6.99-1_armel.deb")
    )

    def obtain(wanted: Source) -> Path:
        raise fetch_errors.NoNetwork(wanted.name, ["404  Not Found"])

    for had, get in ((False, obtain), (True, nothing)):
        names = ["kernel-rpi"]
        relock.relock(folder, archive, notes.append, host=HOST, obtain=get, names=names)
        after = declaration.read(folder / "kernels.toml", pin_files.FixedGroups).groups
        assert (after == before) is not had
    (note,) = notes
    assert note.startswith("kernel-rpi stays as it is: linux-image-rpi_6.99-1_armel.deb could not")


def test_a_new_name_gets_the_newest_version_that_can_be_had(
    tmp_path: Path, debian_files: available.Obtain
) -> None:
    folder, notes = tmp_path / "pins", list[str]()
    shutil.copytree(PINS, folder)
    archive = Archive(
        tmp_path,
        located("jansson", "2.7.1-2+deb13u1", "jansson_2.7.1-2+deb13u1.debian.tar.xz"),
        located("jansson", "2.7.1-2+deb13u1", "jansson_2.7.1.orig.tar.xz"),
        located("jansson", "2.7.1-2", "jansson_2.7.1-2.debian.tar.xz"),
        located("jansson", "2.7.1-2", "jansson_2.7.1.orig.tar.xz"),
    )

    def obtain(wanted: Source) -> Path:
        if "deb13u1" in wanted.name:
            raise fetch_errors.NoNetwork(wanted.name, ["404  Not Found"])
        return debian_files(wanted)

    relock.relock(folder, archive, notes.append, host=HOST, obtain=obtain, names=["jansson"])
    pin = declaration.read(folder / "debian.toml", PinSet).pins["jansson"]
    assert pin.package_version == "2.7.1-2"
    assert "2.7.1-2+deb13u1 is passed over" in notes[0]


def test_a_name_that_the_archive_does_not_know_is_told(tmp_path: Path) -> None:
    shutil.copytree(PINS, tmp_path / "pins")
    with pytest.raises(
        source_errors.NoSourcePackage, match=r"\(trixie\) has no source package 'exppat'"
    ):
        relock.relock(
            tmp_path / "pins",
            Archive(tmp_path),
            print,
            host=HOST,
            obtain=nothing,
            names=["exppat"],
        )
    assert (tmp_path / "pins/debian.toml").read_text() == (PINS / "debian.toml").read_text()


UPSTREAM = """\
# What the file is.
[pins.openssl]
# More than 8 records.
version = "3.5.9"
licence = "Apache-2.0"
file = "openssl-3.5.9.tar.gz"
size = 5
sha256 = "{digest}"
folders = ["https://one.example.org/openssl-3.5.9/", "https://two.example.org/"]

[pins.zlib]
# 3.5.9 is no version of this one.
version = "1.3.2"
licence = "Zlib"
file = "zlib-1.3.2.tar.gz"
sha256 = "{digest}"
folders = ["https://one.example.org/", "https://two.example.org/"]

[rust]
version = "1.95.0"
licence = "MIT"
folders = ["https://one.example.org/"]
files = []
"""


@pytest.mark.parametrize(("version", "moves"), [("3.5.91", True), ("3.5.8", False)])
def test_a_pin_of_upstream_moves_by_the_archives_record(
    tmp_path: Path, version: str, moves: bool
) -> None:
    path = tmp_path / "upstream.toml"
    path.write_text(UPSTREAM.format(digest="e" * 64))
    there = located("openssl", f"{version}-1", f"openssl_{version}.orig.tar.gz", "f")
    archive = Archive(tmp_path, there, located("openssl", "3.6.1-1", "openssl_3.6.1.orig.tar.gz"))
    debian = declaration.read(PINS / "debian.toml", PinSet)
    lines = relock_upstream.moved(path, debian, archive, names=["openssl"])
    pins = declaration.read(path, upstream.Upstream).pins
    assert any("->" in line for line in lines) == moves
    assert pins["openssl"].version == (version if moves else "3.5.9")
    if moves:
        assert (pins["openssl"].sha256, pins["openssl"].size) == ("f" * 64, 7)
        assert pins["openssl"].file == f"openssl-{version}.tar.gz"
        assert pins["openssl"].folders[0] == f"https://one.example.org/openssl-{version}/"
        assert "# 1 record, the Debian archive's index" in path.read_text()
    assert "# 3.5.9 is no version of this one." in path.read_text()
    assert pins["zlib"].sha256 == "e" * 64


def test_a_pin_of_upstream_without_a_record_stays(tmp_path: Path) -> None:
    path = tmp_path / "upstream.toml"
    path.write_text(UPSTREAM.format(digest="e" * 64))
    debian = declaration.read(PINS / "debian.toml", PinSet)
    with pytest.raises(source_errors.NoRecord, match="no record of releases of 'zlib'"):
        relock_upstream.moved(path, debian, Archive(tmp_path), names=["zlib"])


def test_a_run_lock_of_another_form_is_forgotten(run_lock: Path) -> None:
    run_lock.write_text('[moved.openssl]\nreplaces = "3.5.7-1"\n', encoding="utf-8")
    assert source.load(PINS, run_lock, host=HOST).notes == ()


def test_no_pin_moves_to_an_older_version(tmp_path: Path, pins: Pins) -> None:
    older = located("openssl", "3.5.5-1", "openssl_3.5.5.orig.tar.gz")
    archive = Archive(tmp_path, older)
    with pytest.raises(source_errors.NotInArchive, match="An older version than the pinned one"):
        relock.settle(pins, [pins.source("openssl")], archive, print, obtain=nothing)


def test_where_nothing_newer_can_be_had_a_pin_stays(tmp_path: Path, pins: Pins) -> None:
    pin = pins.pins["openssl"]
    archive = Archive(
        tmp_path,
        located("openssl", "3.5.99-1", "openssl_3.5.99.orig.tar.gz"),
        dataclasses.replace(located("openssl", pin.package_version, pin.file), sha256=pin.sha256),
    )

    def obtain(wanted: Source) -> Path:
        raise fetch_errors.NoNetwork(wanted.name, ["404  Not Found"])

    notes: list[str] = []
    assert available.newest(archive, "trixie", pin, notes.append, obtain=obtain) == pin
    assert "3.5.99-1 is passed over" in notes[0]


def test_a_locked_group_that_has_left_the_list_is_asked_of_no_archive(
    tmp_path: Path, run_lock: Path
) -> None:
    """Where the archive had moved on, its names were looked for in the list."""
    shutil.copytree(PINS, tmp_path / "pins")
    path = tmp_path / "pins" / "host.toml"
    text = path.read_text()
    start = text.index("qemu-system = ")
    path.write_text(text[:start] + text[text.index("\n", text.index("]]", start)) + 1 :])
    pins = source.load(tmp_path / "pins", run_lock, host=HOST)
    assert "qemu-system" not in pins.groups
    assert pins.groups.keys() <= pins.candidates.keys()
    with pytest.raises(
        model_errors.Unknown, match=r"no group in recipes/pins/host\.toml 'qemu-system'"
    ):
        pins.group("qemu-system")


@pytest.mark.parametrize("name", ["../x.deb", "/x.deb", "a/b.deb", "", ".", "..", "a" * 300])
def test_a_name_of_a_file_that_leads_elsewhere_is_no_pin(
    tmp_path: Path, run_lock: Path, name: str
) -> None:
    shutil.copytree(PINS, tmp_path / "pins")
    path = tmp_path / "pins" / "debian.toml"
    file = declaration.read(path, PinSet).pins["musl"].file
    path.write_text(path.read_text().replace(f'"{file}"', f'"{name}"'))
    with pytest.raises(engine_errors.BadDeclaration, match=r"pins\.musl\.file: "):
        source.load(tmp_path / "pins", run_lock, host=HOST)
