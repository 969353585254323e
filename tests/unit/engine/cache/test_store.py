"""The store: sealing, comparing, finding, publishing; what a crash can leave behind."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.cache import manifest as manifests
from muslin.engine.cache import store
from muslin.engine.cache.records import Record
from muslin.engine.cache.store import Store
from muslin.engine.filesystem.content import file_digest
from muslin.engine.formats.canonical_json import digest

KEY = "0123456789abcdef" * 4
RECORD = Record(
    name="stage", document={"a": 1}, wall_seconds=1.5, cpu_seconds=2.5, built_with={"gcc": "x"}
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree with one of everything."""
    tree = tmp_path / "out"
    (tree / "bin/deep").mkdir(parents=True)
    (tree / "bin/tool").write_text("tool")
    (tree / "bin/tool").chmod(0o755)
    (tree / "data").write_text("data")
    (tree / "data").chmod(0o644)
    (tree / "link").symlink_to("bin/tool")
    (tree / "folder").symlink_to("bin")
    (tree / "dangling").symlink_to("nowhere")
    return tree


@pytest.mark.parametrize("mask", [0o002, 0o022, 0o027, 0o077])
def test_the_umask_leaves_no_trace_in_a_manifest(tmp_path: Path, mask: int) -> None:
    tree = tmp_path / "tree"
    before = os.umask(mask)
    try:
        (tree / "bin").mkdir(parents=True)
        (tree / "bin/tool").touch(mode=0o777)
        (tree / "data").touch()
    finally:
        os.umask(before)
    rows = {name: row[2] if row[0] == 0 else row[1] for name, row in manifests.seal(tree).items()}
    assert rows == {"bin": 0o555, "bin/tool": 0o555, "data": 0o444}
    assert tree.stat().st_mode & 0o777 == 0o755


def test_a_sealed_tree_is_read_only_and_listed(tree: Path) -> None:
    manifest = manifests.seal(tree)
    assert list(manifest) == ["bin", "bin/deep", "bin/tool", "dangling", "data", "folder", "link"]
    assert manifest["bin"] == ["dir", 0o555]
    assert manifest["dangling"] == ["link", "nowhere"]
    size, time_ns, mode, digest = manifest["bin/tool"]
    assert (size, mode) == (4, 0o555)
    assert time_ns == (tree / "bin/tool").stat().st_mtime_ns
    assert digest == file_digest(tree / "bin/tool")
    assert manifest["data"][2] == 0o444
    assert manifests.compare(tree, manifest) is None
    assert manifests.compare(tree, json.loads(json.dumps(manifest)), digests=True) is None


def write(path: Path, text: str, *, later: int = 1) -> None:
    """Write into a sealed file, whose time is then so many nanoseconds later."""
    state = path.stat()
    path.chmod(0o755)
    path.write_text(text, encoding="utf-8")
    path.chmod(state.st_mode)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + later))


