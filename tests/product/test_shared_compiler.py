"""A target that takes another's compiler over: the two differ in defaults, and in nothing else.

That it is the very one the target would have had for itself, tests/endurance shows.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.cli.pipeline import Pipeline
from recipes.toolchain.assemble import C_PROGRAM, CXX_PROGRAM
from tests.product.conftest import PROJECT, Product, output

LENDERS = {"armv7": "armv6"}
"""Whoever shares a compiler: another one wants a test here."""
CORPUS = [
    path
    for service in ("hello-c", "hello-cpp")
    for path in sorted((PROJECT / "services" / service).rglob("*.c*"))
]
LANGUAGES = {".c": ("c", "cpp-output"), ".cc": ("c++", "c++-cpp-output")}
"""GCC's names of a language, and of what its preprocessor leaves."""
MODES = {"arm": "-marm", "thumb": "-mthumb"}


@pytest.fixture
def pair(product: Product) -> tuple[list[str | Path], list[str | Path]]:
    """The target's compiler as it is, and the lender's told in words what the other knows."""
    lender = product.pipeline.context.targets[product.target.gcc.shared_with]
    theirs = Product(target=lender, pipeline=product.pipeline, tree=product.tree)
    return (
        [driver(product)],
        [driver(theirs), *map(told, product.target.gcc.configure)],
    )


def driver(product: Product) -> Path:
    return product.toolchain / "bin" / f"{product.target.triple}-g++"


def told(option: str) -> str:
    """`--with-arch=armv7-a` as it is said to a compiler."""
    name, _, value = option.removeprefix("--with-").partition("=")
    if name == "mode":
        return MODES[value]
    return f"-mfloat-abi={value}" if name == "float" else f"-m{name}={value}"


def test_the_words_for_the_lender() -> None:
    options = ("--with-arch=armv7-a", "--with-mode=thumb", "--with-fpu=vfpv3-d16")
    assert [*map(told, options)] == ["-march=armv7-a", "-mthumb", "-mfpu=vfpv3-d16"]
    assert told("--with-float=hard") == "-mfloat-abi=hard"


def test_all_that_share_are_here(pipeline: Pipeline) -> None:
    shared = {one.name: one.gcc.shared_with for one in pipeline.context.targets.values()}
    assert {name: lender for name, lender in shared.items() if lender} == LENDERS


@pytest.mark.only("armv7")
@pytest.mark.parametrize(
    "question",
    [("-dM", "-E", "-x", "c++", "/dev/null"), ("-Q", "--help=target"), ("-Q", "--help=optimizers")],
    ids=["macros", "target", "optimizers"],
)
def test_both_say_the_same_of_themselves(
    pair: tuple[list[str | Path], list[str | Path]], question: tuple[str, ...]
) -> None:
    ours, theirs = pair
    answer = output([*ours, "-O2", *question])
    assert answer == output([*theirs, "-O2", *question])
    assert answer != output([theirs[0], "-O2", *question]) or "optimizers" in question[-1]


@pytest.mark.only("armv7")
@pytest.mark.parametrize("level", ["-O0", "-Os", "-O2", "-O3"])
def test_both_make_the_same_code(
    pair: tuple[list[str | Path], list[str | Path]], tmp_path: Path, level: str
) -> None:
    ours, theirs = pair
    (tmp_path / "x.c").write_text(C_PROGRAM)
    (tmp_path / "x.cc").write_text(CXX_PROGRAM)
    corpus = [tmp_path / "x.c", tmp_path / "x.cc", *CORPUS]
    assert len(corpus) > 3
    for text in corpus:
        written, preprocessed = LANGUAGES[text.suffix]
        # Preprocessed once: the lender's libstdc++ was configured for another processor.
        output([*ours, level, "-x", written, "-E", text, "-o", tmp_path / "text"])
        words = (level, "-x", preprocessed, "-c", "text", "-o")
        output([*ours, *words, "made.o"], cwd=tmp_path)
        output([*theirs, *words, "wanted.o"], cwd=tmp_path)
        # Objects, for in assembler's text the local labels have numbers of their own.
        made, wanted = ((tmp_path / name).read_bytes() for name in ("made.o", "wanted.o"))
        assert made == wanted, text
