"""Archives: nothing leaves the folder, nothing is lost on the way, the same tree the same bytes."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import os
import sys
import tarfile
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muslin.engine import errors
from muslin.engine.filesystem import walk
from muslin.engine.formats import tar_writer, unpack
from muslin.engine.vocabulary import Image, Unpack

Members = list[tuple[tarfile.TarInfo, bytes]]
Tree = bytes | str | dict[str, "Tree"]
"""A file, a link or a folder."""


def zst(data: bytes) -> bytes:
    module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    compressed: bytes = pytest.importorskip(module).compress(data)
    return compressed


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": zst,
}
# By revision of the step: what is written otherwise than before needs a new revision.
GOLDEN_UNPACKED = {1: "b64d3e10574c579c5eab961dfd558c77f016a75b7c1ce3347d6be61264aff411"}
GOLDEN_TAR = {2: "45db422b1e80019279ba30d590f2b620cb5a231113073dd2fac03bf74850bc47"}


def file(name: str, data: bytes = b"data", mode: int = 0o644) -> Members:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(data), mode, 1_000_000_000
    return [(info, data)]


def entry(name: str, kind: bytes, target: str = "") -> Members:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.mtime = kind, target, 0o755, 1_000_000_000
    return [(info, b"")]


def folder(name: str) -> Members:
    return entry(name, tarfile.DIRTYPE)


def link(name: str, target: str) -> Members:
    return entry(name, tarfile.SYMTYPE, target)


def hard_link(name: str, target: str) -> Members:
    return entry(name, tarfile.LNKTYPE, target)


def tar_of(members: Members) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def debian_package(data: bytes, name: str = "data.tar.xz") -> bytes:
    parts = {"debian-binary": b"2.0\n", "control.tar.gz": b"odd", name: data}
    package = b"!<arch>\n"
    for part, content in parts.items():
        package += f"{part:16}{0:<12}{0:<6}{0:<6}{644:<8}{len(content):<10}`\n".encode()
        package += content + b"\n" * (len(content) % 2)
    return package


def saved(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "archive"
    path.write_bytes(data)
    return path


def listing(root: Path) -> Iterator[tuple[str, str]]:
    """Every path below a folder with what is there."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            yield name, f"-> {path.readlink()}"
        elif path.is_dir():
            yield name, "/"
        else:
            yield name, path.read_text()


SOUND = [
    *folder("./"),
    *folder("./top"),
    *file("./top/program", b"run", 0o4775),
    *link("./top/deep/up", "../program"),
    *hard_link("./top/twin", "top/program"),
    *file("./top/other/text", b"words", 0o600),
]
LISTING = [
    ("top", "/"),
    ("top/deep", "/"),
    ("top/deep/up", "-> ../program"),
    ("top/other", "/"),
    ("top/other/text", "words"),
    ("top/program", "run"),
    ("top/twin", "run"),
]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_every_compression_is_read(tmp_path: Path, compression: str) -> None:
    path = saved(tmp_path, COMPRESSIONS[compression](tar_of(SOUND)))
    assert unpack.unpack(path, tmp_path / "into") == 5
    assert list(listing(tmp_path / "into")) == LISTING


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_debian_package_gives_its_data(tmp_path: Path, compression: str) -> None:
    data = COMPRESSIONS[compression](tar_of(SOUND))
    name = "data.tar" if compression == "tar" else f"data.tar.{compression}"
    path = saved(tmp_path, debian_package(data, name))
    assert unpack.unpack(path, tmp_path / "into") == 5
    assert list(listing(tmp_path / "into")) == LISTING


def test_only_execute_bits_and_times_are_kept_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        unpack.unpack(saved(tmp_path, tar_of(SOUND)), tmp_path / "into")
    finally:
        os.umask(before)
    top = tmp_path / "into/top"
    modes = {name: (top / name).stat().st_mode & 0o7777 for name in ("program", "other/text", "")}
    assert modes == {"program": 0o755, "other/text": 0o644, "": 0o755}
    for name in ("", "program", "twin", "deep/up", "other/text"):
        assert (top / name).lstat().st_mtime == 1_000_000_000, name


