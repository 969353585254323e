"""GCC's own objects, compiled behind the precompiled header, hold what they hold without.

The same functions and data of the same size, that is: g++ may write them in another order. Takes
some two minutes of two cores, after `nox -s toolchain`:
`nox -s tests -- tests/endurance/test_precompiled.py --targets armv6`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from muslin.cli.pipeline import Pipeline
from muslin.engine.stage import Stage
from muslin.engine.vocabulary import Remove
from muslin.models.target import Target
from recipes.toolchain import compiler
from tests.product.conftest import pipeline

__all__ = ["pipeline"]  # the fixture

AGAIN = ("generic-match-1.o", "gimple-match-exports.o", "gimple-match-4.o", "ipa*.o", "omp-*.o")
"""At both levels of optimisation, by hand and made by GCC's makefile."""


def without(target: Target, made: Stage, tools: tuple[tuple[str, Stage], ...]) -> Stage:
    """The tree that `compiler.stage` hands on, where the precompiled files are empty, with some
    objects made again."""
    return Stage(
        name=f"textual-{target.name}",
        target=target.name,
        summary="some of GCC's objects, without the precompiled header",
        needs=(("compiler", made), *compiler.siblings(made)),
        tools=tools,
        path=("${need.binutils}/bin",),
        steps=(
            *compiler.copied("${need.compiler}", "${out}"),
            Remove(root="${out}/build/gcc", patterns=AGAIN),
            compiler.make("all-gcc", compiler.shown_configuration(target), root="${out}"),
        ),
        runs_on="host",
    )


def objects(tree: Path) -> dict[str, Path]:
    return {path.relative_to(tree).as_posix(): path for path in (tree / "build").rglob("*.o")}


def symbols(path: Path) -> list[tuple[str, str, int]]:
    """Name, kind and size of all that an object has symbols for."""
    with path.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection), path
        return sorted(
            (one.name, one["st_info"]["type"], one["st_size"]) for one in table.iter_symbols()
        )


def test_objects_made_again_hold_the_same_and_nothing_else_is_made(
    pipeline: Pipeline, request: pytest.FixtureRequest
) -> None:
    catalog = pipeline.catalog()
    with pipeline.context.at_work(), ThreadPoolExecutor(pipeline.context.settings.jobs) as executor:
        builder = pipeline.builder()
        for target in pipeline.context.targets_of(request.config.getoption("--targets").split(",")):
            made = catalog.toolchains.compiler(target)
            textual = without(target, made, catalog.tools.build_tools())
            entries = builder.build([made, textual], executor)
            before, after = (objects(entries[one.name].tree) for one in (made, textual))
            assert before.keys() == after.keys()
            again = [
                name
                for name, path in before.items()
                if path.stat().st_mtime != after[name].stat().st_mtime
            ]
            wanted = [
                name
                for name in before
                if any(Path(name).match(f"build/gcc/{pattern}") for pattern in AGAIN)
            ]
            assert sorted(again) == sorted(wanted)
            assert len(again) > 20
            assert not [name for name in again if symbols(before[name]) != symbols(after[name])]
