"""Options and fixtures that more than one folder of tests uses."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which targets the product tests look at."""
    parser.addoption(
        "--targets",
        default="x86_64,aarch64,armv7,armv6",
        help="targets whose products tests/product examines, separated by commas",
    )
