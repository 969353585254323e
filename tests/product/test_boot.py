"""Emulated boards: what `nox -s boot` leaves, and a program that the board's processor refuses.

Wants `nox -s build-all` and `nox -s boot` first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from muslin.engine import errors
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Copy, Write
from muslin.models.board import Board
from muslin.models.service import Service
from recipes import boot
from tests import opened
from tests.product.conftest import PROJECT, Product
from tests.product.test_witnesses import INSTRUCTIONS, gcc, instruction


def boards(product: Product) -> list[Board]:
    found = [
        one
        for one in product.pipeline.context.boards.values()
        if product.target.name in one.targets
    ]
    if not found:
        pytest.skip(f"no board is declared for {product.target.name}")
    return found


def told(product: Product) -> list[Service]:
    return [one for one in product.pipeline.selection.services.values() if boot.tells(one)]


def test_every_service_came_up_on_every_board(product: Product) -> None:
    for board in boards(product):
        for service in told(product):
            subject = boot.subject(service.name, board)
            above = PROJECT / "dist" / "reports" / product.target.name / subject
            said = json.loads(above.with_suffix(".json").read_text())
            seen = {one["what"]: one["seconds"] for one in said["seen"]}
            assert boot.USER_SPACE in seen
            console = above.with_suffix(".log").read_text()
            assert "Linux version" in console
            assert str(product.pipeline.context.settings.cache) not in console
            if service.serve:
                assert said["network"], "QEMU has one for each of these boards"
                answers = [what for what in seen if "answered through its network" in what]
                assert len(answers) == len(service.serve)
            else:
                said_so = f"it said {service.run[0].expect!r} and ended with code 0"
                assert said_so in seen


@pytest.fixture
def program(product: Product) -> Iterator[list[Stage]]:
    """Stages that a test made; they leave the cache with it."""
    made: list[Stage] = []
    yield made
    keys = product.pipeline.builder().keys
    for stage in made:
        product.pipeline.context.store.drop(keys.of(stage))


def start(product: Product, made: Path, stages: list[Stage]) -> dict[str, object]:
    """A program as process 1 of the target's first board; what the report says."""
    board = boards(product)[0]
    copied = Stage(
        name=f"demo-{product.target.name}",
        target=product.target.name,
        steps=(
            Write(path="${out}/once", text=uuid4().hex),
            Copy(source=str(made), to="${out}/bin/demo"),
        ),
        runs_on="target",
    )
    service = Service.model_validate(
        {
            "name": "demo",
            "folder": made.parent,
            "summary": "a demo",
            "build": "make",
            "binary": "demo",
            "image": {"entrypoint": ("/demo",)},
            "run": ({"expect": "ran"},),
        }
    )
    run = opened.pipeline()  # a failed one starts nothing any more
    catalog = run.catalog()
    stage = boot.service(
        service,
        product.target,
        board,
        program=copied,
        board_files=catalog.images.board(board, product.target),
        bundle=None,
        files=(),
        qemu=catalog.tools.qemu_system(),
    )
    stages += [copied, stage]
    with ThreadPoolExecutor(1) as executor, run.context.at_work():
        entry = run.builder().build([stage], executor)[stage.name]
    said: dict[str, object] = json.loads((entry.tree / "report.json").read_text())
    return said


def test_a_program_of_the_target_runs_there(
    product: Product, tmp_path: Path, program: list[Stage]
) -> None:
    said = start(product, gcc(product, tmp_path, "-static"), program)
    assert str(said["subject"]).startswith("demo for ")


def test_a_program_that_needs_more_dies_there(
    product: Product, tmp_path: Path, program: list[Stage]
) -> None:
    """A Cortex-A7 has NEON and division: ARMv7's baseline has less than the board."""
    control = {"armv6": "movw", "armv7": "ARMv8 CRC32", "aarch64": "LSE ldadd"}
    boards(product)
    text = INSTRUCTIONS[product.target.name][control[product.target.name]]
    with pytest.raises(errors.BoardFailed, match="died of SIGILL: it has an instruction that"):
        start(product, instruction(text)(product, tmp_path), program)
