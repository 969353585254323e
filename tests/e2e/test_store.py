"""The cache on a real disk: damage is seen, the oldest goes first, trouble has words."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.cache import gc
from muslin.engine.cache.store import remove
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Copy, Link, Present, Run, Write
from muslin.models import cache_folder, settings
from tests.e2e.bench import PROJECT, Bench, shell, stage, text

VICTIM = stage(
    "victim",
    Write(path="${out}/bin/tool", text="#!/bin/sh\necho sound\n", executable=True),
    Write(path="${out}/note", text="a note"),
    Link(path="${out}/link", target="bin/tool"),
)
USER = stage("user", Run(argv=("${need.victim}/bin/tool",), output="${out}/said"), needs=(VICTIM,))


def rewrite(path: Path, content: str) -> None:
    path.chmod(0o755)
    path.write_text(content, encoding="utf-8")
    path.chmod(0o555)


def rewrite_keeping_time(path: Path, content: str) -> None:
    state = path.stat()
    rewrite(path, content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def swap(path: Path, link: str = "") -> None:
    """Put a link, a folder or a file where something else was."""
    was_folder = path.is_dir() and not path.is_symlink()
    if was_folder:
        shutil.rmtree(path)
    else:
        path.unlink()
    if link:
        path.symlink_to(link)
    elif was_folder:
        path.touch()
    else:
        path.mkdir()


def flip_keeping_time(path: Path) -> None:
    """Change one bit in the middle, as a disk does it: nothing else changes."""
    state, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o755)
    path.write_bytes(content)
    path.chmod(stat.S_IMODE(state.st_mode))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def to_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def to_link(path: Path) -> None:
    """Move it away, and put a link to it in its place."""
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "size": (
        lambda entry: rewrite_keeping_time(entry / "tree/bin/tool", "#!/bin/sh\necho odd\n"),
        "bin/tool has 19 bytes instead of 21",
    ),
    "content": (
        lambda entry: rewrite(entry / "tree/bin/tool", "#!/bin/sh\necho souNd\n"),
        "bin/tool has other content than when it was built",
    ),
    "mode": (
        lambda entry: (entry / "tree/bin/tool").chmod(0o755),
        "bin/tool has mode 755 instead of 555",
    ),
    "removed": (lambda entry: (entry / "tree/note").unlink(), "note is missing"),
    "tree": (lambda entry: shutil.rmtree(entry / "tree"), "bin is missing"),
    "added": (lambda entry: (entry / "tree/bin/more").touch(), "1 files were added"),
    "link": (
        lambda entry: swap(entry / "tree/link", "/bin/true"),
        "link is no longer a link to bin/tool",
    ),
    "folder": (
        lambda entry: swap(entry / "tree/bin"),
        "bin is no longer a folder",
    ),
    "file": (
        lambda entry: swap(entry / "tree/note"),
        "note is no longer a file",
    ),
    "record": (lambda entry: rewrite(entry / "stage.json", "{"), "its record cannot be read"),
    "no-record": (lambda entry: (entry / "stage.json").unlink(), "its record cannot be read"),
    "manifest": (lambda entry: rewrite(entry / "manifest.json", ""), "its record cannot be read"),
    "bit-of-the-manifest": (
        lambda entry: flip_keeping_time(entry / "manifest.json"),
        "stage.json, manifest.json or SHA256SUMS was changed, or is another entry's",
    ),
    "bit-of-the-record": (
        lambda entry: flip_keeping_time(entry / "stage.json"),
        "stage.json, manifest.json or SHA256SUMS was changed, or is another entry's",
    ),
    "bit-of-the-sums": (
        lambda entry: flip_keeping_time(entry / "SHA256SUMS"),
        "stage.json, manifest.json or SHA256SUMS was changed, or is another entry's",
    ),
    "sums-to-folder": (lambda entry: swap(entry / "SHA256SUMS"), "SHA256SUMS is no file"),
    "manifest-to-fifo": (
        lambda entry: to_fifo(entry / "manifest.json"),
        "manifest.json is no file",
    ),
    "manifest-to-link": (
        lambda entry: swap(entry / "manifest.json", "stage.json"),
        "manifest.json cannot be read: Too many levels of symbolic links",
    ),
    "tree-to-link": (lambda entry: to_link(entry / "tree"), "its tree is no folder"),
    "entry-to-file": (swap, "its record cannot be read"),
    "no-manifest": (
        lambda entry: (entry / "manifest.json").unlink(),
        "its record cannot be read",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_entry_is_reported_and_built_anew(bench: Bench, damage: str) -> None:
    harm, fault = DAMAGE[damage]
    harm(bench.build(VICTIM)["victim"].folder)
    entries = bench.build(USER)
    (line,) = (line for line in bench.text.splitlines() if "damaged" in line)
    assert line.split()[0] == "victim"
    assert fault in line
    assert "is built anew" in line
    assert bench.said("built") == {"victim", "user"}
    assert (entries["user"].tree / "said").read_text() == "sound\n"


OTHER = text("other")


@pytest.mark.parametrize("vouched", [True, False], ids=["with sums", "of an older version"])
def test_two_entries_swapped_by_hand_are_not_used_for_each_other(
    bench: Bench, *, vouched: bool
) -> None:
    built = bench.build(VICTIM, OTHER)
    first, second = (entry.folder for entry in built.values())
    aside = first.with_name("aside")
    for source, to in ((first, aside), (second, first), (aside, second)):
        source.rename(to)
    for folder in (first, second) if not vouched else ():
        (folder / "SHA256SUMS").unlink()
    again = bench.build(VICTIM, OTHER)
    assert bench.said("built") == {"victim", "other"}
    assert bench.text.count("damaged") == 2
    assert (again["victim"].tree / "note").read_text() == "a note"


def test_an_entry_of_an_older_version_is_found_and_vouched_for_from_then_on(bench: Bench) -> None:
    folder = bench.build(VICTIM)["victim"].folder
    sums = (folder / "SHA256SUMS").read_text()
    (folder / "SHA256SUMS").unlink()
    bench.build(VICTIM)
    assert bench.said("found") == {"victim"}
    assert (folder / "SHA256SUMS").read_text() == sums
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", f"{folder.name}/SHA256SUMS"],
        cwd=folder.parent, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    flip_keeping_time(folder / "manifest.json")
    bench.build(VICTIM)
    assert bench.said("built") == {"victim"}


ROWS = ("null", "7", "[]", '{"bin": null}', '{"bin": ["dir"]}', '{"bin": ["xir", 365]}',
        '{"bin": [[], 1, 1, 1]}', '{"a\\u0000b": [1, 1, 365, "a"]}', '{"bin": ["link", 3]}',
        "[" * 100_000, '{"bin": [1e999, 1, 365, ""]}', '{"\\ud900": ["link", "x"]}')  # fmt: skip


@pytest.mark.parametrize("rows", ROWS, ids=range(len(ROWS)))
def test_a_manifest_of_another_type_is_damage(bench: Bench, rows: str) -> None:
    folder = bench.build(VICTIM)["victim"].folder
    (folder / "SHA256SUMS").unlink()
    (folder / "manifest.json").write_text(rows)
    assert list(bench.store.verify()) == [folder.name]
    bench.build(VICTIM)
    assert bench.said("built") == {"victim"}


def test_names_that_are_no_utf8_are_no_damage(bench: Bench) -> None:
    odd = stage("odd", Run(argv=("sh", "-ec", "touch ${out}/$(printf 'a\\377b')")))
    bench.build(odd)
    bench.build(odd)
    assert bench.said("found") == {"odd"}
    assert bench.store.verify() == {}


def test_nothing_is_built_from_a_need_with_a_changed_bit(bench: Bench) -> None:
    flip_keeping_time(bench.build(VICTIM)["victim"].tree / "bin/tool")
    with pytest.raises(errors.NeedLost, match="victim was in the cache"):
        bench.build(USER)
    assert "bin/tool has other content than when it was built; it was removed" in bench.text
    assert (bench.build(USER)["user"].tree / "said").read_text() == "sound\n"


@pytest.mark.parametrize("kind", ["file", "empty folder", "full folder"])
def test_what_lies_in_the_place_of_an_entry_is_replaced(bench: Bench, kind: str) -> None:
    path = bench.store.root / bench.build(VICTIM)["victim"].key
    remove(path)
    if kind == "file":
        path.touch()
    else:
        (path / "more" if kind == "full folder" else path).mkdir(parents=True)
    entry = bench.build(VICTIM)["victim"]
    assert (entry.tree / "note").read_text() == "a note"
    assert bench.store.verify() == {}


def test_another_time_alone_is_no_damage(bench: Bench) -> None:
    (bench.build(VICTIM)["victim"].tree / "note").touch()
    bench.build(VICTIM)
    assert bench.said("found") == {"victim"}


def test_what_hides_behind_size_and_time_is_found_by_digest(bench: Bench) -> None:
    entry = bench.build(VICTIM)["victim"]
    assert bench.store.verify() == {}
    rewrite_keeping_time(entry.tree / "bin/tool", "#!/bin/sh\necho souNd\n")
    fault = "bin/tool has other content than when it was built"
    assert bench.store.verify() == {entry.key: fault}


@pytest.mark.parametrize("name", ["stage.json", "manifest.json"])
def test_verify_names_an_entry_without_its_record(bench: Bench, name: str) -> None:
    entry = bench.build(VICTIM)["victim"]
    (entry.folder / name).write_text("")
    assert name == "stage.json" or set(bench.store.verify()) == {entry.key}


def test_a_published_tree_is_read_only(bench: Bench) -> None:
    tree = bench.build(VICTIM)["victim"].tree
    for path in tree.rglob("*"):
        if not path.is_symlink():
            assert not stat.S_IMODE(path.stat().st_mode) & 0o222, path


@pytest.mark.usefixtures("unconfined")
def test_a_stage_that_writes_into_its_need_fails(bench: Bench) -> None:
    writes = Run(
        argv=("sh", "-ec", "chmod u+w ${need.victim}/note; echo more >>${need.victim}/note")
    )
    goal = stage("goal", writes, Write(path="${out}/text", text=""), needs=(VICTIM,))
    with pytest.raises(errors.StepFailed) as caught:
        bench.build(goal)
    assert "goal: build: a step wrote into the need 'victim'" in str(caught.value)
    names = {record.name for _, record, _ in bench.store.entries()}
    assert "goal" not in names
    assert (bench.build(VICTIM)["victim"].tree / "note").read_text() == "a note"


# --- checks have a key of their own ---------------------------------------------------------


def checked(path: str) -> Stage:
    return stage("goal", Write(path="${out}/text", text="x"), checks=(Present(paths=(path,)),))


def test_a_failed_check_leaves_nothing_that_is_used(bench: Bench) -> None:
    user = stage("user", Copy(source="${need.goal}/text", to="${out}/text"), needs=(checked("no"),))
    for _ in range(2):  # the second run does not believe what the first one left
        with pytest.raises(errors.CheckFailed, match="goal: check failed: all files are there"):
            bench.build(user)
    assert {record.name for _, record, _ in bench.store.entries()} <= {"goal"}


def test_a_mended_check_checks_again_and_builds_nothing(bench: Bench) -> None:
    with pytest.raises(errors.CheckFailed):
        bench.build(checked("typo"))
    bench.build(checked("text"))
    assert bench.said("checked") == {"goal"}
    assert not bench.said("built")
    bench.build(checked("text"))
    assert bench.said("found") == {"goal"}


def test_a_stricter_check_of_a_need_is_run_though_its_user_is_found(bench: Bench) -> None:
    def user(path: str) -> Stage:
        copied = Copy(source="${need.goal}/text", to="${out}/text")
        return stage("user", copied, needs=(checked(path),))

    bench.build(user("text"))
    with pytest.raises(errors.CheckFailed, match="goal: check failed"):
        bench.build(user("no"))


def test_a_changed_judge_checks_again(bench: Bench) -> None:
    def judged(content: str) -> Stage:
        goal = checked("text")
        judge = text("judge", content)
        return Stage(
            name="goal", steps=goal.steps, checks=goal.checks, judges=(("judge", judge),),
            runs_on="host",
        )  # fmt: skip

    bench.build(judged("one"))
    bench.build(judged("two"))
    assert bench.said("checked") == {"goal"}
    assert bench.said("built") == {"judge"}


@pytest.mark.parametrize("kind", ["lost", "file", "marks are folders", "marks are not empty"])
def test_without_its_marks_an_entry_is_checked_again_and_not_built(bench: Bench, kind: str) -> None:
    checks = bench.build(checked("text"))["goal"].folder / "checks"
    marks = [path.name for path in checks.iterdir()]
    shutil.rmtree(checks)
    match kind:
        case "file":
            checks.touch()
        case "marks are folders":
            for mark in marks:
                (checks / mark).mkdir(parents=True)
        case "marks are not empty":
            checks.mkdir()
            for mark in marks:
                (checks / mark).write_text("x")
        case _:
            pass
    bench.build(checked("text"))
    assert bench.said("checked") == {"goal"}
    bench.build(checked("text"))
    assert bench.said("found") == {"goal"}


def test_a_mark_of_another_name_is_no_pass(bench: Bench) -> None:
    checks = bench.build(checked("text"))["goal"].folder / "checks"
    for mark in list(checks.iterdir()):
        mark.rename(mark.with_name("0" * 64 if mark.name[0] != "0" else "1" * 64))
    bench.build(checked("text"))
    assert bench.said("checked") == {"goal"}


@pytest.mark.parametrize("content", ["[]", "null", '{"key": 1}', "[" * 100_000, "", '"x"'])
def test_a_history_of_another_type_ends_no_run(bench: Bench, content: str) -> None:
    bench.build(VICTIM)
    (history,) = (bench.cache / "history").iterdir()
    history.write_text(content)
    with bench.builder() as builder:
        assert builder.history.last("victim") is None
    shutil.rmtree(bench.store.root)
    bench.build(VICTIM)
    with bench.builder() as builder:
        assert builder.history.last("victim") is not None


# --- clean-up -------------------------------------------------------------------------------


def aged(bench: Bench, *names: str) -> dict[str, str]:
    """Three entries of 10 bytes each, last used in this order, long ago; name -> key."""
    keys = {}
    for age, name in enumerate(names):
        entry = bench.build(text(name, f"{name:10}"))[name]
        os.utime(entry.folder / "stage.json", (age, age))
        keys[name] = entry.key
    shutil.rmtree(bench.cache / "logs")  # they are counted too
    return keys


def left(bench: Bench) -> set[str]:
    return {record.name for _, record, _ in bench.store.entries()}


def test_the_least_recently_used_goes_first(bench: Bench) -> None:
    aged(bench, "one", "two", "three")
    bench.build(text("one", f"{'one':10}"))  # used just now
    shutil.rmtree(bench.cache / "logs", ignore_errors=True)
    gone = gc.collect(bench.store, 20)
    assert [one.name for one in gone] == ["two"]
    assert left(bench) == {"one", "three"}
    assert gc.collect(bench.store, 20) == []


def test_a_dry_run_says_the_same_and_removes_nothing(bench: Bench) -> None:
    aged(bench, "one", "two", "three")
    leftover = bench.cache / "work" / "leftover"
    leftover.mkdir()
    gone = gc.collect(bench.store, 10, dry=True)
    assert [one.name for one in gone] == ["one", "two"]
    assert left(bench) == {"one", "two", "three"}
    assert leftover.exists()


def test_scratch_goes_first_and_downloads_by_their_age(bench: Bench) -> None:
    aged(bench, "one", "two")
    for name, age in (("downloads/abc/old.tar", 1_000_000_001), ("scratch/mine/deep/a", 2**31)):
        path = bench.cache / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 100)
        folder = bench.cache / Path(*Path(name).parts[:2])
        os.utime(folder, (age, age))
    (bench.cache / "downloads/new").mkdir()
    (bench.cache / "downloads/new/new.tar").write_bytes(b"x" * 50)
    names = [one.name for one in gc.collect(bench.store, 0, dry=True)]
    assert names[0] == "scratch mine"
    assert names[-1] == "download new.tar"
    assert set(names[1:-1]) == {"one", "two", "download old.tar"}
    gone = gc.collect(bench.store, 60)
    assert gone[0].bytes == 100
    assert sum(one.bytes for one in gc.held(bench.store)) <= 60
    assert (bench.cache / "downloads/new/new.tar").exists()
    assert not (bench.cache / "downloads/abc").exists()


def test_indexes_of_the_archive_go_and_what_was_signed_stays(bench: Bench) -> None:
    folder = bench.cache / "archive" / "trixie"
    folder.mkdir(parents=True)
    (folder / "InRelease").write_text("signed")
    (folder / ("a" * 64)).write_bytes(b"x" * 100)
    assert [one.bytes for one in gc.collect(bench.store, 0)] == [100]
    assert [path.name for path in folder.iterdir()] == ["InRelease"]


def test_strangers_in_the_cache_are_held_and_go_like_others(bench: Bench) -> None:
    aged(bench, "one")
    (bench.cache / "downloads").mkdir()
    for name in ("downloads/file", "scratch/file", "store/file", "unchanged/folder/file"):
        path = bench.cache / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)
    (bench.cache / "downloads" / "link").symlink_to("nowhere")
    names = {one.name for one in gc.collect(bench.store, 0, dry=True)}
    assert names == {"download file", "download link", "scratch file", "unreadable", "one"}
    gc.collect(bench.store, 0)
    assert not any(
        list((bench.cache / name).iterdir()) for name in ("downloads", "scratch", "store")
    )


def test_clean_up_takes_what_killed_runs_left(bench: Bench) -> None:
    aged(bench, "one")
    for leftover in ("work/abc", "store/.new-x", "store/.gone-1-2-x"):
        (bench.cache / leftover / "deep").mkdir(parents=True)
        (bench.cache / leftover / "deep").chmod(0o555)
    assert gc.collect(bench.store, 100) == []
    assert not list((bench.cache / "work").iterdir())
    assert len(list((bench.cache / "store").iterdir())) == 1


def test_clean_up_takes_what_is_known_of_runs_with_nothing_to_do(bench: Bench) -> None:
    aged(bench, "one")
    record = bench.cache / "unchanged" / "record.json"
    record.parent.mkdir()
    record.write_text("{}")
    gc.collect(bench.store, 100, dry=True)
    assert record.exists()
    gc.collect(bench.store, 100)
    assert not record.exists()


def test_the_next_run_ends_what_a_killed_one_was_removing(bench: Bench) -> None:
    bench.build(text("a", "1"))
    ended = subprocess.Popen(["true"])
    ended.wait()
    for folder in ("work", "store", "scratch"):
        for process in (ended.pid, os.getpid()):
            (bench.cache / folder / f".gone-{process}-1-x" / "half").mkdir(parents=True)
    bench.build(text("a", "1"))
    left = {path.name for path in bench.cache.rglob(".gone-*")}
    assert left == {f".gone-{os.getpid()}-1-x"}, "a run that goes on removes its own"


def test_clean_up_refuses_while_a_run_holds_the_cache(bench: Bench) -> None:
    aged(bench, "one")
    with bench.store.in_use():
        with pytest.raises(errors.CacheInUse, match="another run is using the cache"):
            gc.collect(bench.store, 0)
    assert left(bench) == {"one"}
    assert len(gc.collect(bench.store, 0)) == 1


def test_runs_do_not_keep_each_other_out(bench: Bench) -> None:
    with bench.store.in_use(), (bench.cache / "locks" / "in-use").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_an_entry_says_how_it_came_to_be(bench: Bench) -> None:
    entry = bench.build(stage("goal", shell("true")))["goal"]
    record = json.loads((entry.folder / "stage.json").read_text())
    assert record["name"] == "goal"
    assert record["document"]["steps"][0]["argv"] == ["sh", "-euc", "true"]
    assert record["wall_seconds"] >= 0


# --- the cache's place ----------------------------------------------------------------------


def test_a_cache_path_with_white_space_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / "my cache"))
    with pytest.raises(errors.CacheUnusable, match="white space"):
        settings.load(PROJECT)
    assert not (tmp_path / "my cache").exists()


LOAD = """\
import sys, pathlib
sys.dont_write_bytecode = True
from muslin.engine import errors
from muslin.models import settings
try:
    settings.load(pathlib.Path(sys.argv[1]))
