"""A stage's place: what placeholders stand for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muslin.engine import errors
from muslin.engine.process.runner import Runner
from muslin.engine.sandbox import Sandbox

WORK = Path("/cache/place")
SITE = Sandbox(
    stage="gcc-armv6",
    work=WORK,
    log=Path("/log"),
    runner=Runner(1),
    values={"out": "/cache/out", "need.a-b_c.d": "${out}", "work": str(WORK)},
    environment={},
)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("", ""),
        (
            "no placeholder, $HOME, $$, $(shell), {out}",
            "no placeholder, $HOME, $$, $(shell), {out}",
        ),
        ("${out}/bin:${out}", "/cache/out/bin:/cache/out"),
        ("${need.a-b_c.d}", "${out}"),  # what was filled in is not looked at again
        ("$${out}", "${out}"),
        ("$$${out}", "$${out}"),
        ("${HOME:-x} ${}", "${HOME:-x} ${}"),
    ],
)
def test_placeholders(text: str, expanded: str) -> None:
    assert SITE.expand(text) == expanded


@given(st.text().filter(lambda text: "${" not in text))
def test_a_text_without_placeholders_stays(text: str) -> None:
    assert SITE.expand(text) == text


@given(st.text(alphabet="abc.-_ $", max_size=9))
def test_every_text_can_be_written(text: str) -> None:
    assert SITE.expand(text.replace("${", "$${")) == text.replace("$${", "${")


def test_an_unknown_one_names_the_stage_and_what_there_is() -> None:
    with pytest.raises(errors.UnknownPlaceholder) as caught:
        SITE.expand("${out} ${need.typo}")
    assert str(caught.value) == (
        "gcc-armv6: unknown placeholder ${need.typo}; this stage has "
        "${need.a-b_c.d}, ${out}, ${work}"
    )


def test_a_relative_path_is_below_the_work_folder() -> None:
    assert SITE.path("build") == WORK / "build"
    assert SITE.path("${out}/bin") == Path("/cache/out/bin")
    assert SITE.path("/etc") == Path("/etc")
