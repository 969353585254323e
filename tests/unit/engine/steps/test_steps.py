"""What each step writes; golden by revision: other bytes than before need a new revision."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muslin.engine import errors as engine_errors
from muslin.engine.process import errors as process_errors
from muslin.engine.process import runner
from muslin.engine.process.runner import Runner
from muslin.engine.sandbox import Sandbox
from muslin.engine.stage import Step
from muslin.engine.steps import copy, strip
from muslin.engine.vocabulary import (
    CollectLibraries,
    Copy,
    Deduplicate,
    Folder,
    Image,
    Join,
    Link,
    Patch,
    Rebase,
    Relink,
    Remove,
    Replace,
    Run,
    SameTime,
    Strip,
    Touch,
    Write,
)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A stage's place, with one of everything in `in/`."""
    work = tmp_path / "work"
    (work / "in/deep").mkdir(parents=True)
    (work / "in/one.txt").write_text("one\n")
    (work / "in/two.txt").write_text("two")
    (work / "in/tool").write_text("#!/bin/sh\n")
    (work / "in/tool").chmod(0o555)
    (work / "in/deep/three.txt").write_text("three\n\n")
    (work / "in/link").symlink_to("deep/three.txt")
    (work / "in/absolute").symlink_to("/deep/three.txt")
    (work / "in/deep").chmod(0o555)
    starter = Runner(1)
    yield Sandbox(
        stage="stage",
        work=work,
        log=tmp_path / "log",
        runner=starter,
        values={"out": str(work / "out"), "work": str(work), "word": "one"},
        environment={**runner.BASE_ENVIRONMENT, "PATH": runner.HOST_PATH},
    )
    starter.close()