def test_what_is_unpacked_is_golden(tmp_path: Path) -> None:
    unpack.unpack(saved(tmp_path, tar_of(SOUND)), tmp_path / "into")
    digest = hashlib.sha256()
    for name, content in listing(tmp_path / "into"):
        status = (tmp_path / "into" / name).lstat()
        named = name not in ("top/deep", "top/other")  # folders without a member have no time
        time = status.st_mtime_ns if named else 0
        digest.update(repr((name, content, oct(status.st_mode), time)).encode())
    assert digest.hexdigest() == GOLDEN_UNPACKED[Unpack.revision]


def test_a_hard_link_is_a_file_of_its_own(tmp_path: Path) -> None:
    unpack.unpack(saved(tmp_path, tar_of(SOUND)), tmp_path / "into")
    (tmp_path / "into/top/twin").write_text("written in place")
    assert (tmp_path / "into/top/program").read_text() == "run"


def test_only_takes_whole_names_and_strip_drops_folders(tmp_path: Path) -> None:
    path = saved(tmp_path, tar_of([*SOUND, *file("top/others", b"another name")]))
    assert unpack.unpack(path, tmp_path / "into", only=("top/other/", "./top/deep"), strip=1) == 2
    assert list(listing(tmp_path / "into")) == [
        ("deep", "/"),
        ("deep/up", "-> ../program"),
        ("other", "/"),
        ("other/text", "words"),
    ]


def test_omit_leaves_out_folders_by_pattern_name_for_name(tmp_path: Path) -> None:
    kept = [*file("a/x-1/lib/src/kept"), *file("a/b/x-1/src/kept")]
    path = saved(tmp_path, tar_of([*kept, *file("a/x-1/src/gone"), *file("a/x-2/src/deep/gone")]))
    assert unpack.unpack(path, tmp_path / "into", omit=("a/x-*/src",)) == 2
    assert [name for name, what in listing(tmp_path / "into") if what != "/"] == [
        "a/b/x-1/src/kept",
        "a/x-1/lib/src/kept",
    ]


def test_only_that_finds_nothing_is_an_error(tmp_path: Path) -> None:
    path = saved(tmp_path, tar_of(SOUND))
    with pytest.raises(errors.BrokenArchive, match=r"nothing below top/nowhere$"):
        unpack.unpack(path, tmp_path / "into", only=("top/other", "top/nowhere"))


def test_what_only_leaves_out_is_not_judged(tmp_path: Path) -> None:
    path = saved(tmp_path, tar_of([*file("../outside"), *link("etc", "/etc"), *file("in/side")]))
    assert unpack.unpack(path, tmp_path / "into", only=("in",)) == 1


