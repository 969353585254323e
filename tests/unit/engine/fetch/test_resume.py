"""A file and an answer laid over it: what both have stays, what one has alone is cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.engine.fetch.resume import laid_over

OLD = b"0123456789"


@pytest.mark.parametrize(
    ("begin", "chunks", "kept", "left"),
    [
        (0, (), OLD, b""),
        (0, (b"0123",), OLD, b"0123"),
        (0, (b"0123", b"4567"), OLD, b"01234567"),
        (0, (b"0123456789",), OLD, OLD),
        (0, (b"012", b"3456789ab", b"c"), b"0123456789abc", b"0123456789abc"),
        (0, (b"012", b"xx", b"y"), b"012xxy", b"012xxy"),
        (4, (b"45", b"67"), OLD, b"01234567"),
        (4, (b"x",), b"0123x", b"0123x"),
        (10, (b"ab", b"c"), b"0123456789abc", b"0123456789abc"),
    ],
)
def test_what_stays(
    tmp_path: Path, begin: int, chunks: tuple[bytes, ...], kept: bytes, left: bytes
) -> None:
    path, shown = tmp_path / "part", [len(OLD)]
    path.write_bytes(OLD)
    with laid_over(path, begin, shown.append) as overlay:
        for chunk in chunks:
            overlay.add(chunk)
    assert path.read_bytes() == kept
    assert sum(shown) == len(kept)
    with laid_over(path, 0, shown.append) as overlay:
        overlay.add(left)
        overlay.stop_here()
        assert overlay.is_all
    assert path.read_bytes() == left
    assert sum(shown) == len(left)


@pytest.mark.parametrize(
    ("begin", "chunk", "left"),
    [
        (0, b"01", OLD),
        (0, OLD + b"ab", OLD),
        (0, b"x" * 20, b""),
        (10, b"ab", OLD),
        (4, b"x", OLD[:4]),
    ],
)
def test_what_an_answer_brought_is_taken_off(
    tmp_path: Path, begin: int, chunk: bytes, left: bytes
) -> None:
    path, shown = tmp_path / "part", [len(OLD)]
    path.write_bytes(OLD)
    with laid_over(path, begin, shown.append) as overlay:
        overlay.add(chunk)
        overlay.take_off()
    assert path.read_bytes() == left
    assert sum(shown) == len(left)


def test_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    shown: list[int] = []
    with laid_over(tmp_path / "part", 0, shown.append) as overlay:
        overlay.add(b"ab")
    assert (tmp_path / "part").read_bytes() == b"ab"