def tree(root: Path) -> dict[str, str]:
    """Every path with what is there."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        mode = f"{stat.S_IMODE(path.lstat().st_mode):o}"
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_dir():
            found[name] = f"{mode} /"
        else:
            found[name] = f"{mode} {path.read_text(errors='replace')}"
    return found


STEPS: dict[str, tuple[tuple[Step, ...], dict[str, str]]] = {
    "copy-file": (
        (Copy(source="in/tool", to="${out}/bin/tool"),),
        {"bin": "755 /", "bin/tool": "755 #!/bin/sh\n"},
    ),
    "copy-folder": (
        (Copy(source="in", to="${out}", omit=("*.txt", "tool")),),
        {"absolute": "-> /deep/three.txt", "deep": "755 /", "link": "-> deep/three.txt"},
    ),
    "copy-following": (
        (Copy(source="in", to="${out}", omit=("deep", "absolute", "t*", "one.txt"), follow=True),),
        {"link": "644 three\n\n"},
    ),
    "copy-merging": (
        (
            Write(path="${out}/one.txt", text="before"),
            Write(path="${out}/mine", text="kept"),
            Copy(source="in", to="${out}", omit=("deep", "absolute", "link", "t*")),
        ),
        {"mine": "644 kept", "one.txt": "644 one\n"},
    ),
    "write": (
        (
            Write(path="${out}/a/text", text="${word} $${word}\n"),
            Write(path="${out}/program", text="#!/bin/sh\n", executable=True),
        ),
        {"a": "755 /", "a/text": "644 one ${word}\n", "program": "755 #!/bin/sh\n"},
    ),
    "folder": ((Folder(path="${out}/a/b"),), {"a": "755 /", "a/b": "755 /"}),
    "join": (
        (Join(root="in", pattern="**/*.txt", to="${out}/all"),),
        {"all": "644 three\none\ntwo\n"},
    ),
    "link": (
        (Link(path="${out}/a/link", target="../${word}"),),
        {"a": "755 /", "a/link": "-> ../one"},
    ),
    "relink": (
        (
            Copy(source="in", to="${out}", omit=("*.txt", "tool")),
            Link(path="${out}/deep/up", target="/one.txt"),
            Relink(root="${out}"),
        ),
        {
            "absolute": "-> deep/three.txt",
            "deep": "755 /",
            "deep/up": "-> ../one.txt",
            "link": "-> deep/three.txt",
        },
    ),
    "remove": (
        (
            Copy(source="in", to="${out}"),
            Remove(
                root="${out}",
                patterns=("link", "${word}.txt", "tw*.txt", "deep", "not-there", "abs*"),
            ),
        ),
        {"tool": "755 #!/bin/sh\n"},
    ),
    "replace": (
        (
            Copy(source="in", to="${out}", omit=("link", "absolute", "tool", "two.txt")),
            Replace(root="${out}", pattern="**/*.txt", old="${word}", new="1"),
        ),
        {"deep": "755 /", "deep/three.txt": "644 three\n\n", "one.txt": "644 1\n"},
    ),
    "rebase": (
        (
            Write(path="${out}/deep/Makefile", text="cc = ${out}/cc, ${out}\n"),
            Write(path="${out}/other", text="nothing\n"),
            Rebase(root="${out}", old="${out}", new="@here@"),
        ),
        {
            "deep": "755 /",
            "deep/Makefile": "644 cc = @here@/cc, @here@\n",
            "other": "644 nothing\n",
        },
    ),
    "deduplicate": (
        (
            Write(path="${out}/a/first", text="same"),
            Write(path="${out}/a/second", text="same"),
            Write(path="${out}/a/other", text="another"),
            Write(path="${out}/b/first", text="same"),
            Link(path="${out}/b/link", target="first"),
            Deduplicate(folders=("${out}/b", "${out}/a")),
        ),
        {
            "a": "755 /",
            "a/first": "-> ../b/first",
            "a/other": "644 another",
            "a/second": "-> ../b/first",
            "b": "755 /",
            "b/first": "644 same",
            "b/link": "-> first",
        },
    ),
    "touch": ((Folder(path="${out}"), Touch(path="${out}/new", time=5)), {"new": "644 "}),
}


@pytest.mark.parametrize("name", STEPS)
def test_what_a_step_writes(sandbox: Sandbox, name: str) -> None:
    steps, wanted = STEPS[name]
    for one in steps:
        one.perform(sandbox)
    assert tree(sandbox.path("${out}")) == wanted


def test_a_change_of_what_steps_write_takes_a_new_revision() -> None:
    """Whoever edits an expectation above looks here next: keys must tell the two apart."""
    revisions = {
        type(step).__name__: step.revision for steps, _ in STEPS.values() for step in steps
    }
    wanted = {name: tree_ for name, (_, tree_) in STEPS.items()}
    document = json.dumps([sorted(revisions.items()), wanted], sort_keys=True)
    assert hashlib.sha256(document.encode()).hexdigest() == GOLDEN


GOLDEN = "fe29793f2ac894e95c439ba69fc9d7d94d13605999fc948379c1534feafcbd5b"
"""Of revisions and expectations together: raise the step's revision, then take the new digest."""


def test_touch_sets_the_time(sandbox: Sandbox) -> None:
    Touch(path="in/one.txt", time=5).perform(sandbox)
    assert (sandbox.work / "in/one.txt").stat().st_mtime_ns == 5 * 10**9
    assert (sandbox.work / "in/one.txt").read_text() == "one\n"


def test_copies_keep_their_time(sandbox: Sandbox) -> None:
    Touch(path="in/one.txt", time=5).perform(sandbox)
    Copy(source="in/one.txt", to="copy").perform(sandbox)
    assert (sandbox.work / "copy").stat().st_mtime == 5


@pytest.mark.parametrize(
    "step",
    [
        Rebase(root="in", old="one", new="1"),
        Replace(root="in", pattern="*.txt", old="one", new="1"),
    ],
    ids=["rebase", "replace"],
)
def test_what_is_changed_in_a_file_keeps_its_time(sandbox: Sandbox, step: Step) -> None:
    Touch(path="in/one.txt", time=5).perform(sandbox)
    step.perform(sandbox)
    assert (sandbox.work / "in/one.txt").read_text() == "1\n"
    assert (sandbox.work / "in/one.txt").stat().st_mtime_ns == 5 * 10**9