def test_the_same_path_twice_keeps_the_later(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    (tmp_path / "into").mkdir()
    (tmp_path / "into/link").symlink_to(outside)
    members = [*file("twice", b"1"), *file("twice", b"2"), *file("link", b"new")]
    unpack.unpack(saved(tmp_path, tar_of(members)), tmp_path / "into")
    assert list(listing(tmp_path / "into")) == [("link", "new"), ("twice", "2")]
    assert outside.read_text() == "untouched"


def test_long_and_foreign_names_and_an_empty_archive(tmp_path: Path) -> None:
    name = f"{'long' * 40}/{'é' * 60}"
    assert unpack.unpack(saved(tmp_path, tar_of(file(name))), tmp_path / "into") == 1
    assert (tmp_path / "into" / name).read_text() == "data"
    assert unpack.unpack(saved(tmp_path, tar_of([])), tmp_path / "into") == 0


UNSAFE: dict[str, tuple[Members, str]] = {
    "parent-path": (file("a/../../evil"), "leads outside"),
    "absolute-path": (file("/evil"), "absolute"),
    "absolute-link": (link("evil", "/etc/passwd"), "absolute"),
    "link-out": (link("evil", "../etc"), "leads outside"),
    "deep-link-out": (link("a/evil", "../../etc"), "leads outside"),
    "up-behind-a-name": ([*link("a", "."), *link("evil", "a/..")], "up again"),
    "hard-link-out": (hard_link("evil", "../archive"), "leads outside"),
    "absolute-hard-link": (hard_link("evil", "/etc/passwd"), "absolute"),
    "hard-link-to-a-link": ([*link("a", "b"), *hard_link("evil", "a")], "no file"),
    "hard-link-through-a-link": ([*link("a", "."), *hard_link("evil", "a/b")], "through the link"),
    "through-link": ([*link("a", "b"), *file("a/evil")], "through the link"),
    "folder-through-link": ([*link("a", "b"), *folder("a")], "through the link"),
    "device": (entry("evil", tarfile.CHRTYPE), "neither"),
    "block-device": (entry("evil", tarfile.BLKTYPE), "neither"),
    "fifo": (entry("evil", tarfile.FIFOTYPE), "neither"),
    "unheard-of": (entry("evil", b"Z"), "neither"),
    "empty-target": (link("evil", ""), "leads nowhere"),
}


@pytest.mark.parametrize("fault", UNSAFE)
def test_an_unsafe_member_is_refused_before_it_is_written(tmp_path: Path, fault: str) -> None:
    members, why = UNSAFE[fault]
    into = tmp_path / "sub/into"
    with pytest.raises(errors.UnsafeArchive, match=why) as caught:
        unpack.unpack(saved(tmp_path, tar_of([*file("first"), *members])), into)
    assert repr(members[-1][0].name) in str(caught.value)
    assert not [path for path in tmp_path.rglob("*evil*") if path.is_symlink() or path.exists()]
    assert (into / "first").exists()


def test_a_link_that_was_there_before_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    (tmp_path / "into/there").symlink_to(tmp_path)
    with pytest.raises(errors.UnsafeArchive, match="through the link 'there'"):
        unpack.unpack(saved(tmp_path, tar_of(file("there/evil"))), tmp_path / "into")
    assert not (tmp_path / "evil").exists()


def damaged(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


LONG = tar_of([*file("first", b"f" * 1000), *file("second", os.urandom(50_000))])
SECOND_HEADER = 512 + 1024
BROKEN: dict[str, bytes] = {
    "empty": b"",
    "no-tar": b"hello" * 1000,
    "no-end": LONG[: SECOND_HEADER + 512 + 50_176],
    "truncated-data": LONG[: SECOND_HEADER + 1024],
    "truncated-header": LONG[: SECOND_HEADER + 100],
    "damaged-header": damaged(LONG, SECOND_HEADER),
    "folder-and-file": tar_of([*file("a/b"), *file("a")]),
    "file-and-folder": tar_of([*file("a"), *file("a/b")]),
    "folder-and-link": tar_of([*file("a/b"), *link("a", "c")]),
    "dangling-hard-link": tar_of(hard_link("a", "b")),
    "truncated-gz": gzip.compress(LONG)[:-1],
    "truncated-behind-the-end": gzip.compress(LONG + bytes(3 << 20))[:-1],
    "truncated-xz": lzma.compress(LONG)[:-1],
    "truncated-bz2": bz2.compress(LONG)[:-1],
    "damaged-gz": damaged(gzip.compress(LONG), -6),
    "damaged-xz": damaged(lzma.compress(LONG), 30_000),
    "damaged-bz2": damaged(bz2.compress(LONG), 30_000),
    "too-deep": tar_of(file("d/" * 950 + "x")),
    "too-deep-folder": tar_of(folder("d/" * (walk.DEEPEST + 1))),
    "endless-name": tar_of(file("n" * 5000)),
    "endless-target": tar_of(link("a", "n" * 5000)),
    "headers-upon-headers": b"".join(
        tarfile.TarInfo.create_pax_global_header({"comment": "c"}) for _ in range(2000)
    ),
    "truncated-deb": debian_package(lzma.compress(LONG))[:30_000],
    "damaged-deb": damaged(debian_package(LONG), 8 + 58),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_archive_is_an_error(tmp_path: Path, fault: str) -> None:
    with pytest.raises(errors.BrokenArchive, match=r"^archive cannot be unpacked: \S"):
        unpack.unpack(saved(tmp_path, BROKEN[fault]), tmp_path / "into")


@pytest.mark.parametrize("name", ["n" * 100_000_000, "d/" * 50_000_000], ids=["long", "deep"])
def test_a_name_of_100_mb_is_neither_read_nor_printed(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, tar_of(file(name)))
    tracemalloc.start()
    with pytest.raises(
        errors.BrokenArchive, match="a name or a table of names in it has 1"
    ) as caught:
        unpack.unpack(path, tmp_path / "into", only=("d/d",))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
    assert len(str(caught.value)) < 200


def test_a_name_within_the_limits_is_cut_where_it_is_shown(tmp_path: Path) -> None:
    path = saved(tmp_path, tar_of(file("../" + "\n" * 3000)))
    with pytest.raises(errors.UnsafeArchive, match="letters more") as caught:
        unpack.unpack(path, tmp_path / "into")
    assert len(str(caught.value)) < 2000


def test_an_archive_of_too_many_bytes_ends_before_they_are_written(tmp_path: Path) -> None:
    path = saved(tmp_path, tar_of([*file("a", b"123"), *file("b", b"45")]))
    unpack.unpack(path, tmp_path / "fine", at_most=5)
    with pytest.raises(errors.BrokenArchive, match="more than 4 bytes"):
        unpack.unpack(path, tmp_path / "into", at_most=4)
    assert [one.name for one in (tmp_path / "into").iterdir()] == ["a"]


def test_folders_are_as_deep_as_they_may_be(tmp_path: Path) -> None:
    unpack.unpack(saved(tmp_path, tar_of(file("d/" * (walk.DEEPEST - 1) + "x"))), tmp_path / "in")
    walk.insist(tmp_path / "in")


def test_a_debian_package_without_data_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(errors.BrokenArchive, match=r"no member data\.tar$"):
        unpack.unpack(saved(tmp_path, debian_package(LONG, "other")), tmp_path / "into")


def test_a_truncated_zst_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(errors.BrokenArchive):
        unpack.unpack(saved(tmp_path, zst(LONG)[:-1]), tmp_path / "into")


# --- pack -----------------------------------------------------------------------------------


def packed(root: Path, **options: Any) -> bytes:  # noqa: ANN401  # handed on
    buffer = io.BytesIO()
    tar_writer.pack(root, buffer, **options)
    return buffer.getvalue()


def grow(root: Path) -> Path:
    """A small tree with one of each."""
    (root / "bin").mkdir(parents=True)
    (root / "bin/run").write_bytes(b"\x7fELF")
    (root / "bin/run").chmod(0o755)
    (root / "bin-link").symlink_to("./bin/run")
    (root / "tmp").mkdir()
    (root / "etc").mkdir()
    (root / "etc/né").write_text("name=value\n")
    (root / "etc" / ("long" * 40)).write_text("")
    return root


def test_the_same_tree_gives_the_same_bytes(tmp_path: Path) -> None:
    one = grow(tmp_path / "one")
    before = os.umask(0o077)
    try:
        two = grow(tmp_path / "two")
    finally:
        os.umask(before)
    os.utime(two / "bin/run", (1, 1))
    (two / "bin/run").chmod(0o4711)
    if os.geteuid() == 0:
        os.chown(two / "etc", 12, 34)
    assert packed(one) == packed(two)


def test_the_bytes_of_a_tar_are_golden(tmp_path: Path) -> None:
    data = packed(grow(tmp_path / "root"), modes={"tmp": 0o1777})
    assert hashlib.sha256(data).hexdigest() == GOLDEN_TAR[Image.revision]


def test_members_are_sorted_and_say_nothing_of_this_machine(tmp_path: Path) -> None:
    data = packed(grow(tmp_path / "root"), prefix="a/b", modes={"tmp": 0o1777})
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = {member.name: member for member in tar}
    modes = {name: oct(member.mode) for name, member in members.items()}
    assert list(modes.items()) == [
        ("a", "0o755"),
        ("a/b", "0o755"),
        ("a/b/bin", "0o755"),
        ("a/b/bin-link", "0o777"),
        ("a/b/bin/run", "0o755"),
        ("a/b/etc", "0o755"),
        (f"a/b/etc/{'long' * 40}", "0o644"),
        ("a/b/etc/né", "0o644"),
        ("a/b/tmp", "0o1777"),
    ]
    assert members["a/b/bin-link"].linkname == "./bin/run"
    said = {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members.values()}
    assert said == {(0, 0, 0, "", "")}


def test_a_mode_for_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="tpm"):
        packed(grow(tmp_path / "root"), modes={"tpm": 0o1777})


def test_a_tar_gets_its_name_when_it_is_complete(tmp_path: Path) -> None:
    root, tar = grow(tmp_path / "root"), tmp_path / "a.tar"
    tar_writer.pack(root, tar)
    complete = tar.read_bytes()
    assert complete == packed(root)
    os.mkfifo(root / "pipe")
    with pytest.raises(errors.NotAFile, match="pipe is a FIFO"):
        tar_writer.pack(root, tar)
    assert tar.read_bytes() == complete
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar", "root"]


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=60
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 250)
TREES = st.recursive(
    st.binary(max_size=2000) | NAMES,  # a file or a link
    lambda inner: st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


def plant(place: Path, tree: Tree) -> None:
    match tree:
        case bytes():
            place.write_bytes(tree)
        case str():
            place.symlink_to(tree)
        case dict():
            place.mkdir()
            for name, inner in tree.items():
                plant(place / name, inner)


def harvest(place: Path) -> Tree:
    if place.is_symlink():
        return os.readlink(place)  # noqa: PTH115  # a Path would drop a ./
    if place.is_dir():
        return {path.name: harvest(path) for path in place.iterdir()}
    return place.read_bytes()


@given(tree=st.dictionaries(NAMES, TREES, max_size=4))
@settings(deadline=None)
def test_what_was_packed_is_unpacked(tree: dict[str, Tree]) -> None:
    with tempfile.TemporaryDirectory() as folder_name:
        work = Path(folder_name)
        plant(work / "one", tree)
        tar_writer.pack(work / "one", work / "tar")
        unpack.unpack(work / "tar", work / "two")
        assert harvest(work / "two") == tree
        tar_writer.pack(work / "two", work / "again")
        assert (work / "again").read_bytes() == (work / "tar").read_bytes()


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_time_that_no_file_can_have_is_a_broken_archive(tmp_path: Path, kind: str) -> None:
    members = file("odd") if kind == "file" else folder("odd")
    members[-1][0].mtime = 1 << 80
    with pytest.raises(errors.BrokenArchive, match=r"cannot be unpacked"):
        unpack.unpack(saved(tmp_path, tar_of(members)), tmp_path / "into")


def test_a_name_that_no_file_can_have_is_a_broken_archive(tmp_path: Path) -> None:
    with pytest.raises(errors.BrokenArchive, match=r"name too long"):
        unpack.unpack(saved(tmp_path, tar_of(file("x" * 300))), tmp_path / "into")
