"""Fixtures of the tests that run the real thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """The engine on an empty cache."""
    return Bench(cache=tmp_path / "cache")