def test_a_replaced_text_leaves_all_other_bytes(sandbox: Sandbox) -> None:
    before = b"one\r\n\xff\xfe\0 one\r\n"
    (sandbox.work / "in/odd.txt").write_bytes(before)
    Replace(root="in", pattern="*.txt", old="one", new="1").perform(sandbox)
    assert (sandbox.work / "in/odd.txt").read_bytes() == before.replace(b"one", b"1")


def test_a_file_without_the_text_is_not_written(sandbox: Sandbox) -> None:
    other, text = sandbox.work / "in/other.txt", b"two\r\n\xff"
    other.write_bytes(text)
    other.chmod(0o444)
    states = []
    for _ in range(2):
        states.append((other.stat().st_ctime_ns, other.read_bytes()))
        step = Replace(root="in", pattern="*.txt", old="one", new="one more")
        step.perform(sandbox)
    assert states == [(other.stat().st_ctime_ns, text)] * 2


def test_what_need_not_be_there_is_no_error(sandbox: Sandbox) -> None:
    step = Replace(root="in", pattern="*.txt", old="seven", new="x", may_lack=True)
    step.perform(sandbox)
    assert (sandbox.work / "in/one.txt").read_text() == "one\n"


def test_a_path_in_a_program_cannot_be_rebased(sandbox: Sandbox) -> None:
    (sandbox.work / "in/program").write_bytes(b"\x7fELF\0seven\0")
    with pytest.raises(
        engine_errors.StepFailed, match=r"no text and cannot be moved: .*in/program"
    ):
        Rebase(root="in", old="seven", new="7").perform(sandbox)