def swap(path: Path, link: str = "") -> None:
    """Put a link, or else a file, where something was or nothing was."""
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    if link:
        path.symlink_to(link)
    else:
        path.write_text("tool", encoding="utf-8")


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "size": (lambda tree: write(tree / "data", "date!"), "data has 5 bytes instead of 4"),
    "content": (
        lambda tree: write(tree / "data", "date"),
        "data has other content than when it was built",
    ),
    "older content": (
        lambda tree: write(tree / "data", "date", later=-1),
        "data has other content than when it was built",
    ),
    "mode": (lambda tree: (tree / "data").chmod(0o644), "data has mode 644 instead of 444"),
    "set-uid": (
        lambda tree: (tree / "bin/tool").chmod(0o4555),
        "bin/tool has mode 4555 instead of 555",
    ),
    "file-gone": (lambda tree: (tree / "data").unlink(), "data is missing"),
    "folder-gone": (lambda tree: (tree / "bin/deep").rmdir(), "bin/deep is missing"),
    "link-gone": (lambda tree: (tree / "dangling").unlink(), "dangling is missing"),
    "link-moved": (
        lambda tree: swap(tree / "link", "data"),
        "link is no longer a link to bin/tool",
    ),
    "link-to-file": (
        lambda tree: swap(tree / "link"),
        "link is no longer a link to bin/tool",
    ),
    "file-to-link": (
        lambda tree: swap(tree / "data", "bin/tool"),
        "data is no longer a file",
    ),
    "folder-to-link": (
        lambda tree: swap(tree / "bin/deep", "."),
        "bin/deep is no longer a folder",
    ),
    "file-added": (lambda tree: (tree / "bin/deep/x").touch(), "1 files were added"),
    "folder-added": (lambda tree: (tree / "new").mkdir(), "1 files were added"),
    "tree-added": (lambda tree: (tree / "a/b").mkdir(parents=True), "2 files were added"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_difference_has_its_words(tree: Path, fault: str) -> None:
    manifest = manifests.seal(tree)
    tree.chmod(0o755)
    harm, words = FAULTS[fault]
    harm(tree)
    assert manifests.compare(tree, manifest) == words


def test_another_time_is_no_difference(tree: Path) -> None:
    manifest = manifests.seal(tree)
    os.utime(tree / "data", ns=(0, 0))
    assert manifests.compare(tree, manifest) is None


def test_a_change_behind_size_and_time_takes_digests(tree: Path) -> None:
    manifest = manifests.seal(tree)
    write(tree / "data", "date", later=0)
    assert manifests.compare(tree, manifest) is None
    fault = manifests.compare(tree, manifest, digests=True)
    assert fault == "data has other content than when it was built"


def test_what_was_published_is_found(tmp_path: Path, tree: Path) -> None:
    place = Store(tmp_path)
    assert place.find(KEY) is None
    committed = place.commit(KEY, tree, RECORD)
    found = place.find(KEY)
    assert found == committed
    assert found.record.bytes == 8
    assert found.record.name == "stage"
    assert (found.tree / "link").read_text() == "tool"
    assert not tree.exists()
    assert [path.name for path in place.root.iterdir()] == [KEY]


def test_everybody_may_enter_an_entry(tmp_path: Path, tree: Path) -> None:
    """Whatever the umask, and though temporary folders are their owner's alone."""
    before = os.umask(0o077)
    try:
        entry = Store(tmp_path).commit(KEY, tree, RECORD)
    finally:
        os.umask(before)
    assert stat.S_IMODE(entry.folder.stat().st_mode) == 0o755
    assert stat.S_IMODE(entry.tree.stat().st_mode) == 0o755


def test_an_entry_that_cannot_get_its_name_is_an_error(tmp_path: Path, tree: Path) -> None:
    place = Store(tmp_path)
    with pytest.raises(OSError, match="File name too long"):
        place.commit("f" * 300, tree, RECORD)
    assert not list(place.root.iterdir())


def test_an_empty_output_is_an_output(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    Store(tmp_path).commit(KEY, tmp_path / "out", RECORD)
    assert Store(tmp_path).find(KEY) is not None


def test_who_comes_second_takes_what_the_first_one_published(tmp_path: Path, tree: Path) -> None:
    place = Store(tmp_path)
    place.commit(KEY, tree, RECORD)
    (tmp_path / "second").mkdir()
    (tmp_path / "second/other").touch()
    entry = place.commit(KEY, tmp_path / "second", RECORD)
    assert (entry.tree / "data").read_text() == "data"
    assert [path.name for path in place.root.iterdir()] == [KEY]


def test_a_find_is_a_use(tmp_path: Path, tree: Path) -> None:
    place = Store(tmp_path)
    entry = place.commit(KEY, tree, RECORD)
    os.utime(entry.folder / "stage.json", (1, 1))
    assert [used for _, _, used in place.entries()] == [1]
    place.find(KEY)
    ((_, _, used),) = place.entries()
    assert used > 1_000_000_000


def test_checks_passed_are_remembered_each(tmp_path: Path, tree: Path) -> None:
    place = Store(tmp_path)
    place.commit(KEY, tree, RECORD)
    assert not place.marks(KEY).passed("one")
    place.marks(KEY).pass_("one")
    assert place.marks(KEY).passed("one")
    assert not place.marks(KEY).passed("two")


def test_a_record_of_another_version_is_told_and_removed(tmp_path: Path, tree: Path) -> None:
    place = Store(tmp_path)
    entry = place.commit(KEY, tree, RECORD)
    (entry.folder / "stage.json").write_text('{"name": "x", "fresh": 1}')
    told: list[str] = []
    assert place.find(KEY, told.append) is None
    assert len(told) == 1
    assert "its record cannot be read" in told[0]
    assert not list(place.root.iterdir())


@pytest.mark.parametrize("name", ["stage.json", "manifest.json", "SHA256SUMS"])
def test_no_flipped_bit_of_what_an_entry_says_of_itself_is_believed(
    tmp_path: Path, tree: Path, name: str
) -> None:
    place = Store(tmp_path)
    path = place.commit(KEY, tree, RECORD).folder / name
    sound = path.read_bytes()
    for at in range(len(sound)):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :])
        assert list(place.verify()) == [KEY], at
    path.write_bytes(sound)
    assert place.verify() == {}