except errors.CacheUnusable as error:
    print(error)
"""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; see below")
@pytest.mark.parametrize("part", [".", "store"])
def test_a_cache_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    (tmp_path / "cache" / "store").mkdir(parents=True)
    (tmp_path / "cache" / part).chmod(0o555)
    monkeypatch.setenv(cache_folder.VARIABLE, str(tmp_path / "cache"))
    with pytest.raises(errors.CacheUnusable, match="it cannot be written"):
        settings.load(PROJECT)


@pytest.fixture
def everybodys() -> Iterator[Path]:
    """A folder that others may enter. Pytest's own stay as they are: other tests look at them."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_cache_that_cannot_be_written_is_refused(everybodys: Path) -> None:
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("wants root and setpriv, to become somebody who may not write")
    (everybodys / "cache").mkdir(mode=0o755)
    nobody = (setpriv, "--reuid=65534", "--regid=65534", "--clear-groups")
    can = subprocess.run(
        [*nobody, sys.executable, "-c", "import muslin.models.settings"], check=False, cwd=PROJECT
    )
    if can.returncode:
        pytest.skip("others cannot read this Python or this project")
    (everybodys / "roots" / "store").mkdir(parents=True, mode=0o755)
    os.chown(everybodys / "roots", 65534, 65534)  # after a run as root, what lies in it is root's
    for cache, fault in (
        (everybodys / "cache", everybodys / "cache"),
        (everybodys / "new", everybodys / "new"),
        (everybodys / "roots", everybodys / "roots" / "store"),
    ):
        done = subprocess.run(
            [*nobody, sys.executable, "-c", LOAD, str(PROJECT)],
            check=True, cwd=PROJECT, env={cache_folder.VARIABLE: str(cache)},
            capture_output=True, text=True,
        )  # fmt: skip
        assert f"the cache folder {str(fault)!r} cannot be used: " in done.stdout
        assert "Set MUSLIN_CACHE to a new folder" in done.stdout


