"""Fixtures of the tests that run the real thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from muslin.engine.process import landlock
from tests.e2e.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """The engine on an empty cache."""
    return Bench(cache=tmp_path / "cache")


@pytest.fixture
def unconfined(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel without Landlock: stages may meet in a folder that is neither's."""
    monkeypatch.setattr(landlock, "abi", lambda: -1)