@pytest.mark.parametrize("name", ["stage.json", "manifest.json"])
def test_no_flipped_bit_of_an_older_entry_ends_a_run(tmp_path: Path, tree: Path, name: str) -> None:
    place, key = Store(tmp_path), digest(RECORD.document)
    folder = place.commit(key, tree, RECORD).folder
    sound, noticed = (folder / name).read_bytes(), 0
    for at in range(len(sound)):
        (folder / "SHA256SUMS").unlink(missing_ok=True)
        (folder / name).write_bytes(sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :])
        noticed += bool(place.verify())
    assert noticed > len(sound) / 2


def test_an_unreadable_record_is_the_first_to_go(tmp_path: Path, tree: Path) -> None:
    place = Store(tmp_path)
    entry = place.commit(KEY, tree, RECORD)
    (entry.folder / "stage.json").write_text("{")
    assert [(key, used) for key, _, used in place.entries()] == [(KEY, 0.0)]


@pytest.mark.parametrize("kind", ["file", "link", "folder", "absent"])
def test_removing_takes_what_is_there_and_no_more(tmp_path: Path, tree: Path, kind: str) -> None:
    victim = tmp_path / "victim"
    match kind:
        case "file":
            victim.touch(mode=0o400)
        case "link":
            victim.symlink_to(tree)
        case "folder":
            (victim / "a/b").mkdir(parents=True)
            (victim / "a/b/c").touch(mode=0)
            (victim / "a/link").symlink_to(tree)
            (victim / "a/b").chmod(0o555)
            (victim / "a").chmod(0o555)
        case _:
            assert not victim.exists()
    store.remove(victim)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert (tree / "data").exists()


def test_a_lock_keeps_others_out_until_it_is_given_back(tmp_path: Path) -> None:
    place = Store(tmp_path)
    order: list[str] = []
    told = threading.Event()

    def second() -> None:
        with place.lock(KEY, told.set):
            order.append("second")

    thread = threading.Thread(target=second)
    with place.lock(KEY, lambda: pytest.fail("nobody else has it")):
        thread.start()
        assert told.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_other_keys_are_free(tmp_path: Path) -> None:
    place = Store(tmp_path)
    with place.lock(KEY, lambda: None), place.lock("f" * 64, lambda: pytest.fail("it is free")):
        pass


def test_waiting_ends_when_it_is_told_to(tmp_path: Path) -> None:
    place = Store(tmp_path)
    ended = threading.Event()

    def enough() -> None:
        raise TimeoutError

    def second() -> None:
        with suppress(TimeoutError), place.lock(KEY, lambda: None, enough):
            pass
        ended.set()

    with place.lock(KEY, lambda: None):
        threading.Thread(target=second, daemon=True).start()
        assert ended.wait(30)


def test_a_damaged_entry_that_another_run_has_in_hand_is_left_to_it(
    tmp_path: Path, tree: Path
) -> None:
    ours, theirs = Store(tmp_path), Store(tmp_path)
    entry = ours.commit(KEY, tree, RECORD)
    write(entry.tree / "data", "date!")
    faults: list[str] = []
    with theirs.lock(KEY, lambda: None):
        assert ours.find(KEY, faults.append) is None
        assert entry.folder.exists()
        assert theirs.find(KEY, faults.append) is None
        assert not entry.folder.exists()
    assert faults == ["data has 5 bytes instead of 4"]