FIRST_USE = """\
import pathlib, resource, sys
from muslin.errors import PipelineError
from muslin.engine.console import Report
from muslin.cli.context import Context
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    with Context(pathlib.Path(sys.argv[1]), Report()).at_work():
        sys.exit("there was room")
except PipelineError as error:
    sys.exit(f"error: {error}")
"""
FULL = """
mount -t tmpfs -o size=4k none "$MUSLIN_CACHE" && mkdir "$MUSLIN_CACHE/downloads" || exit 99
head -c 4096 /dev/zero >"$MUSLIN_CACHE/downloads/all"
exec "$@"
"""


@pytest.mark.parametrize("kind", ["limit", "tmpfs"])
def test_the_first_use_of_a_full_disk_ends_in_a_sentence(tmp_path: Path, kind: str) -> None:
    (tmp_path / "cache").mkdir()
    env = {**os.environ, cache_folder.VARIABLE: str(tmp_path / "cache")}

    def run(kind: str, *before: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*before, sys.executable, "-B", "-c", FIRST_USE, str(PROJECT), kind],
            check=False, cwd=PROJECT, env=env, capture_output=True, text=True,
        )  # fmt: skip

    done = run("tmpfs", "unshare", "--mount", "sh", "-c", FULL, "sh") if kind == "tmpfs" else None
    if done is None or "error: " not in done.stderr:  # not root: a limit stands in
        done = run("limit")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"error: {tmp_path}/cache" in done.stderr
    assert "cannot be written: " in done.stderr
    assert "`nox -s gc -- 5GB` shrinks the cache, MUSLIN_CACHE moves it" in done.stderr


