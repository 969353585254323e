"""The host root: the same programs on every machine, and nothing else of the machine to be seen."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from muslin.engine.process import errors, host_root
from muslin.engine.process.host_root import WAYS, Way
from muslin.engine.process.runner import Runner
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Link, Run, Write
from muslin.models import pin_files
from muslin.models import pins as source
from recipes import host_root as recipe
from tests.archive import PROJECT
from tests.e2e.bench import Bench

HERE = list(host_root.ways(Runner(1).works))
PROGRAM = """\
#include <cstdio>
#include <string>
int main() { std::string said = "built"; puts(said.c_str()); }
"""


@pytest.fixture(scope="module")
def root() -> Stage:
    """The root of the pins, for this machine."""
    arch = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    pins = source.load(PROJECT / "recipes/pins", PROJECT / "absent", host=f"bookworm-{arch}")
    return recipe.stage(pins.group(f"{pin_files.HOST_ROOT}-{arch}"))


@pytest.fixture(scope="module")
def cache(root: Stage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that has the root already."""
    cache = tmp_path_factory.mktemp("root") / "cache"
    cache.mkdir()
    Bench(cache=cache).build(root)
    return cache


@pytest.fixture(params=WAYS)
def bench(
    request: pytest.FixtureRequest, root: Stage, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    """An engine whose programs run in the root, by each way that this machine allows."""
    way: Way = request.param
    if way not in HERE:
        pytest.skip(f"{way} is not to be had on this machine")
    monkeypatch.setattr(host_root, "ways", lambda _: iter([way]))
    yield Bench(cache=cache, root=root)
    for name in ("bin", "lib", "lib64", "sbin", "usr", "etc", "muslin"):
        (cache / name).unlink(missing_ok=True)
    for name in ("dev", "proc", "tmp", "view"):
        shutil.rmtree(cache / name, ignore_errors=True)


def script(name: str, text: str, **more: object) -> Stage:
    """A stage that runs a shell script."""
    return Stage(
        name=name,
        steps=(Run(argv=("sh", "-euc", f": {os.urandom(8).hex()}\n{text}")),),
        runs_on="host",
        **more,  # type: ignore[arg-type]  # fields of a stage
    )


def test_a_program_is_compiled_with_the_roots_compiler(bench: Bench) -> None:
    stage = Stage(
        name="hello",
        steps=(
            Write(path="${work}/hello.cc", text=PROGRAM),
            Run(argv=("g++", "-O2", "-o", "${out}/hello", "hello.cc")),
            Run(
                argv=(
                    "sh",
                    "-c",
                    "awk --version 2>&1; perl -e 'print 1'; yacc --version; cc --version",
                )
            ),
            Run(argv=("${out}/hello",), output="${out}/said"),
        ),
        runs_on="host",
    )
    assert (bench.build(stage)["hello"].tree / "said").read_text() == "built\n"


def test_what_is_written_names_no_place_of_the_machine(bench: Bench) -> None:
    stage = Stage(
        name="names",
        steps=(
            Write(path="${out}/text", text="${out} ${work}"),
            Run(argv=("sh", "-c", "echo $0 $(pwd); env", "${out}"), output="${out}/said"),
        ),
        runs_on="host",
    )  # fmt: skip
    tree = bench.build(stage)["names"].tree
    for name in ("text", "said"):
        assert str(bench.cache) not in (tree / name).read_text()
        assert "/muslin/work/" in (tree / name).read_text()


def test_a_need_is_seen_and_cannot_be_written(bench: Bench) -> None:
    need = script("need", 'echo content >"$0"/file'.replace("$0", "${out}"))
    user = script("user", "cat ${need.n}/file >${out}/copy", needs=(("n", need),))
    assert (bench.build(user)["user"].tree / "copy").read_text() == "content\n"
    writer = script("writer", "chmod u+w ${need.n}; echo x >${need.n}/file", needs=(("n", need),))
    with pytest.raises(
        errors.CommandFailed, match=r"(?i)read-only|permission denied|not permitted"
    ):
        bench.build(writer)


@pytest.mark.parametrize("way", [way for way in HERE if way != "chroot"])
@pytest.mark.parametrize("what", ["home", "cache", "etc", "store"])
def test_nothing_else_of_the_machine_is_seen(
    root: Stage, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: Way, what: str
) -> None:
    monkeypatch.setattr(host_root, "ways", lambda _: iter([way]))
    other = script("other", "echo secret >${out}/file")
    bench = Bench(cache=cache, root=root)
    tree = bench.build(other)["other"].tree
    (tmp_path / "secret").write_text("secret")
    path = {
        "home": tmp_path / "secret",
        "cache": cache / "format",
        "etc": "/etc/os-release.of.nobody" if what != "etc" else "/etc/hostname",
        "store": str(tree / "file").replace(str(cache), "/muslin"),
    }[what]
    with pytest.raises(errors.CommandFailed, match="No such file"):
        bench.build(script("spy", f"cat {path}"))


@pytest.mark.parametrize("way", [way for way in HERE if way != "chroot"])
def test_a_stage_that_opens_a_socket_fails(
    root: Stage, cache: Path, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    monkeypatch.setattr(host_root, "ways", lambda _: iter([way]))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ask = f"exec 3<>/dev/tcp/127.0.0.1/{port}"
        with pytest.raises(errors.CommandFailed, match="Connection refused"):
            Bench(cache=cache, root=root).build(script("asks", f"bash -c '{ask}'"))
        fetches = script("fetches", f"bash -c '{ask}'; touch ${{out}}/done", network=True)
        Bench(cache=cache, root=root).build(fetches)


def test_a_program_that_is_not_in_the_root_is_missing(bench: Bench) -> None:
    assert shutil.which("git")
    stage = Stage(name="git", steps=(Run(argv=("git", "--version")),), runs_on="host")
    with pytest.raises(errors.CommandMissing, match="git"):
        bench.build(stage)


def test_a_program_behind_a_link_into_the_cache_is_found(bench: Bench) -> None:
    need = Stage(
        name="need",
        steps=(Write(path="${out}/program", text="#!/bin/sh\necho run\n", executable=True),),
        runs_on="host",
    )
    stage = Stage(
        name="linked",
        needs=(("n", need),),
        steps=(
            Link(path="${work}/tree", target="${need.n}"),
            Run(argv=("../tree/program",), cwd="${work}/build", output="${out}/said"),
        ),
        runs_on="host",
    )
    assert (bench.build(stage)["linked"].tree / "said").read_text() == "run\n"


def test_links_in_a_circle_lead_nowhere(bench: Bench) -> None:
    stage = Stage(
        name="circle",
        steps=(Link(path="${work}/a", target="a"), Run(argv=("./a",))),
        runs_on="host",
    )
    with pytest.raises(errors.CommandMissing):
        bench.build(stage)


def test_a_machine_that_lets_nobody_in_says_so(
    root: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_root, "ways", lambda _: iter([]))
    with pytest.raises(errors.NoWayIn, match="apparmor_restrict_unprivileged_userns=0"):
        Bench(cache=tmp_path, root=root).build(script("any", "true"))
