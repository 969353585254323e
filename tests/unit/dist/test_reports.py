"""Reports in `dist/`: what vouches for a program, and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.dist import reports

GOOD = '{"subject": "x", "fits": true, "shipped": "0123", "files": []}'


def lay(dist: Path, content: bytes) -> None:
    (dist / "reports/armv6").mkdir(parents=True)
    (dist / "reports/armv6/good.json").write_text(GOOD)
    (dist / "reports/armv6/odd.json").write_bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        *(b"[]", b"3", b"null", b'"a"', b"", b"{", b"\xff", b"[" * 100_000),
        *(b'{"fits": 1, "shipped": "45"}', b'{"fits": true, "shipped": ["45"]}'),
        *(b'{"fits": false, "shipped": "45"}', b'{"fits": true}'),
    ],
)
def test_what_is_no_report_vouches_for_nothing(tmp_path: Path, content: bytes) -> None:
    lay(tmp_path / "dist", content)
    assert reports.verified(tmp_path / "dist", "armv6") == {"0123": "dist/reports/armv6/good.txt"}


def test_a_folder_is_no_report(tmp_path: Path) -> None:
    lay(tmp_path / "dist", b"{}")
    (tmp_path / "dist/reports/armv6/more.json").mkdir()
    assert list(reports.verified(tmp_path / "dist", "armv6")) == ["0123"]


def test_a_byte_order_mark_is_nothing(tmp_path: Path) -> None:
    lay(tmp_path / "dist", b"\xef\xbb\xbf" + GOOD.replace("0123", "4567").encode())
    assert set(reports.verified(tmp_path / "dist", "armv6")) == {"0123", "4567"}
