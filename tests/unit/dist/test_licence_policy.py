"""Which licences are allowed; license-expression judges what an expression is."""

from __future__ import annotations

import pytest
from license_expression import ExpressionError, get_spdx_licensing

from muslin.dist import licence_policy

ALLOWED = ("MIT", "Apache-2.0", "GPL-3.0-or-later WITH GCC-exception-3.1")


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("mit", True),
        ("Zlib", False),
        ("MIT OR Zlib", True),
        ("Zlib OR MIT", True),
        ("MIT AND Zlib", False),
        ("MIT AND Apache-2.0", True),
        ("MIT AND (Zlib OR Apache-2.0)", True),
        ("(MIT OR Zlib) AND Unicode-3.0", False),
        ("Unicode-3.0 AND Zlib OR MIT", True),  # AND binds more tightly
        ("MIT OR Zlib AND Unicode-3.0", True),
        ("GPL-3.0-or-later WITH GCC-exception-3.1", True),
        ("GPL-3.0-or-later", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        ("Apache-2.0 WITH LLVM-exception OR MIT", True),
    ],
)
def test_an_expression_is_met_or_not(expression: str, allowed: bool) -> None:
    assert licence_policy.is_allowed(expression, ALLOWED) is allowed
    get_spdx_licensing().parse(expression, validate=True)


@pytest.mark.parametrize("text", ["MIT OR", "(MIT", "MIT)", "OR MIT", "MIT WITH", "MIT MIT", "("])
def test_what_is_no_expression_is_not_allowed(text: str) -> None:
    assert not licence_policy.is_allowed(text, ALLOWED)
    with pytest.raises(ExpressionError):
        get_spdx_licensing().parse(text, validate=True, strict=True)


def test_what_names_no_licence_is_not_allowed() -> None:
    bill = {
        "components": [
            {"name": "a", "version": "1", "licenses": [{"expression": "MIT"}]},
            {"name": "b", "version": "2", "licenses": [{"expression": "Zlib"}]},
            {"name": "c", "version": "3"},
        ]
    }
    found = list(licence_policy.outside(bill, ALLOWED))
    assert found == [("b 2", "Zlib"), ("c 3", licence_policy.UNKNOWN)]
