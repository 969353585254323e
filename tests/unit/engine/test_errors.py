"""What is true of every message."""

from __future__ import annotations

from muslin.errors import LONGEST, PipelineError


def test_a_line_of_somebody_elses_is_cut() -> None:
    message = str(PipelineError(f"before\n{'x' * 100_000_000}y\nafter"))
    first, line, last = message.split("\n")
    assert (first, last) == ("before", "after")
    assert line.startswith("xxx")
    assert line.endswith("xxy")
    assert "(99998801 letters more)" in line
    assert len(line) < LONGEST + 100


def test_a_name_that_is_no_text_can_be_printed() -> None:
    str(PipelineError("name \udcff")).encode()