FAILING: dict[str, tuple[Step, str]] = {
    "copy-nothing": (Copy(source="in/no", to="x"), "stage: copy: there is no "),
    "copy-over": (Copy(source="in/one.txt", to="in/two.txt"), "two.txt is there already"),
    "join-nothing": (Join(root="in", pattern="*.pem", to="x"), "join: nothing matches *.pem below"),
    "replace-nothing": (
        Replace(root="in", pattern="*.txt", old="seven", new="x"),
        "replace: 'seven' is nowhere in *.txt below",
    ),
    "replace-nowhere": (
        Replace(root="in", pattern="*.md", old="one", new="x"),
        "replace: 'one' is nowhere in *.md below",
    ),
    "rebase-nothing": (
        Rebase(root="in", old="seven", new="x"),
        "rebase: 'seven' is nowhere below",
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_step_that_cannot_says_why(sandbox: Sandbox, name: str) -> None:
    step, words = FAILING[name]
    with pytest.raises(engine_errors.StepFailed) as caught:
        step.perform(sandbox)
    assert words in str(caught.value)
    assert f"\n  log: {sandbox.log}\n" in str(caught.value)


def test_run_counts_its_cpu_seconds(sandbox: Sandbox) -> None:
    argv = ("sh", "-c", "echo $WORD >$1/said; pwd", "sh", "${out}")
    Folder(path="${out}").perform(sandbox)
    Run(argv=argv, cwd="new/folder", env=(("WORD", "${word}"),), output="printed").perform(sandbox)
    assert (sandbox.work / "out/said").read_text() == "one\n"
    assert (sandbox.work / "printed").read_text() == f"{sandbox.work}/new/folder\n"
    assert sandbox.cpu_seconds > 0


PATCH = "--- a/one.txt\n+++ b/one.txt\n@@ -1 +1 @@\n-{old}\n+{new}\n"


@pytest.mark.skipif(shutil.which("patch") is None, reason="this machine has no patch program")
def test_patches_are_applied_in_the_order_of_the_series(sandbox: Sandbox) -> None:
    series = "# first\nfirst.diff\n\nomitted.diff\nsecond.diff # why\n"
    for name, text in {
        "series": series,
        "first.diff": PATCH.format(old="one", new="eins"),
        "second.diff": PATCH.format(old="eins", new="un"),
        "omitted.diff": "nonsense",
    }.items():
        Write(path=f"patches/{name}", text=text).perform(sandbox)
    patch = Patch(folder="patches", into="in", omit=("omit*.diff",))
    patch.perform(sandbox)
    assert (sandbox.work / "in/one.txt").read_text() == "un\n"
    with pytest.raises(process_errors.CommandFailed, match="patch -p1"):
        patch.perform(sandbox)


@pytest.mark.skipif(shutil.which("patch") is None, reason="this machine has no patch program")
def test_patches_without_a_series_are_applied_as_they_are_named(sandbox: Sandbox) -> None:
    for name, text in {
        "z.diff": PATCH.format(old="one", new="eins").replace("a/", "a/src/").replace("b/", "b/x/"),
        "a.patch": "nonsense",
    }.items():
        Write(path=f"patches/{name}", text=text).perform(sandbox)
    patch = Patch(folder="patches", into="in", names=("z.diff",), omit=("a.*",), strip=2)
    patch.perform(sandbox)
    assert (sandbox.work / "in/one.txt").read_text() == "eins\n"


@pytest.mark.parametrize(
    ("names", "omit", "fault"),
    [
        ((), (), "has no series"),
        (("a.patch",), (), "neither applied nor left out: b.diff"),
        (("a.patch", "c.diff"), ("b.diff",), "there is no patch c.diff"),
        (("a.patch",), ("b.diff", "gone-*"), "there is no patch gone-"),
    ],
)
def test_a_patch_that_nobody_explains_is_an_error(
    sandbox: Sandbox, names: tuple[str, ...], omit: tuple[str, ...], fault: str
) -> None:
    for name in ("a.patch", "b.diff"):
        Write(path=f"patches/{name}", text="nonsense").perform(sandbox)
    with pytest.raises(engine_errors.StepFailed, match=fault):
        Patch(folder="patches", into="in", names=names, omit=omit).perform(sandbox)


@pytest.mark.skipif(shutil.which("patch") is None, reason="this machine has no patch program")
def test_a_patch_that_is_applied_already_is_not_taken_out_again(sandbox: Sandbox) -> None:
    (sandbox.work / "in/one.txt").write_text("eins\n")
    Write(path="patches/one.diff", text=PATCH.format(old="one", new="eins")).perform(sandbox)
    Write(path="patches/series", text="one.diff\n").perform(sandbox)
    with pytest.raises(process_errors.CommandFailed, match="previously applied"):
        Patch(folder="patches", into="in").perform(sandbox)
    assert (sandbox.work / "in/one.txt").read_text() == "eins\n"


@pytest.mark.skipif(shutil.which("patch") is None, reason="this machine has no patch program")
def test_a_patch_that_wants_fuzz_does_not_apply(sandbox: Sandbox) -> None:
    (sandbox.work / "in/one.txt").write_text("".join(f"{number}\n" for number in range(9)))
    context = "--- a/one.txt\n+++ b/one.txt\n@@ -3,5 +3,5 @@\n other\n 3\n-4\n+four\n 5\n 6\n"
    Write(path="patches/one.diff", text=context).perform(sandbox)
    Write(path="patches/series", text="one.diff\n").perform(sandbox)
    with pytest.raises(process_errors.CommandFailed):
        Patch(folder="patches", into="in").perform(sandbox)


def test_everything_below_a_folder_gets_one_time(sandbox: Sandbox) -> None:
    (sandbox.work / "in/deep/er").mkdir(parents=True)
    (sandbox.work / "in/deep/er/file").write_text("x")
    (sandbox.work / "in/another").symlink_to("nowhere")
    SameTime(root="in", time=946684800).perform(sandbox)
    below = (sandbox.work / "in").rglob("*")
    assert {path.lstat().st_mtime for path in below} == {946684800.0}


def elf(kind: int) -> bytes:
    return b"\x7fELF" + bytes(12) + kind.to_bytes(2, "little")


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("programs", ["deep/shared.so", "program"]), ("libraries", ["lib.a", "object.o"])],
)
def test_strip_takes_the_files_of_its_kind(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, kind: str, wanted: list[str]
) -> None:
    monkeypatch.setattr(strip, "BATCH", 1)
    root = sandbox.work / "root"
    (root / "deep").mkdir(parents=True)
    for name, content in {
        "program": elf(2),
        "deep/shared.so": elf(3),
        "object.o": elf(1),
        "lib.a": b"!<arch>\n",
        "fake.a": b"text",
        "script": b"#!/bin/sh",
        "short": b"\x7fELF",
    }.items():
        (root / name).write_bytes(content)
    (root / "link").symlink_to("program")
    record = Write(path="strip", text='#!/bin/sh\necho "$@" >>calls\n', executable=True)
    record.perform(sandbox)
    program = str(sandbox.work / "strip")
    step = Strip(program=program, root="root", options=("-x",), kind=kind)  # type: ignore[arg-type]
    step.perform(sandbox)
    calls = (sandbox.work / "calls").read_text().splitlines()
    assert calls == [f"-x {root / name}" for name in wanted]


