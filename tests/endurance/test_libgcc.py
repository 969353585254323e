"""libgcc's archives hold the same objects in whatever order make's jobs finish.

The order is faked by times: between the passes of the recipe `libgcc.a` gets older, or newer, than
everything that it is made of. Builds libgcc and musl anew for each case, some minutes a target:
`nox -s tests -- tests/endurance/test_libgcc.py --targets armv6`, after `nox -s toolchain`.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from muslin.cli.pipeline import Pipeline
from muslin.engine.filesystem.content import file_digest
from muslin.engine.formats import ar
from muslin.engine.process.runner import Runner
from muslin.engine.stage import Stage, Step
from muslin.engine.vocabulary import Copy, Run, SameTime, Touch
from muslin.models.target import Target
from recipes.component import LONG_AGO
from recipes.toolchain import compiler, target_libraries
from tests.product.conftest import pipeline

__all__ = ["pipeline"]  # the fixture


def is_libgcc(step: Step) -> bool:
    """Whether a step is a pass of make in libgcc's own folder."""
    return isinstance(step, Run) and step.argv[:2] == ("make", "-C")


def libgcc_alone(made: Stage, target: Target, name: str, timing: Sequence[Step]) -> Stage:
    """A gcc stage up to libgcc; `timing` comes between the passes that make it."""
    first, last = (at for at, step in enumerate(made.steps) if is_libgcc(step))
    folder = f"${{work}}/build/{target.triple}/libgcc"
    steps = (
        *made.steps[: first + 1],
        *timing,
        *made.steps[first + 1 : last + 1],
        # What the pass for libstdc++ does to libgcc.
        compiler.make("all-target-libgcc", root="${work}", env=target_libraries.NO_SHARED),
        *(
            Copy(source=f"{folder}/{archive}", to=f"${{out}}/kept/{archive}")
            for archive in target_libraries.LIBGCC
        ),
    )
    return replace(made, name=name, steps=steps, checks=())


def timings(target: Target) -> dict[str, tuple[Step, ...]]:
    """Steps that fake an order, by what they do to libgcc.a."""
    folder = f"${{work}}/build/{target.triple}/libgcc"
    return {
        "untouched": (),
        "older": (
            SameTime(root=folder, time=LONG_AGO),
            Touch(path=f"{folder}/libgcc.a", time=LONG_AGO - 1000),
        ),
        "newer": (Touch(path=f"{folder}/libgcc.a", time=compiler.FAR_FUTURE),),
    }


@pytest.mark.parametrize("jobs", [1, 16])
def test_libgcc_is_the_same_whichever_was_older(
    pipeline: Pipeline, request: pytest.FixtureRequest, jobs: int
) -> None:
    catalog = pipeline.catalog()
    pipeline.context.runner = Runner(jobs)
    with pipeline.context.at_work(), ThreadPoolExecutor(1) as executor:
        builder = pipeline.builder()
        for target in pipeline.context.targets_of(request.config.getoption("--targets").split(",")):
            made, unwinder = catalog.toolchains.gcc(target), set(target_libraries.unwinder(target))
            found: dict[str, list[str]] = {}
            for case, steps in timings(target).items():
                # The name is not in the key, and the cases differ in their steps alone.
                stage = libgcc_alone(made, target, f"libgcc-{case}-{jobs}-{target.name}", steps)
                pipeline.context.store.drop(builder.keys.of(stage)) if builder.has(stage) else None
                tree = builder.build([stage], executor)[stage.name].tree / "kept"
                assert set(ar.names(tree / "libgcc_eh.a")) == unwinder
                assert not unwinder & set(ar.names(tree / "libgcc.a"))
                found[case] = [file_digest(tree / name) for name in target_libraries.LIBGCC]
            assert found["older"] == found["newer"] == found["untouched"]


def test_two_passes_of_another_kind_differ(
    pipeline: Pipeline, request: pytest.FixtureRequest
) -> None:
    """The test above can fail: the recipe as it was, first without a shared libgcc."""
    catalog = pipeline.catalog()
    (target, *_) = pipeline.context.targets_of(request.config.getoption("--targets").split(","))
    made, members = catalog.toolchains.gcc(target), {}
    with pipeline.context.at_work(), ThreadPoolExecutor(1) as executor:
        builder = pipeline.builder()
        for case, steps in timings(target).items():
            stage = libgcc_alone(made, target, f"libgcc-before-{case}-{target.name}", steps)
            stage = replace(stage, steps=tuple(map(as_it_was, stage.steps)))
            pipeline.context.store.drop(builder.keys.of(stage)) if builder.has(stage) else None
            tree = builder.build([stage], executor)[stage.name].tree / "kept"
            members[case] = set(ar.names(tree / "libgcc.a"))
    assert members["older"] != members["newer"]


def as_it_was(step: Step) -> Step:
    """The first pass without a shared library, the second with one, the third without."""
    if not isinstance(step, Run):
        return step
    if is_libgcc(step):
        first = target_libraries.LIBGCC[0] in step.argv
        words = ("enable_shared=no", "libgcc.a") if first else ("enable_shared=yes",)
        return replace(step, argv=(*step.argv[:3], *words))
    if "all-target-libgcc" in step.argv:
        return replace(step, argv=(*step.argv, "enable_shared=no"), env=())
    # There is no libgcc_eh.a yet when musl is linked.
    return replace(step, argv=tuple(map(_without_unwinder, step.argv)))


def _without_unwinder(word: str) -> str:
    if not word.startswith("LIBCC="):
        return word
    (archive,) = (part for part in word.split() if part.endswith("/libgcc.a"))
    return f"LIBCC={archive}"