def test_an_entry_built_anew_between_two_looks_stays(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Store(tmp_path)
    shutil.copytree(tree, tmp_path / "again", symlinks=True)
    entry = place.commit(KEY, tree, RECORD)
    write(entry.tree / "data", "date!")
    looks: list[object] = []

    def look(folder: Path, manifest: manifests.Manifest, *, digests: bool) -> str | None:
        fault = manifests.compare(folder, manifest, digests=digests)
        if not looks:  # another run repairs it, just after this one has seen the fault
            store.remove(entry.folder)
            place.commit(KEY, tmp_path / "again", RECORD)
        looks.append(fault)
        return fault

    monkeypatch.setattr("muslin.engine.cache.store.compare", look)
    assert place.find(KEY) == entry
    assert looks == ["data has 5 bytes instead of 4", None]


def test_who_comes_second_replaces_what_nobody_can_use(tmp_path: Path, tree: Path) -> None:
    place = Store(tmp_path)
    (place.root / KEY / "half").mkdir(parents=True)
    entry = place.commit(KEY, tree, RECORD)
    assert place.find(KEY) == entry
    assert [path.name for path in place.root.iterdir()] == [KEY]


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.EIO])
def test_an_error_of_the_last_rename_is_none_of_somebody_elses_entry(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    place, rename = Store(tmp_path), Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path.name.startswith(".new-"):
            raise OSError(number, os.strerror(number), str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match=os.strerror(number)):
        place.commit(KEY, tree, RECORD)
    monkeypatch.undo()
    assert place.find(KEY) is None


def test_a_disk_that_is_full_when_a_record_is_written_leaves_nothing(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path), len(content))

    place = Store(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(errors.DiskFull, match="No space left on device"), place.in_use():
        place.commit(KEY, tree, RECORD)
    assert not list(place.root.iterdir())


def test_a_folder_mounted_twice_is_named(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, rename = Store(tmp_path), Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path == tree:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(errors.SeveralFileSystems, match="lie on different file systems"):
        place.commit(KEY, tree, RECORD)


@pytest.mark.parametrize("name", ["work", "refused"])
def test_a_folder_on_another_file_system_is_named_before_anything_is_built(
    tmp_path: Path, name: str
) -> None:
    Store(tmp_path)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as elsewhere:  # a file system of its own
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        (tmp_path / name).symlink_to(elsewhere)
        with pytest.raises(errors.SeveralFileSystems, match=f"/{name} and .*/store lie on"):
            Store(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "FIFO", "link", "lost"])
def test_what_lies_in_the_place_of_a_lock_is_replaced(tmp_path: Path, kind: str) -> None:
    place = Store(tmp_path)
    path = place.locks / f"{KEY}.lock"
    match kind:
        case "folder":
            path.mkdir()
        case "FIFO":
            os.mkfifo(path)
        case "link":
            path.symlink_to("nowhere")
        case _:
            place.locks.rmdir()
    with place.lock(KEY, lambda: pytest.fail("nobody has it")):
        assert path.is_file()


@pytest.mark.parametrize("name", ["store", "work", "scratch", "locks", "format", "locks/in-use"])
def test_what_lies_in_the_place_of_the_caches_own_is_named(tmp_path: Path, name: str) -> None:
    Store(tmp_path)
    path = tmp_path / name
    if path.is_dir():
        path.rmdir()
        path.touch()
    else:
        path.unlink(missing_ok=True)
        path.mkdir()
    with pytest.raises((errors.CacheDamaged, errors.CacheUnusable), match=path.name):
        with Store(tmp_path).in_use():
            pass


def test_a_fifo_in_the_place_of_the_lock_of_all_blocks_nobody(tmp_path: Path) -> None:
    place = Store(tmp_path)
    os.mkfifo(place.locks / "in-use")
    with place.in_use():
        pass


@pytest.mark.parametrize("said", ["2", "next", ""])
def test_a_newer_muslins_cache_is_left_alone(tmp_path: Path, tree: Path, said: str) -> None:
    entry = Store(tmp_path).commit(KEY, tree, RECORD)
    (tmp_path / "format").write_text(said)
    with pytest.raises(errors.CacheUnusable, match=f"have the format '{said}' and this Muslin"):
        Store(tmp_path)
    assert entry.folder.exists()
    (tmp_path / "format").write_text("1\n")
    assert Store(tmp_path).find(KEY) == entry