READ_ONLY = """
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && cd "$1" || exit 99
shift
exec "$@"
"""


def test_a_read_only_checkout_is_told_before_anything_is_built(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    checkout = tmp_path / "muslin"
    left = shutil.ignore_patterns(".git", ".nox", ".*cache", "__pycache__")

    def ignored(folder: str, names: list[str]) -> set[str]:
        return left(folder, names) | ({"dist"} if Path(folder) == PROJECT else set())

    shutil.copytree(PROJECT, checkout, ignore=ignored)
    env = {**os.environ, cache_folder.VARIABLE: str(tmp_path / "cache")}

    def session(*words: str) -> subprocess.CompletedProcess[str]:
        nox = (sys.executable, "-m", "nox", "-s", *words)
        return subprocess.run(
            [unshare or "unshare", "--mount", "sh", "-c", READ_ONLY, "sh", checkout, *nox],
            check=False, cwd=PROJECT, env=env, capture_output=True, text=True,
        )  # fmt: skip

    can = unshare and session("--list").returncode == 0
    if not can:
        pytest.skip("wants a mount namespace, which root has and some containers forbid")
    built = session("build-all", "--", "armv6")
    assert built.returncode == 1
    assert f"{checkout}/dist cannot be written" in built.stderr + built.stdout
    assert not list((tmp_path / "cache" / "store").glob("*"))
    planned = session("plan", "--", "armv6", "--service", "hello-c")
    assert planned.returncode == 0, planned.stderr
    assert "hello-c-armv6" in planned.stdout + planned.stderr
