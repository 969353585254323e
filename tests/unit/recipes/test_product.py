"""What a service's declaration says of its limits, where programs of it are started."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.engine import errors
from muslin.engine.key import Keys
from muslin.engine.stage import Host, Stage
from muslin.engine.vocabulary import Boot, CommandOutput, Run, Serves
from muslin.models import board, service, target
from muslin.models.service import Service
from recipes import boot
from recipes.programs import product

PROJECT = Path(__file__).resolve().parents[3]
TARGETS = target.load(PROJECT / "toolchains")
BOARDS = board.load(PROJECT / "boards", targets=TARGETS)
EMPTY = Stage(name="empty", steps=(), runs_on="nowhere")
TEXT = """\
summary = "a program"
build = "make"
binary = "program"
[image]
entrypoint = ["/program"]
[[run]]
expect = "x"
{run}
[[serve]]
scheme = "http"
path = "/"
expect = "x"
{serve}
"""


def declared(folder: Path, run: str = "", serve: str = "") -> Service:
    folder.mkdir()
    (folder / "service.toml").write_text(TEXT.format(run=run, serve=serve))
    (folder / "Makefile").touch()
    return service.load((folder,))[folder.name]


def runs(one: Service) -> tuple[Run, Run]:
    does, serves = product.checks(one, TARGETS["armv6"])[-2:]
    assert isinstance(does, CommandOutput)
    assert isinstance(serves, Serves)
    return does.run, serves.run


def started(one: Service, name: str) -> Stage:
    return boot.service(
        one,
        TARGETS["armv6"],
        BOARDS[name],
        program=EMPTY,
        board_files=EMPTY,
        bundle=None,
        files=(),
        qemu=EMPTY,
    )


def test_limits_reach_the_checks_and_no_key(tmp_path: Path) -> None:
    plain = declared(tmp_path / "plain")
    more = declared(tmp_path / "more", "seconds = 900\nmegabytes = 20", "seconds = 9.5")
    assert [(run.seconds, run.printed) for run in runs(plain)] == [(0.0, 0), (0.0, 0)]
    assert [(run.seconds, run.printed) for run in runs(more)] == [(900.0, 20_000_000), (9.5, 0)]
    host = Keys(Host(machine="x86_64", libc="glibc 2.36"))
    keys = []
    for one in (plain, more):
        checks = product.checks(one, TARGETS["armv6"])
        keys.append(host.checks_of(Stage(name="x", steps=(), runs_on="target", checks=checks)))
    assert keys[0] == keys[1]


@pytest.mark.parametrize(("run", "seconds"), [("", 60.0), ("seconds = 10", 60), ("seconds=90", 90)])
def test_a_board_waits_as_long_as_the_service_says(
    tmp_path: Path, run: str, seconds: float
) -> None:
    *_, step = started(declared(tmp_path / "x", run, "megabytes = 20"), "raspi0").steps
    assert isinstance(step, Boot)
    assert (step.limit, step.run.printed) == (seconds, 20_000_000)


@pytest.mark.parametrize(
    "said", ["seconds = 0", "seconds = inf", "megabytes = 0", "megabytes = -1"]
)
def test_a_limit_of_nothing_or_without_end_is_refused(tmp_path: Path, said: str) -> None:
    with pytest.raises(errors.BadDeclaration, match="Input should be"):
        declared(tmp_path / "x", said)