def test_libraries_that_cargo_reports_are_collected(sandbox: Sandbox) -> None:
    for name in ("libcore-1.rlib", "libcore-1.rmeta", "libstd.so"):
        (sandbox.work / "in" / name).write_text(name)
    names = [str(sandbox.work / "in" / name) for name in ("libcore-1.rlib", "libcore-1.rmeta")]
    messages = [
        {"reason": "compiler-artifact", "filenames": names},
        {"reason": "compiler-artifact", "filenames": [str(sandbox.work / "in/libstd.so")]},
        {"reason": "build-finished", "success": True},
    ]
    text = "\n".join(json.dumps(message) for message in messages)
    (sandbox.work / "messages").write_text(text)
    CollectLibraries(messages="messages", into="${out}/lib").perform(sandbox)
    assert tree(sandbox.path("${out}")) == {
        "lib": "755 /",
        "lib/libcore-1.rlib": "644 libcore-1.rlib",
    }
    (sandbox.work / "messages").write_text(json.dumps(messages[-1]))
    with pytest.raises(engine_errors.StepFailed, match="cargo reported no library"):
        CollectLibraries(messages="messages", into="other").perform(sandbox)


def merging(sandbox: Sandbox, prepare: Callable[[Path], object]) -> dict[str, str]:
    """Copy `in` over what is there already."""
    out = sandbox.path("${out}")
    out.mkdir()
    prepare(out)
    Copy(source="in", to="${out}", omit=("*.txt", "tool", "absolute", "deep")).perform(sandbox)
    return tree(out)


def test_a_copied_link_takes_the_place_of_another_link(sandbox: Sandbox) -> None:
    got = merging(sandbox, lambda out: (out / "link").symlink_to("elsewhere"))
    assert got == {"link": "-> deep/three.txt"}


def test_a_copied_file_takes_the_place_of_a_link_and_spares_its_target(sandbox: Sandbox) -> None:
    out = sandbox.path("${out}")
    out.mkdir()
    (out / "target").write_text("spared")
    (out / "one.txt").symlink_to("target")
    Copy(source="in", to="${out}", omit=("t*", "link", "absolute", "deep")).perform(sandbox)
    assert tree(out) == {"one.txt": "644 one\n", "target": "644 spared"}


def test_an_image_without_its_program_is_refused(sandbox: Sandbox) -> None:
    (sandbox.work / "root/bin").mkdir(parents=True)
    image = Image(
        path="image.tar",
        root="root",
        reference="muslin/x:y",
        architecture="arm",
        entrypoint=("/bin/tool",),
        user="1:1",
    )
    with pytest.raises(engine_errors.StepFailed, match="the image has no program /bin/tool"):
        image.perform(sandbox)
    shutil.copy(sandbox.work / "in/tool", sandbox.work / "root/bin/tool")
    (sandbox.work / "root/bin/tool").chmod(0o644)
    with pytest.raises(engine_errors.StepFailed, match="the image has no program /bin/tool"):
        image.perform(sandbox)
    (sandbox.work / "root/bin/tool").chmod(0o755)
    image.perform(sandbox)
    assert (sandbox.work / "image.tar").is_file()


def test_what_the_system_said_while_a_folder_was_copied_is_kept(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """shutil makes a list of texts of it, and a full disk would look like a bug."""

    def full(source: str, to: str) -> None:
        del source
        Path("/dev/full").write_text(to, encoding="utf-8")

    monkeypatch.setattr(copy, "copy_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        Copy(source="in", to="out").perform(sandbox)
    assert engine_errors.DiskFull.is_meant_by(caught.value)
