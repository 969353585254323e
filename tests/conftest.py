"""Options and fixtures that more than one folder of tests uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from muslin import invocation

# How long a case takes is no test's affair: it depends on what else the machine does.
hypothesis.settings.register_profile("muslin", deadline=None)
hypothesis.settings.load_profile("muslin")
# Tests ask for a source set themselves; the others must not look for one on the network.
os.environ.setdefault("MUSLIN_SOURCES", "debian")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the product and endurance tests look at."""
    parser.addoption(
        "--targets",
        default="x86_64,aarch64,armv7,armv6",
        help="targets whose products tests/product examines, separated by commas",
    )
    parser.addoption(
        "--digests",
        type=Path,
        help="where tests/product writes the digest of every project that it builds; to compare "
        "two machines",
    )
    parser.addoption(
        "--kills",
        type=int,
        default=50,
        help="how often tests/endurance kills a build upon a finished toolchain",
    )
    parser.addoption(
        "--stages",
        default="binutils",
        help="stages of the toolchain that tests/endurance kills, separated by commas",
    )
    parser.addoption(
        "--files",
        type=int,
        default=1500,
        help="how many damaged files tests/e2e/test_fuzz.py puts through the audit",
    )
    parser.addoption(
        "--damages",
        type=int,
        default=120,
        help="how often tests/e2e/test_damage.py damages a cache",
    )


@pytest.fixture(autouse=True)
def _spelling() -> Iterator[None]:
    """Commands are spelled as before, whatever a test has called."""
    before = invocation.current()
    yield
    invocation.use(before)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """One process where golden files are written: several tests write into the same one."""
    return 0 if os.environ.get("MUSLIN_GOLDEN") == "write" else None
