"""Say what any program needs at least, or whether it fits: `PATH... --boards pi-zero,pi-3`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from muslin import invocation
from muslin.check import __main__ as program


def run(words: Sequence[str], folder: Path) -> int:
    """Check what the words name, as seen from a folder, and return the exit code."""
    return program.main(words, folder, invocation.prefix("check"))
