"""What builds leave: FIFOs, sockets, devices, links, sparse files, folders without an end."""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.cache import gc
from muslin.engine.filesystem import removal, walk
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import (
    CommandOutput,
    Copy,
    Elf,
    ForbiddenText,
    Link,
    Pick,
    Rebase,
    Remove,
    Replace,
    Run,
    Size,
    Strip,
    Write,
)
from muslin.errors import PipelineError
from tests.e2e.bench import Bench, shell, stage, text

DEEP = """
import os, sys
os.chdir(sys.argv[1])
for _ in range(int(sys.argv[3])):
    os.mkdir(sys.argv[2])
    os.chdir(sys.argv[2])
"""
SOCKET = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])"
MAKES = {
    "FIFO": shell("mkfifo odd"),
    "socket": Run(argv=("${python}", "-c", SOCKET, "odd")),
    "device": shell("ln -s /dev/zero odd"),
}
"""By what it is: a step that makes `odd` in the work folder. To make a device takes root."""


@pytest.fixture(autouse=True)
def removed(bench: Bench) -> Iterator[None]:
    """Nothing stays that pytest cannot remove, whatever a test left."""
    yield
    if bench.cache.exists():
        removal.remove_tree(bench.cache)


def deep(folder: str, *, name: str = "d", count: int = 2500) -> Run:
    """Folders in folders, deeper than a path can say."""
    return Run(argv=("${python}", "-c", DEEP, folder, name, str(count)))


def said(bench: Bench, goal: Stage, kind: type[PipelineError] = errors.LeftUnfit) -> str:
    with pytest.raises(kind) as caught:
        bench.build(goal)
    return str(caught.value)


