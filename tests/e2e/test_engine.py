"""The engine builds real programs: what is built again after which change, and what is not."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import time
from pathlib import Path
from typing import NoReturn

import pytest

from muslin.engine import errors as engine_errors
from muslin.engine import work_directory
from muslin.engine.process import errors as process_errors
from muslin.engine.process import landlock, logs, runner, termination
from muslin.engine.source import File, Tree
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import CommandOutput, Copy, Folder, Present, Run, Write
from muslin.models import source_trees
from tests.e2e.bench import Bench, shell, stage, text

GREETING = """\
#include <stdio.h>
int main(void) { puts(GREETING); return 0; }
"""


def program(flag: str = "hello", *, name: str = "program", summary: str = "") -> Stage:
    """A C program that says what its flag told it."""
    return Stage(
        name=name,
        summary=summary,
        steps=(
            Write(path="main.c", text=GREETING),
            Folder(path="${out}/bin"),
            Run(argv=("gcc", "-O1", f'-DGREETING="{flag}"', "-o", "${out}/bin/say", "main.c")),
        ),
        checks=(Present(paths=("bin/say",)),),
        runs_on="host",
    )


def saying(needed: Stage, *, name: str = "saying") -> Stage:
    """What the program says."""
    return Stage(
        name=name,
        needs=(("program", needed),),
        steps=(Run(argv=("${need.program}/bin/say",), output="${out}/said"),),
        runs_on="target",
    )


def no_process(*_arguments: object, **_options: object) -> NoReturn:
    pytest.fail("a process was started")


def test_a_stage_uses_what_another_one_compiled(bench: Bench) -> None:
    entries = bench.build(saying(program()))
    assert (entries["saying"].tree / "said").read_text() == "hello\n"
    assert bench.said("built") == {"program", "saying"}
    assert bench.text.startswith("2 stages: 0 found, 2 to do, about 10 s on an idle machine\n")
    record = bench.build(program())["program"].record
    assert record.name == "program"
    assert record.cpu_seconds > 0
    assert record.bytes == (bench.build(program())["program"].tree / "bin/say").stat().st_size


def test_a_second_run_builds_nothing_and_starts_no_process(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bench.build(saying(program()))
    monkeypatch.setattr(subprocess, "Popen", no_process)
    second = bench.build(saying(program()))
    assert second == first
    assert bench.text.split() == ["saying", "found"]


def test_a_found_goal_wants_nothing_of_what_it_was_built_from(bench: Bench) -> None:
    goal = saying(program())
    bench.build(goal)
    with bench.builder() as builder:
        bench.store.drop(builder.keys.of(program()))
    bench.build(goal)
    assert bench.said("found") == {"saying"}
    assert not bench.said("built")


def test_an_edited_flag_rebuilds_what_depends_on_it_and_nothing_else(bench: Bench) -> None:
    bench.build(saying(program()), text("other"))
    entries = bench.build(saying(program("good day")), text("other"))
    assert (entries["saying"].tree / "said").read_text() == "good day\n"
    assert bench.said("built") == {"program", "saying"}
    assert bench.said("found") == {"other"}


def test_an_equal_output_of_an_edited_stage_still_rebuilds_its_dependents(bench: Bench) -> None:
    before = stage("one", Write(path="${out}/text", text="1"))
    after = stage("one", Write(path="${out}/text", text="1"), Folder(path="unused"))
    bench.build(text("two", needs=(before,)))
    bench.build(text("two", needs=(after,)))
    assert bench.said("built") == {"one", "two"}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "renamed"},
        {"summary": "another line"},
        {"guess": 99.0},
        {"target": "armv6"},
        {"network": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_cannot_change_the_output_rebuilds_nothing(
    bench: Bench, changes: dict[str, str]
) -> None:
    bench.build(saying(program()))
    bench.build(saying(dataclasses.replace(program(), **changes)))  # type: ignore[arg-type]
    assert not bench.said("built")
    assert bench.said("found") == {"saying"}


def test_two_stages_of_one_name_are_refused(bench: Bench) -> None:
    with pytest.raises(engine_errors.NameTaken, match="two different stages are called same"):
        bench.build(text("same", "1"), text("same", "2"))
    assert not list(bench.store.entries())


def test_stages_with_equal_keys_are_built_once(bench: Bench) -> None:
    entries = bench.build(program(name="one"), program(name="two"))
    assert len(bench.said("built")) == 1
    assert entries["one"].tree == entries["two"].tree


def test_placeholders_are_filled_in(bench: Bench) -> None:
    content = "${work}|${out}|${cache}|${jobs}|${need.one}|$${HOME}|$$|$HOME"
    one = text("one")
    tree = bench.build(text("two", content, needs=(one,)))["two"].tree
    work, out, cache, jobs, need, *rest = (tree / "text").read_text().split("|")
    assert out == f"{work}/out"
    assert cache == str(bench.cache)
    assert jobs == "2"
    assert need == str(bench.build(one)["one"].tree)
    assert rest == ["${HOME}", "$$", "$HOME"]


def test_an_unknown_placeholder_is_an_error_that_names_the_known_ones(bench: Bench) -> None:
    with pytest.raises(engine_errors.UnknownPlaceholder) as caught:
        bench.build(text("goal", "${need.typo}", needs=(text("one"),)))
    message = str(caught.value)
    assert message.startswith("goal: unknown placeholder ${need.typo}; this stage has ")
    assert "${need.one}" in message
    assert "${out}" in message


def test_a_failing_command_says_what_it_was_and_publishes_nothing(bench: Bench) -> None:
    broken = program('"; int broken(')
    with pytest.raises(process_errors.CommandFailed) as caught:
        bench.build(saying(broken))
    message = str(caught.value)
    log = bench.cache / "logs" / "host" / "program.log"
    assert message.startswith("program: a command ended with code 1:\n  gcc -O1 -DGREETING=")
    assert "main.c" in message.split("its last lines:")[1]
    assert "error:" in message
    assert message.endswith(f"the whole log: {log}")
    assert not list(bench.store.entries())
    assert not bench.said("built")


def test_the_last_lines_are_the_last_and_few(bench: Bench) -> None:
    with pytest.raises(process_errors.CommandFailed) as caught:
        bench.build(stage("many", shell("seq 1000; exit 3")))
    message = str(caught.value)
    assert "ended with code 3" in message
    assert "\n    1000\n" in message
    assert len(message.splitlines()) == logs.TAIL + 4


def test_a_program_that_says_why_is_quoted_alone(bench: Bench) -> None:
    words = "echo much; echo; echo 'x does not fit.'; echo '  line 2'; exit 3"
    looking = Run(argv=("sh", "-c", words), says_why=True)
    with pytest.raises(process_errors.SaidNo) as caught:
        bench.build(stage("looking", looking))
    log = bench.cache / "logs" / "host" / "looking.log"
    assert str(caught.value) == f"looking:\n  x does not fit.\n    line 2\n  all of it: {log}"


def test_a_program_that_ends_before_it_says_why(bench: Bench) -> None:
    looking = Run(argv=("sh", "-c", "echo Traceback >&2; exit 2"), says_why=True)
    with pytest.raises(process_errors.CommandFailed, match="Traceback"):
        bench.build(stage("looking", looking))


def test_what_a_failing_command_printed_to_a_file_is_shown_too(bench: Bench) -> None:
    failing = Run(
        argv=("sh", "-c", "echo the $((40 + 2))nd clue; exit 1"), output="${work}/printed"
    )
    with pytest.raises(process_errors.CommandFailed, match="the 42nd clue"):
        bench.build(stage("failing", failing))


def test_a_command_that_a_signal_ended_says_so(bench: Bench) -> None:
    with pytest.raises(process_errors.CommandFailed, match="was ended by signal 9"):
        bench.build(stage("killed", shell("kill -9 $$")))


def test_a_failure_ends_what_runs_beside_it(bench: Bench) -> None:
    waiting = stage("waiting", shell("mkfifo fifo; exec sleep 60"))
    look = f"ls {bench.cache}/work/*/fifo"
    failing = stage("failing", shell(f"until {look}; do sleep 0.05; done; exit 7"))
    began = time.monotonic()
    with pytest.raises(process_errors.CommandFailed, match="failing: a command ended with code 7"):
        bench.build(waiting, failing)
    assert time.monotonic() - began < 40


def test_a_failed_stage_starts_again_in_an_empty_folder(bench: Bench) -> None:
    switch = bench.cache.parent / "switch"
    script = f"touch left-$$; test -f {switch}; ls >${{out}}/seen"
    goal = stage("goal", Run(argv=("sh", "-euc", script)))
    with pytest.raises(process_errors.CommandFailed):
        bench.build(goal)
    assert list((bench.cache / "work").glob("*/left-*")), "it is kept for a look"
    switch.touch()
    seen = (bench.build(goal)["goal"].tree / "seen").read_text()
    assert seen.count("left-") == 1
    assert not list((bench.cache / "work").iterdir())


def test_a_failed_stage_that_fetches_leaves_no_credentials(bench: Bench) -> None:
    fetching = stage("fetching", Write(path="credentials.toml", text="secret"), shell("exit 1"))
    with pytest.raises(process_errors.CommandFailed):
        bench.build(dataclasses.replace(fetching, network=True))
    assert not list((bench.cache / "work").iterdir())


def test_a_program_that_is_not_there_is_named(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(work_directory, "HOST_PATH", str(tmp_path / "empty"))
    with pytest.raises(process_errors.CommandMissing) as caught:
        bench.build(program())
    assert "program: the program 'gcc' cannot be started: it is not there" in str(caught.value)
    assert "nox -s doctor" in str(caught.value)


def test_a_script_that_the_sources_do_not_have_is_looked_for(bench: Bench) -> None:
    text = Write(path="source/configure.ac", text="")
    missing = stage("missing", text, Run(argv=("./configure",), cwd="${work}/source"))
    with pytest.raises(process_errors.CommandMissing) as caught:
        bench.build(missing)
    assert "the program './configure' cannot be started" in str(caught.value)
    assert "/source holds configure.ac\n" in str(caught.value)
    assert "doctor" not in str(caught.value)


def test_a_program_that_cannot_run_here_is_no_traceback(bench: Bench) -> None:
    odd = stage(
        "odd",
        Write(path="odd", text="\x7fELF, or so it says", executable=True),
        Run(argv=("${work}/odd",)),
    )
    with pytest.raises(engine_errors.StepFailed, match="odd cannot be started"):
        bench.build(odd)


def test_copies_of_a_need_can_be_written(bench: Bench) -> None:
    one = text("one", "one\n")
    copied = stage(
        "copied",
        Copy(source="${need.one}", to="${out}"),
        Run(argv=("sh", "-ec", "echo more >>text"), cwd="${out}"),
        needs=(one,),
    )
    assert (bench.build(copied)["copied"].tree / "text").read_text() == "one\nmore\n"
    assert (bench.build(one)["one"].tree / "text").read_text() == "one\n"


# --- environment ----------------------------------------------------------------------------


def environment_of(bench: Bench, goal: Stage) -> dict[str, str]:
    lines = (bench.build(goal)[goal.name].tree / "env").read_text().split("\0")
    return dict(line.split("=", 1) for line in lines if line)


ENV = Run(argv=("env", "-0"), output="${out}/env")


def test_a_step_has_the_declared_environment_and_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CFLAGS", "-leaked")
    monkeypatch.setenv("PATH", f"/leaked:{runner.HOST_PATH}")
    monkeypatch.setenv("https_proxy", "http://leaked.invalid")
    goal = dataclasses.replace(
        stage("goal", dataclasses.replace(ENV, env=(("STEP", "${work}"),))),
        env=(("STAGE", "${out}"), ("TZ", "Asia/Tokyo")),
        tools=(("tool", text("tool")),),
        needs=(("need", text("need", "needed")),),
        path=("${need.need}/programs",),
    )
    got = environment_of(bench, goal)
    tool, need = (bench.build(one)[one.name].tree for one in (text("tool"), text("need", "needed")))
    work = got.pop("STEP")
    assert got.pop("MAKEFLAGS").startswith("-j2 --jobserver-auth=")
    assert got == {
        **runner.BASE_ENVIRONMENT,
        "PATH": f"{need}/programs:{tool}/bin:{runner.HOST_PATH}",
        "STAGE": f"{work}/out",
        "TMPDIR": work,
        "GIT_CEILING_DIRECTORIES": f"{bench.cache}/work:{bench.cache}/scratch",
        "TZ": "Asia/Tokyo",
        termination.MARK: work,
    }
    assert Path(work).is_relative_to(bench.cache)


def test_only_a_fetching_stage_gets_proxies(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "SSL_CERT_FILE", "CARGO_REGISTRIES_MINE_TOKEN", "LD_PRELOAD_NOT"):
        monkeypatch.setenv(name, "mine")
    fetching = environment_of(bench, dataclasses.replace(stage("fetching", ENV), network=True))
    assert {name for name, value in fetching.items() if value == "mine"} == {
        "https_proxy",
        "SSL_CERT_FILE",
        "CARGO_REGISTRIES_MINE_TOKEN",
    }


def test_standard_input_is_closed(bench: Bench) -> None:
    read, write = os.pipe()
    os.write(write, b"a line\n")
    kept = os.dup(0)
    os.dup2(read, 0)
    try:
        bench.build(stage("reads", shell("! read line")))
    finally:
        os.dup2(kept, 0)
        for descriptor in (read, write, kept):
            os.close(descriptor)


# --- scratch --------------------------------------------------------------------------------


def scratching(need: Stage, other: str, flag: str = "") -> Stage:
    """Notes in its scratch folder what another need of it said."""
    script = f"echo $(cat ${{need.other}}/text){flag} >>${{scratch}}/runs"
    return stage(
        "goal",
        Run(argv=("sh", "-c", script)),
        Copy(source="${scratch}/runs", to="${out}/runs"),
        needs=(need, text("other", other)),
        scratch=(need.name,),
    )


def test_scratch_is_kept_until_what_it_hangs_on_changes(bench: Bench) -> None:
    def runs(need: Stage, other: str, flag: str = "") -> list[str]:
        goal = scratching(need, other, flag)
        return (bench.build(goal)["goal"].tree / "runs").read_text().split()

    assert runs(text("need"), "a") == ["a"]
    assert runs(text("need"), "b") == ["a", "b"]
    assert runs(text("need", "changed"), "c") == ["c"], "a need it hangs on"
    assert runs(text("need"), "d", "-O3") == ["d-O3"], "a step"
    assert runs(text("need"), "e") == ["a", "b", "e"]


def test_scratch_from_before_the_clock_was_set_back_is_thrown_away(bench: Bench) -> None:
    def runs(other: str) -> list[str]:
        return (
            (bench.build(scratching(text("need"), other))["goal"].tree / "runs").read_text().split()
        )

    assert runs("a") == ["a"]
    (noted,) = (bench.cache / "scratch").glob("*/runs")
    ahead = time.time() + 3600
    os.utime(noted, (ahead, ahead))
    assert runs("b") == ["b"]
    assert runs("c") == ["b", "c"]


def test_files_of_a_project_are_all_of_one_age(bench: Bench, tmp_path: Path) -> None:
    """Else make takes a file for older than what it was made from, and makes it again."""
    project = tmp_path / "project"
    project.mkdir()
    names = [f"{number}.text" for number in range(20)]
    for name in names:
        (project / name).write_text("\n")
    digest = hashlib.sha256(b"\n").hexdigest()
    tree = Tree(root=project, files=tuple(File(path=name, sha256=digest) for name in names))
    count = "find ${tree.mine} -type f -printf '%T@\\n' | sort -u | wc -l >${out}/ages"
    reader = Stage(
        name="reader",
        trees=(("mine", tree),),
        steps=(Run(argv=("sh", "-c", count)),),
        runs_on="nowhere",
    )
    assert (bench.build(reader)["reader"].tree / "ages").read_text() == "1\n"


def test_programs_of_a_project_can_be_run(bench: Bench, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name, mode in (("configure", 0o755), ("template", 0o644), ("mine-alone", 0o700)):
        (project / name).write_text("#!/bin/sh\n")
        (project / name).chmod(mode)
    reader = Stage(
        name="reader",
        trees=(("mine", source_trees.of_project(project)),),
        steps=(
            Run(argv=("./configure",), cwd="${tree.mine}"),
            Run(
                argv=("sh", "-c", "stat --format='%n %a' *"),
                cwd="${tree.mine}",
                output="${out}/modes",
            ),
        ),
        runs_on="nowhere",
    )
    said = (bench.build(reader)["reader"].tree / "modes").read_text()
    assert said == "configure 755\nmine-alone 755\ntemplate 644\n"


# --- room -----------------------------------------------------------------------------------


def test_what_cannot_fit_is_not_begun(bench: Bench) -> None:
    huge = dataclasses.replace(program(), kept=10**18)
    with pytest.raises(
        engine_errors.DiskTooSmall, match=r"GB free, and .* takes about 10000000\d\d.* GB"
    ):
        bench.build(huge)
    assert not list((bench.cache / "work").iterdir())
    assert not list((bench.cache / "store").iterdir())
    bench.build(program())
    assert bench.build(huge), "it is there already and takes nothing"


def test_a_source_edited_after_the_keys_were_made_is_not_built(
    bench: Bench, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "text").write_text("edited\n")
    digest = hashlib.sha256(b"as it was\n").hexdigest()
    for name in ("text", "removed"):
        tree = Tree(root=project, files=(File(path=name, sha256=digest),))
        reader = Stage(
            name="reader",
            trees=(("mine", tree),),
            steps=(Copy(source="${tree.mine}", to="${out}"),),
            runs_on="nowhere",
        )
        with pytest.raises(engine_errors.SourceChanged, match=f"{name} was changed while this run"):
            bench.build(reader)
        assert not list((bench.cache / "store").iterdir())


# --- what is remembered -----------------------------------------------------------------------


def test_the_last_build_is_remembered_when_its_entry_is_gone(bench: Bench) -> None:
    first = bench.build(program())["program"]
    bench.store.drop(first.key)
    with bench.builder() as builder:
        last = builder.history.last("program")
        assert last is not None
        assert (last.key, last.document) == (first.key, first.record.document)
        (planned,) = builder.plan([program()]).values()
        assert planned.state == "build"
        assert planned.cpu_seconds == first.record.cpu_seconds > 0
    changed = bench.build(program("other"))["program"]
    with bench.builder() as builder:
        last = builder.history.last("program")
        assert last is not None
        assert last.key == changed.key


def test_a_stage_never_built_is_guessed_at_and_a_found_one_costs_nothing(bench: Bench) -> None:
    bench.build(text("known"))
    stages = (text("known"), dataclasses.replace(text("new", "new"), guess=1234.0))
    with bench.builder() as builder:
        known, new = builder.plan(stages).values()
        assert (known.state, known.cpu_seconds) == ("found", 0.0)
        assert (new.state, new.cpu_seconds) == ("build", 1234.0)


def test_a_spoilt_history_only_costs_the_estimate(bench: Bench) -> None:
    bench.build(text("stage"))
    (bench.cache / "history" / "stage.json").write_text("{")
    entries = bench.build(text("stage", "changed"))
    assert (entries["stage"].tree / "text").read_text() == "changed"


def wrong(*, expect: str = "good day") -> Stage:
    """A program that does not say what its check expects."""
    made = program("hello", name="wrong")
    return dataclasses.replace(
        made, checks=(CommandOutput(run=Run(argv=("${out}/bin/say",)), expect=expect),)
    )


def once_wrong(switch: Path) -> Stage:
    """A program that is right from its second build on, as after a race."""
    script = f"test -e {switch} && echo good || echo bad; ls ${{out}} >/dev/null"
    return Stage(
        name="wrong",
        steps=(Run(argv=("sh", "-c", script), output="${out}/said"),),
        checks=(CommandOutput(run=Run(argv=("cat", "${out}/said")), expect="good"),),
        runs_on="host",
    )


def test_what_fails_its_checks_is_built_again_by_the_next_run(bench: Bench, tmp_path: Path) -> None:
    goal = once_wrong(tmp_path / "switch")
    with pytest.raises(engine_errors.CheckFailed):
        bench.build(goal)
    (tmp_path / "switch").touch()
    tree = bench.build(goal)["wrong"].tree
    assert (tree / "said").read_text() == "good\n"
    assert "wrong is built again: its checks failed" in bench.text
    (kept,) = bench.store.refused.iterdir()
    assert (kept / "tree/said").read_text() == "bad\n", "kept for a look"
    bench.build(goal)
    assert bench.said("found") == {"wrong"}


def test_what_is_wrong_each_time_is_built_twice_and_no_more(bench: Bench, tmp_path: Path) -> None:
    goal = once_wrong(tmp_path / "never")
    built = []
    for _ in range(4):
        with pytest.raises(engine_errors.CheckFailed):
            bench.build(goal)
        built.append("is built again" in bench.text)
    assert built == [False, True, False, False]


def test_a_refused_entry_whose_checks_pass_now_stays(bench: Bench) -> None:
    made = dataclasses.replace(
        program(name="goal"),
        checks=(CommandOutput(run=Run(argv=("sh", "-c", "test -e ${cache}/room || exit 1"))),),
    )
    with pytest.raises(process_errors.CommandFailed):
        bench.build(made)
    (bench.store.cache / "room").touch()
    bench.build(made)
    assert not bench.said("built")
    assert not bench.store.refused.exists()


def test_another_check_of_what_was_refused_rebuilds_nothing(bench: Bench, tmp_path: Path) -> None:
    goal = once_wrong(tmp_path / "never")
    with pytest.raises(engine_errors.CheckFailed):
        bench.build(goal)
    bench.build(dataclasses.replace(goal, checks=(Present(paths=("said",)),)))
    assert bench.said("checked") == {"wrong"}
    assert not bench.said("built")


def test_a_check_that_was_killed_says_nothing_of_the_product(bench: Bench) -> None:
    killed = dataclasses.replace(
        program(name="killed"),
        checks=(CommandOutput(run=Run(argv=("sh", "-c", "kill -9 $$"))),),
    )
    for _ in range(2):
        with pytest.raises(process_errors.CommandFailed):
            bench.build(killed)
        assert "is built again" not in bench.text


def judging(made: Stage, script: str) -> Stage:
    return Stage(
        name="judge",
        needs=(("program", made),),
        steps=(Run(argv=("sh", "-c", script), says_why=True),),
        runs_on="nowhere",
        blames=(made,),
    )


def test_what_another_stage_refuses_is_built_again(bench: Bench, tmp_path: Path) -> None:
    made = dataclasses.replace(once_wrong(tmp_path / "switch"), checks=())
    judge = judging(made, 'grep -q good "${need.program}/said" || { echo; echo bad; exit 3; }')
    with pytest.raises(process_errors.SaidNo, match="bad"):
        bench.build(judge)
    (tmp_path / "switch").touch()
    bench.build(judge)
    assert bench.said("built") == {"wrong", "judge"}
    assert "wrong is built again: a verification refused it" in bench.text


def test_other_rules_of_a_judge_rebuild_nothing(bench: Bench) -> None:
    made = program()
    with pytest.raises(process_errors.SaidNo):
        bench.build(judging(made, "echo; echo bad; exit 3"))
    bench.build(judging(made, "true"))
    assert bench.said("built") == {"judge"}


def test_a_judge_that_fails_by_itself_blames_nobody(bench: Bench) -> None:
    made = program()
    judge = judging(made, "echo; echo Traceback; exit 1")
    for _ in range(2):
        with pytest.raises(process_errors.CommandFailed):
            bench.build(judge)
    assert not bench.said("built")


def test_a_stage_with_scratch_is_checked_without_it(bench: Bench) -> None:
    goal = stage(
        "goal",
        shell(
            "echo x > $SCRATCH/kept; cp $SCRATCH/kept $OUT/x", SCRATCH="${scratch}", OUT="${out}"
        ),
        checks=(CommandOutput(run=Run(argv=("cat", "${out}/x")), expect="x"),),
        scratch=("fixed",),
        needs=(text("fixed"),),
    )
    assert (bench.build(goal)["goal"].tree / "x").is_file()


CONFINED = pytest.mark.skipif(
    landlock.abi() < landlock.LEAST_ABI, reason="this kernel has no Landlock (Linux 5.19)"
)
OUTSIDE = {
    "file": 'echo x > "$PLACE/new"',
    "existing file": 'echo x > "$PLACE/old"',
    "truncation": 'truncate -s 0 "$PLACE/old"',
    "folder": 'mkdir "$PLACE/folder"',
    "link": 'ln -s x "$PLACE/link"',
    "removal": 'rm "$PLACE/old"',
    "move": 'touch here && mv here "$PLACE/new"',
    "copy by install": 'touch here && install -D here "$PLACE/bin/new"',
    "grandchild": "sh -c \"sh -c 'echo x > $PLACE/new'\"",
}


@CONFINED
@pytest.mark.parametrize("script", OUTSIDE.values(), ids=OUTSIDE)
def test_a_step_writes_nothing_outside(bench: Bench, tmp_path: Path, script: str) -> None:
    place = tmp_path / "outside"
    place.mkdir()
    (place / "old").write_text("kept")
    with pytest.raises(process_errors.CommandFailed, match="Permission denied"):
        bench.build(stage("goal", shell(script, PLACE=str(place))))
    assert {path.name: path.read_text() for path in place.iterdir()} == {"old": "kept"}


@CONFINED
def test_a_check_writes_nothing_outside(bench: Bench, tmp_path: Path) -> None:
    script = f"touch {tmp_path}/new; touch ${{out}}/more; touch ${{work}}/mine && echo done"
    goal = dataclasses.replace(
        text("goal"), checks=(CommandOutput(run=Run(argv=("sh", "-c", script)), expect="done"),)
    )
    tree = bench.build(goal)["goal"].tree
    assert not (tmp_path / "new").exists()
    assert [path.name for path in tree.iterdir()] == ["text"]


@CONFINED
def test_what_a_step_may_do_in_its_own_folders(bench: Bench) -> None:
    script = """
    mkdir -p a b; touch a/one; mv a/one b/two; ln b/two a/three; mkfifo a/pipe; rm -r a
    echo x > /dev/null; test -w /dev/shm && rm -f /dev/shm/muslin-$$
    cd "${TMPDIR}"; mktemp; cp b/two "${PLACE}/two"
    """.replace("${", "$${")
    goal = stage("goal", shell(script, PLACE="${out}"))
    assert (bench.build(goal)["goal"].tree / "two").is_file()


def test_where_the_kernel_cannot_confine_all_works(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(landlock, "abi", lambda: -1)
    assert "hello" in (bench.build(saying(program()))["saying"].tree / "said").read_text()