@contextmanager
def bounded(most: int) -> Iterator[None]:
    """No more than so many bytes of memory at a time."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most


# --- kinds of files -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["FIFO", "socket"])
def test_what_is_left_and_is_no_file_is_named(bench: Bench, kind: str) -> None:
    goal = stage("goal", MAKES[kind], shell("mkdir out/deep; mv odd out/deep/odd"))
    message = said(bench, goal)
    assert message.startswith("goal: ")
    assert f"/out/deep/odd is a {kind} and no file" in message
    assert message.endswith(f"log: {bench.cache}/logs/host/goal.log")
    assert not list(bench.store.entries())


@pytest.mark.parametrize("kind", MAKES)
@pytest.mark.parametrize(
    "step",
    [
        Copy(source="odd", to="${out}/odd"),
        Copy(source="folder", to="${out}/folder", follow=True),
        Pick(root=".", name="odd", to="${out}/odd"),
        Write(path="odd", text=""),
        Run(argv=("true",), output="odd"),
    ],
    ids=["copy", "copy-folder", "pick", "write", "output"],
)
def test_a_step_that_meets_no_file_says_so(bench: Bench, kind: str, step: Copy | Write) -> None:
    more = shell("mkdir folder; ln -s ../odd folder/odd")
    goal = stage("goal", MAKES[kind], more, step)
    if kind == "device":  # to make one takes root: a link leads to it
        words = f"is a {kind} and no file|leads to /dev/zero, which is not|is a link to /dev/zero"
    else:
        words = f"odd is a {kind} and no file"
    with pytest.raises(PipelineError, match=words):
        bench.build(goal)


@pytest.mark.parametrize("kind", ["FIFO", "socket"])
def test_a_folder_is_copied_over_what_is_no_file(bench: Bench, kind: str) -> None:
    more = shell("mkdir files; touch files/odd")
    goal = stage("goal", MAKES[kind], more, Copy(source="files", to="${work}"))
    assert f"/odd is a {kind} and no file" in said(bench, goal)


def test_what_has_no_content_is_passed_over_by_steps_that_look_for_texts(bench: Bench) -> None:
    goal = stage(
        "goal",
        shell("mkdir in; mkfifo in/fifo; ln -s /dev/zero in/zero; printf old >in/text"),
        Replace(root="in", pattern="*", old="old", new="older"),
        Rebase(root="in", old="older", new="new"),
        Strip(program="false", root="in", options=(), kind="programs"),
        Copy(source="in/text", to="${out}/text"),
    )
    assert (bench.build(goal)["goal"].tree / "text").read_text() == "new"


def test_a_check_that_finds_no_file_where_a_program_printed(bench: Bench) -> None:
    for end in ("true", "false"):
        run = shell(f"rm printed; mkfifo printed; {end}")
        goal = stage("goal", checks=(CommandOutput(run=run, expect="hello"),))
        assert "printed is a FIFO and no file" in said(bench, goal)


def test_a_file_where_the_next_step_wants_a_folder_is_no_traceback(bench: Bench) -> None:
    goal = stage("goal", shell("touch out/bin"), Write(path="${out}/bin/x", text=""))
    message = said(bench, goal, errors.LeftOdd)
    assert message.startswith("goal: ")
    assert "/out/bin: File exists. What the build left there" in message


# --- links ----------------------------------------------------------------------------------

PICK = Pick(root="root", name="say", to="${out}/bin/say", hint="A hint.")


@pytest.mark.parametrize(
    "target",
    [
        "say-1.0",
        "../bin/say-1.0",
        "/usr/bin/say-1.0",
        "$PWD/root/usr/bin/say-1.0",
        "$PWD/made",
        "x",
    ],
)
def test_a_link_as_the_named_program_is_what_it_leads_to(bench: Bench, target: str) -> None:
    goal = stage(
        "goal",
        shell(
            "mkdir -p root/usr/bin; cp /bin/true root/usr/bin/say-1.0; cp /bin/true made; "
            f'cd root/usr/bin; ln -s say-1.0 x; ln -s "{target.replace("$PWD", "$OLDPWD")}" say'
        ),
        PICK,
    )
    program = bench.build(goal)["goal"].tree / "bin/say"
    assert program.is_file()
    assert not program.is_symlink()
    assert program.read_bytes() == Path("/bin/true").read_bytes()


def test_a_program_wins_over_a_link_of_its_name(bench: Bench) -> None:
    goal = stage(
        "goal",
        shell("mkdir -p root/a root/b; printf one >root/a/say; chmod +x root/a/say"),
        shell("ln -s /bin/true root/b/say"),
        PICK,
    )
    assert (bench.build(goal)["goal"].tree / "bin/say").read_text() == "one"


@pytest.mark.parametrize("target", ["/bin/true", "missing", "say", "fifo"])
def test_a_link_as_the_named_program_that_leads_to_none(bench: Bench, target: str) -> None:
    made = shell(f"mkdir root; mkfifo root/fifo; ln -s {target} root/say")
    message = said(bench, stage("goal", made, PICK), errors.StepFailed)
    assert f"/root/say is a link to {target}, which is no program of this build" in message


@pytest.mark.parametrize(
    "step",
    [
        Write(path="${out}/to/text", text="text"),
        Write(path="${out}/one", text="text"),
        Copy(source="in/sub", to="${out}/to/sub"),
        Copy(source="in/sub/new", to="${out}/to/new"),
        Copy(source="in", to="${out}"),
        Pick(root="in", name="new", to="${out}/to/new"),
        Link(path="${out}/to/link", target="x"),
        Remove(root="${out}", patterns=("to/*",)),
        Replace(root="${out}", pattern="to/*", old="theirs", new="ours"),
        Rebase(root="${out}/to", old="theirs", new="ours"),
        Run(argv=("echo",), output="${out}/one"),
    ],
    ids=lambda step: type(step).__name__,
)
def test_no_step_writes_where_a_link_of_the_build_leads(
    bench: Bench, tmp_path: Path, step: Write
) -> None:
    (tmp_path / "host").mkdir()
    theirs = tmp_path / "host/theirs"
    theirs.write_text("theirs")
    made = shell(
        "mkdir -p in/sub in/to; touch in/sub/new in/to/new; chmod +x in/sub/new; rm -f in/to/new; "
        f"touch in/to/more; ln -s {tmp_path}/host out/to; ln -s {tmp_path}/host/new out/one"
    )
    message = said(bench, stage("goal", made, step))
    assert f"leads to {tmp_path}/host" in message
    assert [path.name for path in (tmp_path / "host").iterdir()] == ["theirs"]
    assert theirs.read_text() == "theirs"


def test_links_that_a_copy_follows_in_circles(bench: Bench) -> None:
    made = shell("mkdir in; ln -s . in/again; ln -s .. in/up")
    goal = stage("goal", made, Copy(source="in", to="${out}", follow=True))
    message = said(bench, goal)
    assert "links to folders lead from one to another" in message
    assert "/in/again/again -> ." in message


def test_a_link_to_itself_is_a_link(bench: Bench) -> None:
    goal = stage(
        "goal", shell("ln -s self out/self"), checks=(Size(at_most=10), ForbiddenText(texts=("x",)))
    )
    assert (bench.build(goal)["goal"].tree / "self").is_symlink()
    assert bench.store.verify() == {}


# --- sizes ----------------------------------------------------------------------------------


def test_a_sparse_file_is_not_read_into_memory(bench: Bench) -> None:
    goal = stage(
        "goal",
        shell("mkdir in; truncate -s 400M in/sparse; printf old >in/text; cp in/sparse out/sparse"),
        Replace(root="in", pattern="*", old="old", new="older"),
        Rebase(root="in", old="older", new="new"),
        Copy(source="in", to="${out}/in"),
        checks=(ForbiddenText(texts=("nothing",)), Elf(patterns=("sparse",), machine="EM_386")),
    )
    with bounded(100_000_000):
        message = said(bench, goal, errors.CheckFailed)
    assert "no ELF file matches sparse" in message


def test_a_large_file_is_not_rewritten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "TEXT", 1000)
    made = shell("mkdir in; printf old >in/text; truncate -s 1001 in/text")
    goal = stage("goal", made, Replace(root="in", pattern="*", old="old", new="new"))
    assert "in/text has more than 1000 bytes" in said(bench, goal)


def test_a_stage_that_leaves_too_much_publishes_nothing(bench: Bench) -> None:
    goal = stage("goal", shell("truncate -s 21G out/sparse"))
    assert "/out has more than 20000000000 bytes, which are the most here" in said(bench, goal)
    small = dataclasses.replace(stage("goal", shell("printf 1234 >out/text")), most=3)
    assert "`most` of its stage sets another limit" in said(bench, small)
    assert bench.build(dataclasses.replace(small, most=4))
    assert bench.store.verify() == {}


# --- depth ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "count"), [("d", 2500), ("n" * 240, 100)], ids=["deep", "long"])
def test_folders_without_an_end_are_named_and_go(bench: Bench, name: str, count: int) -> None:
    goal = stage("goal", deep("${out}", name=name, count=count))
    message = said(bench, goal)
    assert "/out has a folder that lies too deep: " in message
    assert len(message) < 4000
    assert "lies too deep" in said(bench, goal), "the next run empties the folder"
    bench.build(text("other"))
    gc.collect(bench.store, 10**9)
    assert not list((bench.cache / "work").iterdir())


@pytest.mark.parametrize(
    "step",
    [
        Copy(source="in", to="${out}"),
        Remove(root="in", patterns=("**/x",)),
        Replace(root="in", pattern="**/x", old="1", new="2"),
        Rebase(root="in", old="1", new="2"),
        Strip(program="strip", root="in", options=(), kind="programs"),
        Pick(root="in", name="x", to="${out}/x"),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_step_that_meets_folders_without_an_end(bench: Bench, step: Copy) -> None:
    goal = stage("goal", shell("mkdir in"), deep("${work}/in"), step)
    assert "/in has a folder that lies too deep: " in said(bench, goal)


def test_folders_as_deep_as_they_may_be_are_published(bench: Bench) -> None:
    goal = stage(
        "goal",
        shell("mkdir in"),
        deep("${work}/in", count=walk.DEEPEST),
        Copy(source="in", to="${out}"),
        Copy(source="in", to="${work}/followed", follow=True),
        Remove(root="${out}", patterns=("**/x",)),
        checks=(ForbiddenText(texts=("x",)),),
    )
    bench.build(goal)
    bench.build(goal)
    assert bench.said("found") == {"goal"}


def test_folders_without_an_end_that_a_step_removes_are_nothing(bench: Bench) -> None:
    goal = stage(
        "goal",
        shell("mkdir in other; touch out/text"),
        deep("${work}/in"),
        deep("${work}/other"),
        Remove(root="${work}", patterns=("in",)),
        shell("test ! -e in"),
    )
    assert (bench.build(goal)["goal"].tree / "text").exists()
    assert not list((bench.cache / "work").iterdir())


def test_a_scratch_folder_without_an_end_is_made_anew(bench: Bench) -> None:
    goal = stage("goal", deep("${scratch}"), scratch=("x",))
    bench.build(goal)
    list(gc.held(bench.store))
    with bench.builder() as builder:
        bench.store.drop(builder.keys.of(goal))
    bench.build(goal)
    assert bench.said("built") == {"goal"}
    gc.collect(bench.store, -1)
    assert not list((bench.cache / "scratch").iterdir())


def test_folders_that_nobody_may_enter_are_published_whole(bench: Bench) -> None:
    goal = stage(
        "goal",
        shell("mkdir -p out/a/b; echo text >out/a/b/text; chmod 0 out/a/b/text out/a/b out/a"),
    )
    tree = bench.build(goal)["goal"].tree
    assert (tree / "a/b/text").read_text() == "text\n"
    bench.build(goal)
    assert bench.said("found") == {"goal"}
